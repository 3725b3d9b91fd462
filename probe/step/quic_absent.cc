// In place of quic_handshake.cc where ngtcp2 is left out: a second TLS stack is much for a small device.
#include "measurement/check.h"
#include "probe/step/quic_handshake.h"

namespace kua::probe {

bool has_quic() noexcept { return false; }

boost::asio::awaitable<QuicResult> quic_handshake(const TrustStore& /*trust*/, Timeline /*timeline*/,
                                                  std::shared_ptr<WireTally> /*tally*/, QuicOptions /*options*/) {
  KUA_CHECK(false);  // has_quic() says so
  co_return QuicResult{};
}

}  // namespace kua::probe
