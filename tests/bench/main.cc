// fedgate-bench [--json FILE] [--smoke] [PART…]: one table of what each stage does per second, each as a ratio to a calibration loop of the same run.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "tests/bench/measure.h"

namespace {

using fedgate::bench::Calibration;
using fedgate::bench::Row;

void print_table(const Calibration& calibration, const std::vector<Row>& rows) {
  std::printf("calibration: sha256 of 1 KiB %.0f/s, fdatasync of 4 KiB %.0f/s\n\n", calibration.sha256_1k_per_second,
              calibration.fdatasync_4k_per_second);
  std::printf("%-44s %14s %12s %10s %10s    %s\n", "stage", "per second", "us each", "ratio", "target", "to");
  for (const Row& row : rows)
    std::printf("%-44s %14.0f %12.3f %10.4f %10.4f%s  %s%s%s\n", row.name.c_str(), row.per_second, row.micros_each, row.ratio, row.target_ratio,
                row.target_ratio > 0 && row.ratio < row.target_ratio ? " -" : "  ", row.calibration.c_str(), row.note.empty() ? "" : "; ", row.note.c_str());
}

void write_json(const std::string& path, const Calibration& calibration, const std::vector<Row>& rows) {
  nlohmann::json out;
  out["calibration"] = {{"sha256_1k_per_second", calibration.sha256_1k_per_second}, {"fdatasync_4k_per_second", calibration.fdatasync_4k_per_second}};
  for (const Row& row : rows)
    out["rows"].push_back({{"name", row.name}, {"per_second", row.per_second}, {"micros_each", row.micros_each}, {"ratio", row.ratio},
                           {"calibration", row.calibration}, {"target_ratio", row.target_ratio}, {"note", row.note}});
  std::ofstream file(path);
  file << out.dump(2) << '\n';
  if (!file.flush()) {
    std::fprintf(stderr, "fedgate-bench: cannot write %s\n", path.c_str());
    std::exit(1);
  }
}

struct Part {
  const char* name;
  void (*measure)(const Calibration&, const std::string& folder, bool smoke, std::vector<Row>&);
};
constexpr Part kParts[] = {{"stages", fedgate::bench::measure_stages}, {"store", fedgate::bench::measure_store}, {"core", fedgate::bench::measure_core},
                           {"correlation", fedgate::bench::measure_correlation}, {"link", fedgate::bench::measure_link}, {"whole-path", fedgate::bench::measure_whole_path}};

}  // namespace

int main(int argc, char** argv) {
  bool smoke = false;
  std::string json;
  std::set<std::string_view> parts;
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (argument == "--smoke") {
      smoke = true;
    } else if (argument == "--json" && i + 1 < argc) {
      json = argv[++i];
    } else if (std::any_of(std::begin(kParts), std::end(kParts), [&](const Part& part) { return argument == part.name; })) {
      parts.insert(argument);
    } else {
      std::fprintf(stderr, "usage: fedgate-bench [--json FILE] [--smoke] [PART...]\nparts:");
      for (const Part& part : kParts) std::fprintf(stderr, " %s", part.name);
      std::fprintf(stderr, "\n");
      return 2;
    }
  }
  std::string pattern = (std::filesystem::temp_directory_path() / "fedgate-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    std::perror("fedgate-bench: temporary folder");
    return 1;
  }
  std::vector<Row> rows;
  Calibration calibration = fedgate::bench::calibrate(pattern, smoke);
  bool complete = true;
  try {
    for (const Part& part : kParts)
      if (parts.empty() || parts.contains(part.name)) part.measure(calibration, pattern, smoke, rows);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fedgate-bench: %s\n", error.what());
    complete = false;
  }
  std::filesystem::remove_all(pattern);
  print_table(calibration, rows);
  if (!json.empty()) write_json(json, calibration, rows);
  return complete ? 0 : 1;
}
