#include <fcntl.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "measurement/check.h"
#include "platform/crypto/crypto.h"
#include "platform/crypto/openssl_ptr.h"

namespace kua::platform {
namespace {

constexpr std::size_t kKeyFileBytesMax = 16 * 1024;  // a PEM private key is about 120 bytes

std::unexpected<Error> failed_call(int error_number, std::string doing) {
  const auto kind = error_number == ENOENT                             ? ErrorKind::not_found
                    : error_number == EACCES || error_number == EPERM  ? ErrorKind::permission
                    : error_number == ENOSPC || error_number == EDQUOT ? ErrorKind::no_space
                                                                       : ErrorKind::io;
  return fail(kind, std::generic_category().message(error_number), std::move(doing));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) noexcept : number_(number) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

Expected<std::string> read_private_file(const std::string& path, const std::string& doing) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed_call(errno, doing);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return failed_call(errno, doing);
  if ((status.st_mode & 077) != 0) {
    return fail(ErrorKind::permission, "the file is open to other users; its mode must be 0600",
                doing);
  }
  std::string text(kKeyFileBytesMax, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed_call(errno, doing);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

Expected<void> write_all(int file, std::string_view text, const std::string& doing) {
  while (!text.empty()) {
    const auto written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed_call(errno, doing);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file) != 0) return failed_call(errno, doing);
  return {};
}

// A new name is only durable once its directory is synced.
Expected<void> sync_directory_of(const std::string& path, const std::string& doing) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const FileDescriptor handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() < 0 || ::fsync(handle.get()) != 0) return failed_call(errno, doing);
  return {};
}

PublicKey public_part(EVP_PKEY* key) {
  PublicKey out{};
  std::size_t size = out.size();
  KUA_CHECK(EVP_PKEY_get_raw_public_key(key, out.data(), &size) == 1 && size == out.size());
  return out;
}

// Without it OpenSSL would ask for a pass phrase on the terminal.
int no_pass_phrase(char*, int, int, void*) { return -1; }

}  // namespace

struct SigningKey::Impl {
  internal::PkeyPtr key;
};

SigningKey::SigningKey(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)), public_key_(public_part(impl_->key.get())) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

SigningKey SigningKey::generate() {
  internal::PkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  KUA_CHECK(key != nullptr);  // no generator, no safe continuation
  return SigningKey(std::make_unique<Impl>(Impl{std::move(key)}));
}

Expected<SigningKey> SigningKey::load(const std::string& path) {
  const std::string doing = "loading key " + path;
  const auto text = read_private_file(path, doing);
  if (!text) return std::unexpected(text.error());
  const internal::BioPtr bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  KUA_CHECK(bio != nullptr);
  internal::PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_pass_phrase, nullptr));
  if (key == nullptr) {
    return fail(ErrorKind::invalid_input,
                "not a PEM private key: " + internal::take_openssl_error(), doing);
  }
  if (EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
    return fail(ErrorKind::invalid_input, "not an Ed25519 key", doing);
  }
  return SigningKey(std::make_unique<Impl>(Impl{std::move(key)}));
}

Expected<void> SigningKey::save_new(const std::string& path) const {
  const std::string doing = "saving key " + path;
  const internal::BioPtr bio(BIO_new(BIO_s_secmem()));
  KUA_CHECK(bio != nullptr);
  KUA_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr,
                                          nullptr) == 1);
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return failed_call(errno, doing);
  auto saved = write_all(file.get(), internal::text_of(bio.get()), doing);
  if (saved) saved = sync_directory_of(path, doing);
  if (!saved) ::unlink(path.c_str());  // half a key would only block the next attempt
  return saved;
}

Signature SigningKey::sign(std::string_view message) const {
  thread_local const internal::MdContextPtr context(EVP_MD_CTX_new());
  KUA_CHECK(context != nullptr);
  EVP_MD_CTX_reset(context.get());
  Signature signature{};
  std::size_t size = signature.size();
  KUA_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, impl_->key.get()) == 1);
  KUA_CHECK(EVP_DigestSign(context.get(), signature.data(), &size,
                           reinterpret_cast<const unsigned char*>(message.data()),
                           message.size()) == 1);
  KUA_CHECK(size == signature.size());
  return signature;
}

struct VerifyingKey::Impl {
  internal::PkeyPtr key;
};

VerifyingKey::VerifyingKey(const PublicKey& key)
    : impl_(std::make_unique<Impl>(Impl{internal::PkeyPtr(
          EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()))})) {
  // Any 32 bytes make a key object; bytes that are no point of the curve verify nothing.
  KUA_CHECK(impl_->key != nullptr);
}
VerifyingKey::VerifyingKey(VerifyingKey&&) noexcept = default;
VerifyingKey& VerifyingKey::operator=(VerifyingKey&&) noexcept = default;
VerifyingKey::~VerifyingKey() = default;

bool VerifyingKey::verify(std::string_view message, const Signature& signature) const {
  thread_local const internal::MdContextPtr context(EVP_MD_CTX_new());
  KUA_CHECK(context != nullptr);
  EVP_MD_CTX_reset(context.get());
  KUA_CHECK(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, impl_->key.get()) == 1);
  const int verdict =
      EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                       reinterpret_cast<const unsigned char*>(message.data()), message.size());
  if (verdict != 1) ERR_clear_error();
  return verdict == 1;
}

bool verify_signature(const PublicKey& key, std::string_view message, const Signature& signature) {
  return VerifyingKey(key).verify(message, signature);
}

namespace {

template <std::size_t N>
std::optional<std::array<std::uint8_t, N>> exactly(const std::optional<std::string>& bytes) {
  if (!bytes || bytes->size() != N) return std::nullopt;
  std::array<std::uint8_t, N> out{};
  std::ranges::transform(*bytes, out.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  return out;
}

template <std::size_t N>
std::string_view view_of(const std::array<std::uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::optional<PublicKey> parse_public_key(std::string_view base64url) {
  return exactly<32>(from_base64url(base64url));
}
std::string to_text(const PublicKey& key) { return to_base64url(view_of(key)); }

std::optional<Signature> parse_signature(std::string_view base64) {
  return exactly<64>(from_base64(base64));
}
std::string to_text(const Signature& signature) { return to_base64(view_of(signature)); }

ProbeId probe_id_of(const PublicKey& key) {
  const auto digest = sha256(view_of(key));
  auto id = ProbeId::parse(to_hex(std::span(digest).first(16)));
  KUA_CHECK(id.has_value());
  return *id;
}

}  // namespace kua::platform
