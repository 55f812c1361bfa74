// Arrivals: writes the marker into every measured text and checks at the other end that each came once and in the order of its conversation.
//
// One thread. A marker is "fgbench CONVERSATION NUMBER NANOSECONDS "; the time is when the message was due, so that a generator that runs late counts as latency.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fedgate::bench {

using SteadyTime = std::chrono::steady_clock::time_point;

class Arrivals {
 public:
  Arrivals(std::size_t conversations, std::size_t text_bytes) : next_(conversations, 0), expected_(conversations, 0), text_bytes_(text_bytes) {}

  // The next text of that conversation.
  std::string text(std::size_t conversation, SteadyTime due);
  // `bytes` holds a marker somewhere; without one it is counted as a stranger. The conversation, or SIZE_MAX.
  std::size_t arrived(std::string_view bytes);

  std::uint64_t sent() const { return sent_; }
  std::uint64_t received() const { return received_; }
  bool complete() const { return received_ == sent_; }
  SteadyTime last() const { return last_; }
  // What must be 0: lost in between, doubled, overtaken.
  std::uint64_t out_of_order() const { return out_of_order_; }
  // Other texts, and the beginning of the first.
  std::uint64_t strangers() const { return strangers_; }
  const std::string& first_stranger() const { return first_stranger_; }

  // Of this round, in microseconds; `share` in 0…1. 0 without arrivals.
  double latency_us(double share);
  void begin_round() { latencies_ns_.clear(); }

 private:
  std::vector<std::uint64_t> next_, expected_;
  std::vector<std::int64_t> latencies_ns_;
  std::size_t text_bytes_;
  std::uint64_t sent_ = 0, received_ = 0, out_of_order_ = 0, strangers_ = 0;
  std::string first_stranger_;
  SteadyTime last_{};
};

}  // namespace fedgate::bench
