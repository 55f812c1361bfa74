// What every measurement shares: a stopwatch, a row of the table, and the calibration loops to which figures are put in ratio.
//
// Values and free functions; one thread. Absolute figures differ from machine to machine and from hour to hour; the ratio to the calibration loop of the same run is what
// a target speaks of.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fedgate::bench {

struct Row {
  std::string name;
  double per_second = 0;
  double micros_each = 0;
  double ratio = 0;           // per_second to that of `calibration`
  std::string calibration;
  double target_ratio = 0;    // 0 = none
  std::string note;
};

struct Calibration {
  double sha256_1k_per_second = 0;
  double fdatasync_4k_per_second = 0;
};

// sha256 of 1 KiB per second of the machine for which the targets were written; a target in messages per second becomes a ratio by it.
inline constexpr double kReferenceSha256 = 1430000;

Calibration calibrate(const std::string& folder, bool smoke);

// Runs `step` (which does `per_step` operations) until `seconds` have passed; the best of three rounds in operations per second.
double rate(double seconds, std::uint64_t per_step, const std::function<void()>& step);

void measure_stages(const Calibration& calibration, const std::string& folder, bool smoke, std::vector<Row>& rows);
void measure_store(const Calibration& calibration, const std::string& folder, bool smoke, std::vector<Row>& rows);
// Homeservers and XMPP servers played by this program, the real processes between them.
void measure_whole_path(const Calibration& calibration, const std::string& folder, bool smoke, std::vector<Row>& rows);
void measure_correlation(const Calibration& calibration, const std::string& folder, bool smoke, std::vector<Row>& rows);
// A real fedgate-core over its unix socket, both adapters played by this program with frames of 1, 32 and 128 envelopes.
void measure_link(const Calibration& calibration, const std::string& folder, bool smoke, std::vector<Row>& rows);
void measure_core(const Calibration& calibration, const std::string& folder, bool smoke, std::vector<Row>& rows);

}  // namespace fedgate::bench
