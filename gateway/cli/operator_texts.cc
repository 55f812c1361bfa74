#include "gateway/cli/operator_commands.h"
#include "gateway/cli/output.h"

namespace fedgate::cli {
namespace {

const char* rank_name(unsigned rank) {
  static constexpr const char* kNames[] = {"OPEN", "INTERNAL", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOPSECRET"};
  return rank < 6 ? kNames[rank] : "?";
}

}  // namespace

std::string trace_text(const v1::TraceReply& reply) {
  std::string out;
  for (const auto& message : reply.messages()) {
    if (!out.empty()) out += "\n";
    out += "message       " + printable(message.message_id()) + "\n";
    out += "origin        " + printable(message.network()) + "  " + printable(message.native_id()) + "\n";
    out += "sender        " + printable(message.sender()) + "\n";
    out += "conversation  " + printable(message.conversation()) + "\n";
    out += "kind, level   " + printable(message.kind()) + ", " + rank_name(message.rank()) + "\n";
    std::vector<std::vector<std::string>> rows;
    std::int64_t before = 0;
    for (const auto& step : message.steps()) {
      std::string since = step.at_ms() != 0 && before != 0 ? "+" + duration(step.at_ms() - before) : "";
      if (step.at_ms() != 0) before = step.at_ms();
      rows.push_back({local_time(step.at_ms()), since, step.step(), step.network(), step.detail(), step.delivery_id()});
    }
    out += table({"time", "since", "step", "network", "what", "delivery"}, rows);
  }
  return out;
}

std::string queue_text(const v1::QueueReply& reply) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& n : reply.networks())
    rows.push_back({n.network(), n.adapter(), n.attached() ? (n.up() ? "up" : "down") : "no adapter", std::to_string(n.waiting()), std::to_string(n.in_flight()),
                    std::to_string(n.retrying()), std::to_string(n.dead()), n.waiting() == 0 ? "" : duration(n.oldest_ms()), n.problem()});
  return table({"network", "adapter", "state", "waiting", "in flight", "retrying", "dead", "oldest", "problem"}, rows);
}

std::string dead_text(const v1::DeadListReply& reply) {
  if (reply.entries().empty()) return "no dead deliveries\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& e : reply.entries())
    rows.push_back({e.delivery_id(), e.network(), e.target(), e.origin(), local_time(e.died_at_ms()), std::to_string(e.attempts()), e.reason_code(), e.reason()});
  auto out = table({"delivery", "network", "target", "origin", "died", "attempts", "reason", "detail"}, rows);
  auto shown = static_cast<std::uint64_t>(reply.entries_size());
  if (reply.total() > shown) out += "and " + std::to_string(reply.total() - shown) + " more\n";
  return out;
}

std::string links_text(const v1::LinksReply& reply) {
  if (reply.links().empty()) return "no links\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& link : reply.links()) {
    bool first = true;
    for (const auto& end : link.ends()) {
      std::string presence = !end.problem().empty() ? end.problem() : end.joined() ? "joined" : "not joined";
      rows.push_back(first ? std::vector<std::string>{link.id(), link.state(), link.from_configuration() ? "configuration" : "room command", end.network(), end.room(), presence, link.note()}
                           : std::vector<std::string>{" ", " ", " ", end.network(), end.room(), presence, " "});
      first = false;
    }
    if (first) rows.push_back({link.id(), link.state(), link.from_configuration() ? "configuration" : "room command", "", "", "", link.note()});
  }
  return table({"link", "state", "made by", "network", "room", "presence", "note"}, rows);
}

}  // namespace fedgate::cli
