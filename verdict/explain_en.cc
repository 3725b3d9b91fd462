#include "verdict/explain_texts.h"

namespace kua::verdict {

const Texts& texts_en() noexcept {
  static constexpr Texts kTexts = {
      "{host} opens.",
      "{host} opens, but the network leads it through somebody else's machine.",
      "{host} opened only at a second try. That happens on a weak line.",
      "{host} can be reached, but its own server turns this connection away.",
      "{host} can be reached, but its own server shows another page here than elsewhere.",
      "{host} opens, but connections to one of its addresses are cut.",
      "{host} opens, but one of its addresses shows a certificate that nobody should trust.",
      "{host} opens, but the network carries it several times slower than other names from the same place.",
      "{host} does not work elsewhere either: the trouble is at the site.",
      "The name {host} leads nowhere, here and elsewhere.",
      "{host} shows everybody a certificate that is not valid: the trouble is at the site.",
      "{host} is blocked: the network answers that the name does not exist, and it does.",
      "{host} is blocked: the network answers with a false address for it.",
      "{host} is blocked: a router on the way says that connecting to it is prohibited.",
      "{host} is blocked: connections are cut as soon as its name shows, and other names pass.",
      "{host} is blocked: what it sends is stopped half-way, and what other names send is not.",
      "{host} is blocked: the network slows it to a tenth or less of what other names from the same place get.",
      "Somebody on the way opens the encrypted connection to {host} with a false certificate. Enter no "
      "passwords there.",
      "{host} is blocked: the network shows a notice in its place.",
      "{host} is blocked: requests that name it are cut, and others pass.",
      "The network's name server does not lead to {host} as others do. This looks like blocking, but it is "
      "not proven.",
      "{host} does not open from here and does from elsewhere. This looks like blocking, but it is not proven.",
      "A connection under the name {host} was cut and one under another name was not. This looks like "
      "blocking, but it is not proven.",
      "{host} shows another certificate here than elsewhere. This looks like interference, but it is not "
      "proven.",
      "{host} shows quite another page here than elsewhere. This looks like blocking, but it is not proven.",
      "{host} did not open. Whether the site, the line or the network is the cause cannot be told: a look "
      "from elsewhere or a repetition is missing.",
      "{host} answered, but nothing shows whether the answer is the site's own.",
      "{host} showed a certificate that this device does not trust, and nothing shows what others are given.",
      "{host} answered without end, and was given up.",
      "The name server in use here does not lead to {host}. It is not known to be the network's own, so this "
      "says nothing about the network.",
      "{host} could not be tried from this device or home network.",
      "{host} did not open at an address that nobody else vouches for, so nothing follows.",
      "{host} is where the network sends people instead of the site they asked for.",
      "Nothing was measured: this instrument failed.",
      "Nothing was judged: the connection of this device was at fault.",
      "Nothing was judged: the line is down.",
      "Nothing was judged: the network wants a login first.",
      "Nothing was judged: the name server in use here answers for no name.",
      "Nothing was judged: no place abroad can be reached, while places in the country can.",
      "Nothing was judged: this device looks through a VPN.",
      "Nothing was judged: the clock of this device is wrong.",
      "Nothing was concluded: a program or a company's network opens the encrypted connections of this device.",
      "Nothing was concluded: this is a control vantage.",
      "Nothing was concluded: no place beyond the network answered.",
      "Nothing was judged: no step was taken.",
      "The line works.",
      "Nothing was judged: encrypted connections get nowhere, in the country or abroad; only unencrypted pages "
      "still come.",
      "The state of the line could not be told.",
      "It was reached by a redirect from {first}.",
      "Over IPv4 it opens.",
      "Over IPv6 it opens."};
  return kTexts;
}

}  // namespace kua::verdict
