#include <doctest/doctest.h>
#include <google/protobuf/stubs/logging.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "gateway/base/random.h"
#include "tests/fuzz/targets.h"

namespace fedgate::fuzz {
namespace {

constexpr int kMutationsPerInput = 4000;

std::string mutated(std::string bytes, SeededRandom& random) {
  for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
    std::size_t at = bytes.empty() ? 0 : random.below(bytes.size());
    switch (random.below(5)) {
      case 0: if (!bytes.empty()) bytes[at] = static_cast<char>(random.next()); break;
      case 1: bytes.insert(at, 1, static_cast<char>(random.next())); break;
      case 2: if (!bytes.empty()) bytes.erase(at, 1 + random.below(8)); break;
      case 3: bytes.insert(at, bytes.substr(at, 1 + random.below(32))); break;
      default: bytes.resize(at);
    }
  }
  return bytes;
}

TEST_CASE("fuzz: the corpus and seeded mutations of it keep every promise of the parsers") {
  google::protobuf::LogSilencer quiet;
  for (const Target& target : kTargets) {
    std::filesystem::path folder = std::filesystem::path("tests/fuzz/corpus") / target.name;
    std::size_t inputs = 0;
    SeededRandom random(7);
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      std::ostringstream text;
      text << file.rdbuf();
      std::string bytes = text.str();
      target.run(bytes);
      for (int i = 0; i < kMutationsPerInput; ++i) target.run(mutated(bytes, random));
      ++inputs;
    }
    CHECK_MESSAGE(inputs >= 2, target.name);
  }
}

}  // namespace
}  // namespace fedgate::fuzz
