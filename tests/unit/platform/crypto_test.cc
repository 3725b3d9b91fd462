#include "platform/crypto/crypto.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "tests/support/temp_directory.h"

namespace kua::platform {
namespace {

std::string hex_of(const Digest& digest) { return to_hex(digest); }

template <std::size_t N>
std::array<std::uint8_t, N> bytes_of(std::string_view hex) {
  const auto bytes = from_hex(hex).value();
  std::array<std::uint8_t, N> out{};
  EXPECT_EQ(bytes.size(), N);
  std::ranges::transform(bytes, out.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  return out;
}

TEST(Digests, AgreeWithPublishedVectors) {
  // FIPS 180-2 appendix B and RFC 4231 test cases 1 and 2.
  EXPECT_EQ(hex_of(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex_of(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex_of(hmac_sha256("", "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Base64, AgreesWithRfc4648AndIsStrict) {
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : cases) {
    EXPECT_EQ(to_base64(plain), encoded);
    EXPECT_EQ(from_base64(encoded), plain);
    const auto url = encoded.substr(0, encoded.find('='));
    EXPECT_EQ(to_base64url(plain), url);
    EXPECT_EQ(from_base64url(url), plain);
  }
  EXPECT_EQ(to_base64url("\xfb\xff\xfe"), "-__-");
  EXPECT_EQ(from_base64("+//+"), "\xfb\xff\xfe");
  for (const char* wrong :
       {"Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "Zg==Zg==", "-__-"}) {
    EXPECT_EQ(from_base64(wrong), std::nullopt) << wrong;
  }
  for (const char* wrong : {"Z", "Zg==", "Zh", "Zm9v+", "+//+", "Zm9vY"}) {
    EXPECT_EQ(from_base64url(wrong), std::nullopt) << wrong;
  }
}

TEST(Base64, EveryByteSurvivesAtEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
    bytes.push_back(static_cast<char>(255 - i % 256));
  }
}

TEST(Hex, ReadsBothCasesAndNothingElse) {
  EXPECT_EQ(from_hex("00fFaB"), std::string("\0\xff\xab", 3));
  for (const char* wrong : {"0", "0g", "0x", " 0", "\xff\xff"})
    EXPECT_EQ(from_hex(wrong), std::nullopt) << wrong;
}

TEST(RandomBytes, DoNotRepeat) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random_u64());
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(Ed25519, AgreesWithRfc8032) {
  // §7.1 TEST 2 and TEST 3.
  const auto key = bytes_of<32>("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const auto signature = bytes_of<64>(
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(verify_signature(key, "\x72", signature));
  EXPECT_FALSE(verify_signature(key, "\x73", signature));
  EXPECT_FALSE(verify_signature(key, "", signature));
}

TEST(Ed25519, AnyFlippedBitIsRefused) {
  const auto key = SigningKey::generate();
  const VerifyingKey verifier(key.public_key());
  const auto signature = key.sign("a batch");
  EXPECT_TRUE(verifier.verify("a batch", signature));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    auto changed = signature;
    changed[i] ^= 1;
    EXPECT_FALSE(verifier.verify("a batch", changed)) << i;
  }
  EXPECT_FALSE(VerifyingKey(SigningKey::generate().public_key()).verify("a batch", signature));
  EXPECT_TRUE(verifier.verify("a batch", signature)) << "a refusal must not spoil the key";
}

TEST(Ed25519, AKeyThatIsNoPointVerifiesNothing) {
  PublicKey key{};
  key.fill(0xff);
  EXPECT_FALSE(verify_signature(key, "x", Signature{}));
}

TEST(Ed25519, TextFormsComeBack) {
  const auto key = SigningKey::generate();
  EXPECT_EQ(parse_public_key(to_text(key.public_key())), key.public_key());
  EXPECT_EQ(parse_public_key("AAAA"), std::nullopt);
  const auto signature = key.sign("x");
  EXPECT_EQ(parse_signature(to_text(signature)), signature);
  EXPECT_EQ(parse_signature(to_text(key.public_key())), std::nullopt);
}

TEST(ProbeIdOf, IsTheFirstHalfOfTheDigest) {
  const PublicKey key{};
  const std::string zeros(32, '\0');
  EXPECT_EQ(probe_id_of(key).text(), hex_of(sha256(zeros)).substr(0, 32));
}

class SigningKeyFile : public ::testing::Test {
 protected:
  test::TempDirectory directory_;
  std::string path_ = directory_.file("identity.key");
};

TEST_F(SigningKeyFile, ComesBackWithModeOwnerOnly) {
  const auto key = SigningKey::generate();
  ASSERT_TRUE(key.save_new(path_));
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto loaded = SigningKey::load(path_);
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ(loaded->public_key(), key.public_key());
  EXPECT_TRUE(verify_signature(key.public_key(), "x", loaded->sign("x")));
}

TEST_F(SigningKeyFile, IsNeverOverwritten) {
  const auto key = SigningKey::generate();
  ASSERT_TRUE(key.save_new(path_));
  EXPECT_FALSE(SigningKey::generate().save_new(path_));
  EXPECT_EQ(SigningKey::load(path_)->public_key(), key.public_key());
}

TEST_F(SigningKeyFile, OpenToOthersIsRefused) {
  ASSERT_TRUE(SigningKey::generate().save_new(path_));
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  EXPECT_EQ(SigningKey::load(path_).error().kind, ErrorKind::permission);
}

TEST_F(SigningKeyFile, EveryKindOfWrongFileIsNamed) {
  EXPECT_EQ(SigningKey::load(directory_.file("absent")).error().kind, ErrorKind::not_found);
  const auto identity = make_tls_identity("localhost", 1);
  ASSERT_TRUE(identity);
  for (const std::string& text : {std::string(), std::string("no key"), std::string(20'000, 'x'),
                                  identity->key_pem, identity->certificate_pem}) {
    std::ofstream(path_, std::ios::trunc) << text;
    ASSERT_EQ(::chmod(path_.c_str(), 0600), 0);
    EXPECT_EQ(SigningKey::load(path_).error().kind, ErrorKind::invalid_input);
  }
}

TEST(TlsIdentity, PinIsThatOfItsCertificate) {
  for (const char* name : {"collector.example", "127.0.0.1", "::1"}) {
    const auto identity = make_tls_identity(name, 30);
    ASSERT_TRUE(identity) << identity.error().text();
    EXPECT_EQ(spki_pin_of(identity->certificate_pem), identity->spki_pin);
    EXPECT_EQ(from_base64url(identity->spki_pin)->size(), 32u);
    EXPECT_TRUE(identity->key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
  }
  EXPECT_NE(make_tls_identity("a.example", 1)->spki_pin,
            make_tls_identity("a.example", 1)->spki_pin);
}

TEST(TlsIdentity, NamesThatAreNoneAreRefused) {
  for (const char* name : {"", "a b", "x,IP:1.2.3.4", "UPPER.example"}) {
    EXPECT_EQ(make_tls_identity(name, 1).error().kind, ErrorKind::invalid_input) << name;
  }
  EXPECT_FALSE(make_tls_identity("a.example", 0));
  EXPECT_EQ(spki_pin_of("no certificate").error().kind, ErrorKind::invalid_input);
}

}  // namespace
}  // namespace kua::platform
