// Matrix in → XMPP out and XMPP in → Matrix out through fedgate-core, fedgate-matrix and fedgate-xmpp, with the load generator on the same processors.
#include <cstdio>

#include "tests/bench/measure.h"
#include "tests/bench/whole_path/town.h"

namespace fedgate::bench {
namespace {

std::string note_of(const Round& round) {
  std::string out = "CPU us each:";
  for (const auto& [program, micros] : round.cpu_us_each) {
    char text[64];
    std::snprintf(text, sizeof text, " %s %.0f", program.c_str(), micros);
    out += text;
  }
  return out;
}

}  // namespace

void measure_whole_path(const Calibration& calibration, const std::string& folder, bool smoke, std::vector<Row>& rows) {
  double seconds = smoke ? 0.3 : 5.0;
  auto add = [&](std::string name, double per_second, double target, std::string note) {
    rows.push_back({std::move(name), per_second, per_second > 0 ? 1e6 / per_second : 0, per_second / calibration.sha256_1k_per_second, "sha256 of 1 KiB",
                    target / kReferenceSha256, std::move(note)});
  };
  Town town(folder + "/whole-path");
  town.flood_to_xmpp(10, smoke ? 0.2 : 1.0);  // names, connections and caches are there from here on
  Round single = town.flood_to_xmpp(1, seconds);
  add("Matrix to XMPP, 1 event per transaction", single.per_second(), 10000, note_of(single));
  Round ten = town.flood_to_xmpp(10, seconds);
  add("Matrix to XMPP, 10 events per transaction", ten.per_second(), 30000, note_of(ten));
  Round hundred = town.flood_to_xmpp(100, seconds);
  add("Matrix to XMPP, 100 events per transaction", hundred.per_second(), 30000, note_of(hundred));
  Round half = town.paced_to_xmpp(single.per_second() / 2, seconds);
  add("Matrix to XMPP, half load, latency p50", 1e6 / half.p50_us, 1e6 / 1500, note_of(half));
  add("Matrix to XMPP, half load, latency p99", 1e6 / half.p99_us, 1e6 / 10000, "");
  town.flood_to_matrix(1, smoke ? 0.2 : 1.0);
  Round back = town.flood_to_matrix(4, seconds);
  add("XMPP to Matrix, one request each", back.per_second(), 6000, note_of(back));
}

}  // namespace fedgate::bench
