// Runs a fuzz target over its committed corpus without libFuzzer: every file whole, and cut short
// at up to kCutsPerFile places, since a stream that ends early is the commonest bad input. Usage:
// fuzz_NAME FOLDER. Exit status 1 when the folder holds no file.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kCutsPerFile = 64;

// A heap block of exactly this size, so that AddressSanitizer sees the first byte read too far.
void run_exactly(const std::vector<std::uint8_t>& bytes, std::size_t size) {
  const std::vector<std::uint8_t> input(bytes.begin(),
                                        bytes.begin() + static_cast<std::ptrdiff_t>(size));
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

void run_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<std::uint8_t> bytes(std::istreambuf_iterator<char>(file), {});
  run_exactly(bytes, bytes.size());
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / kCutsPerFile);
  for (std::size_t size = 0; size < bytes.size(); size += step) run_exactly(bytes, size);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_NAME FOLDER\n", stderr);
    return 2;
  }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    if (!entry.is_regular_file()) continue;
    std::printf("%s\n", entry.path().filename().c_str());
    std::fflush(stdout);  // the last name printed is the one that failed
    run_file(entry.path());
    ++files;
  }
  std::printf("%zu files\n", files);
  return files > 0 ? 0 : 1;
}
