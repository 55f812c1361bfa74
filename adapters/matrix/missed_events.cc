#include "adapters/matrix/missed_events.h"

#include <algorithm>
#include <charconv>

#include "adapters/matrix/from_wire.h"
#include "adapters/matrix/ids.h"
#include "gateway/base/clock.h"
#include "gateway/base/logger.h"

namespace fedgate::matrix {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr int kPagesMax = 10;
constexpr std::int64_t kMarginMs = 60'000;          // also what the clocks of both may differ
constexpr std::int64_t kKeepEveryMs = 30'000;
constexpr std::int64_t kRecoveryLastsMs = 120'000;
constexpr const char* kContactKey = "contact";

std::int64_t now_ms() { return SystemClock().wall_ms(); }

std::int64_t number(std::string_view text) {
  std::int64_t out = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? out : -1;
}

}  // namespace

asio::awaitable<void> MissedEvents::contact() {
  if (away_) co_return;
  last_contact_ms_ = now_ms();
  if (last_contact_ms_ - kept_contact_ms_ < kKeepEveryMs) co_return;
  kept_contact_ms_ = last_contact_ms_;
  auto kept = co_await link_.remember(config_.network, kContactKey, std::to_string(last_contact_ms_));
  if (!kept) log::warn("matrix", "the time of the last contact is not remembered", {{"network", config_.network}, {"why", kept.error().message}});
}

void MissedEvents::recovered() {
  if (!std::exchange(away_, false)) return;
  outage_ended_ms_ = now_ms();
  std::int64_t last = last_contact_ms_ != 0 ? last_contact_ms_ : number(link_.recall(config_.network, kContactKey).value_or(""));
  // The first time ever: what was written before is none of our business.
  std::int64_t since = last > 0 ? last - kMarginMs : outage_ended_ms_;
  if (suspected_.empty() || since < since_ms_) since_ms_ = since;
  suspect_again();
}

void MissedEvents::suspect_again() {
  if (now_ms() - outage_ended_ms_ > kRecoveryLastsMs) return;
  constexpr std::string_view kPrefix = "room/";
  for (const auto& [key, value] : link_.recall_prefix(config_.network, std::string(kPrefix))) suspected_.insert(key.substr(kPrefix.size()));
  for (const auto& id : rooms_.bridged_ids()) suspected_.insert(id);
}

bool MissedEvents::gap_before(const std::string& transaction) {
  std::int64_t id = number(transaction);
  std::int64_t last = std::exchange(last_transaction_, id);
  if (id < 0 || last < 0 || now_ms() - outage_ended_ms_ > kRecoveryLastsMs) return false;
  return id != last && id != last + 1;
}

asio::awaitable<Answer<std::vector<json::object>>> MissedEvents::read(std::string room) {
  std::vector<json::object> events;
  auto direct = directs_.of_room(room);
  std::string reader = direct && !direct->remote.network.empty() ? ghost_id(config_, direct->remote.network, direct->remote.native_id) : "";
  std::string from;
  bool all = false;
  for (int page = 0; page < kPagesMax && !all; ++page) {
    std::string query = "dir=b&limit=100" + (from.empty() ? "" : "&from=" + sdk::percent_encode(from));
    auto answer = co_await homeserver_.call("GET", "/_matrix/client/v3/rooms/" + sdk::percent_encode(room) + "/messages", reader, {}, std::move(query));
    if (!answer) {
      if (answer.error().may_pass()) co_return std::unexpected(answer.error());
      break;  // a room that we are not in any more
    }
    const json::value* chunk = answer->if_contains("chunk");
    if (chunk == nullptr || !chunk->is_array() || chunk->as_array().empty()) break;
    for (const auto& value : chunk->as_array()) {
      if (!value.is_object()) continue;
      auto head = head_of(value.as_object());
      if (!head) continue;
      all = head->at_ms < since_ms_;
      if (all) break;
      if (!head->state_key && !is_ours(config_, head->sender)) events.push_back(value.as_object());
    }
    from = text_at(*answer, "end");
    if (from.empty()) break;
  }
  suspected_.erase(room);
  std::reverse(events.begin(), events.end());
  co_return events;
}

}  // namespace fedgate::matrix
