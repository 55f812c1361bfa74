#include "tests/bench/whole_path/arrivals.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace fedgate::bench {

namespace {

constexpr std::string_view kMarker = "fgbench ";

std::int64_t nanoseconds(SteadyTime at) { return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count(); }

template <class Number>
bool take(const char*& at, const char* end, Number& out) {
  auto [next, error] = std::from_chars(at, end, out);
  if (error != std::errc() || next == end || *next != ' ') return false;
  at = next + 1;
  return true;
}

}  // namespace

std::string Arrivals::text(std::size_t conversation, SteadyTime due) {
  ++sent_;
  std::string out(kMarker);
  out += std::to_string(conversation) + " " + std::to_string(next_[conversation]++) + " " + std::to_string(nanoseconds(due)) + " ";
  if (out.size() < text_bytes_) out.append(text_bytes_ - out.size(), 'x');
  return out;
}

std::size_t Arrivals::arrived(std::string_view bytes) {
  std::size_t at = bytes.find(kMarker);
  std::size_t conversation = 0;
  std::uint64_t number = 0;
  std::int64_t due = 0;
  const char* end = bytes.data() + bytes.size();
  const char* from = at == std::string_view::npos ? end : bytes.data() + at + kMarker.size();
  if (!take(from, end, conversation) || !take(from, end, number) || !take(from, end, due) || conversation >= expected_.size()) {
    if (strangers_++ == 0) first_stranger_ = bytes.substr(0, 400);
    return std::numeric_limits<std::size_t>::max();
  }
  if (number != expected_[conversation]) ++out_of_order_;
  expected_[conversation] = number + 1;
  ++received_;
  last_ = std::chrono::steady_clock::now();
  latencies_ns_.push_back(nanoseconds(last_) - due);
  return conversation;
}

double Arrivals::latency_us(double share) {
  if (latencies_ns_.empty()) return 0;
  auto at = latencies_ns_.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(latencies_ns_.size() - 1));
  std::nth_element(latencies_ns_.begin(), at, latencies_ns_.end());
  return static_cast<double>(*at) / 1000.0;
}

}  // namespace fedgate::bench
