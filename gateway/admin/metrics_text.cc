#include "gateway/admin/metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>
#include <utility>
#include <vector>

namespace fedgate::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

class Families {
 public:
  // Until the next begin(), add() adds to this family.
  void begin(std::string name, MetricType type, std::string help) {
    families_.push_back(MetricFamily{std::move(name), std::move(help), type, {}});
  }
  void add(Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (families_.back().type == MetricType::Counter) metric.counter.value = value;
    else metric.gauge.value = value;
    families_.back().metric.push_back(std::move(metric));
  }
  void add(Labels labels, const pipeline::Histogram& histogram) {
    ClientMetric metric;
    metric.label = std::move(labels);
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
      cumulative += histogram.counts[i];
      double bound = i < pipeline::Histogram::kBounds.size() ? pipeline::Histogram::kBounds[i] : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({cumulative, bound});
    }
    metric.histogram.sample_count = cumulative;
    metric.histogram.sample_sum = histogram.sum;
    families_.back().metric.push_back(std::move(metric));
  }
  void one(std::string name, MetricType type, std::string help, double value) {
    begin(std::move(name), type, std::move(help));
    add(Labels{}, value);
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

double number(std::uint64_t value) { return static_cast<double>(value); }

void add_networks(Families& out, const pipeline::Stats& stats) {
  auto each = [&](std::string name, MetricType type, std::string help, auto value_of) {
    out.begin(std::move(name), type, std::move(help));
    for (const auto& [network, of] : stats.networks) out.add(Labels{{"network", network}}, static_cast<double>(value_of(of)));
  };
  using N = pipeline::NetworkStats;
  out.begin("fedgate_accepted_total", MetricType::Counter, "Envelopes of this network that were committed, by kind.");
  for (const auto& [network, of] : stats.networks)
    for (int kind = 0; kind < model::kKinds; ++kind)
      out.add(Labels{{"network", network}, {"kind", std::string(to_text(static_cast<model::Kind>(kind)))}}, number(of.accepted[static_cast<std::size_t>(kind)]));
  out.begin("fedgate_deliveries_total", MetricType::Counter, "Message deliveries towards this network that came to an end, by outcome.");
  for (const auto& [network, of] : stats.networks)
    for (int outcome = 1; outcome < model::kOutcomes; ++outcome)
      out.add(Labels{{"network", network}, {"outcome", std::string(to_text(static_cast<model::Outcome>(outcome)))}},
              number(of.deliveries[static_cast<std::size_t>(outcome)]));
  each("fedgate_queued_total", MetricType::Counter, "Message deliveries ever queued towards this network.", [](const N& n) { return n.targets; });
  each("fedgate_notices_delivered_total", MetricType::Counter, "Notices to senders that this network took.", [](const N& n) { return n.notices_delivered; });
  each("fedgate_duplicates_total", MetricType::Counter, "Submissions that had been accepted before.", [](const N& n) { return n.duplicates; });
  each("fedgate_lane_waiting", MetricType::Gauge, "Deliveries towards this network that have not ended.", [](const N& n) { return n.waiting; });
  each("fedgate_lane_oldest_seconds", MetricType::Gauge, "Age of the oldest delivery that waits for this network.", [](const N& n) { return n.oldest_seconds; });
  each("fedgate_dead", MetricType::Gauge, "Deliveries that this network refused for good and that wait for the operator.", [](const N& n) { return n.dead; });
  each("fedgate_link_up", MetricType::Gauge, "1 while an adapter speaks for this network and reaches it.", [](const N& n) { return n.link_up ? 1 : 0; });
  each("fedgate_link_credit", MetricType::Gauge, "Deliveries that the adapter would take now.", [](const N& n) { return n.deliver_credit; });
  out.begin("fedgate_ignored_total", MetricType::Counter, "Submissions that needed no carrying, by reason.");
  for (const auto& [network, of] : stats.networks)
    for (const auto& [reason, count] : of.ignored) out.add(Labels{{"network", network}, {"reason", reason}}, number(count));
  out.begin("fedgate_retries_total", MetricType::Counter, "Attempts that this network put off, by reason.");
  for (const auto& [network, of] : stats.networks)
    for (const auto& [reason, count] : of.retries) out.add(Labels{{"network", network}, {"reason", reason}}, number(count));
}

void add_decisions(Families& out, const pipeline::Stats& stats) {
  out.begin("fedgate_decisions_total", MetricType::Counter, "Policy decisions, one per envelope and target network, by realms.");
  for (const auto& [key, count] : stats.decisions) {
    const auto& [source, target, verdict, reason] = key;
    out.add(Labels{{"source", source}, {"target", target}, {"verdict", verdict}, {"reason", reason}}, number(count));
  }
  out.begin("fedgate_rule_hits_total", MetricType::Counter, "Decisions that this policy rule made.");
  for (const auto& [rule, count] : stats.rule_hits) out.add(Labels{{"rule", rule}}, number(count));
  out.begin("fedgate_limit_hits_total", MetricType::Counter, "How often the limit of this name in the configuration was reached.");
  for (const auto& [limit, count] : stats.limit_hits) out.add(Labels{{"limit", limit}}, number(count));
  out.one("fedgate_held", MetricType::Gauge, "Envelopes that wait for a reviewer.", 0);
}

void add_store(Families& out, const pipeline::Stats& stats) {
  out.begin("fedgate_stage_seconds", MetricType::Histogram, "Time that messages spend in a stage.");
  out.add(Labels{{"stage", "accept_to_commit"}}, stats.accept_to_commit);
  out.add(Labels{{"stage", "commit_to_settle"}}, stats.commit_to_settle);
  out.begin("fedgate_commit_seconds", MetricType::Histogram, "Time until a group commit was durable.");
  out.add(Labels{}, stats.commit_seconds);
  out.one("fedgate_commits_total", MetricType::Counter, "Group commits.", number(stats.commits));
  out.one("fedgate_commit_records", MetricType::Counter, "Records in all group commits.", number(stats.commit_records));
  out.one("fedgate_store_failures_total", MetricType::Counter, "Writes that the store refused.", number(stats.store_failures));
  out.one("fedgate_conservation_difference", MetricType::Gauge, "Accepted deliveries less ended and waiting ones: always 0, anything else is lost or invented mail.",
          static_cast<double>(stats.conservation_difference));
}

}  // namespace

ProcessStats ProcessStats::read() {
  ProcessStats out;
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  // Fields are counted behind the command name, which may hold spaces: utime and stime are the 12th and 13th, rss the 22nd.
  auto behind = line.rfind(')');
  if (behind != std::string::npos) {
    std::vector<std::string> fields;
    std::size_t at = behind + 2;
    while (at < line.size()) {
      auto end = line.find(' ', at);
      if (end == std::string::npos) end = line.size();
      fields.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    if (fields.size() > 21) {
      double ticks = std::strtod(fields[11].c_str(), nullptr) + std::strtod(fields[12].c_str(), nullptr);
      out.cpu_seconds = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
      out.resident_bytes = std::strtoull(fields[21].c_str(), nullptr, 10) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
  }
  std::error_code failed;
  for (std::filesystem::directory_iterator it("/proc/self/fd", failed), end; !failed && it != end; it.increment(failed)) ++out.open_fds;
  return out;
}

std::string metrics_text(const pipeline::Stats& stats, const BuildFacts& build, const ProcessStats& process) {
  Families out;
  add_networks(out, stats);
  add_decisions(out, stats);
  add_store(out, stats);
  out.begin("fedgate_build_info", MetricType::Gauge, "The running program.");
  out.add(Labels{{"gateway", build.gateway}, {"version", build.version}}, 1);
  out.begin("fedgate_policy_info", MetricType::Gauge, "The policy in force.");
  out.add(Labels{{"id", build.policy_id}, {"version", std::to_string(build.policy_version)}, {"sha256", build.policy_sha256}}, 1);
  out.one("process_cpu_seconds_total", MetricType::Counter, "User and system CPU time of the core.", process.cpu_seconds);
  out.one("process_resident_memory_bytes", MetricType::Gauge, "Resident memory of the core.", number(process.resident_bytes));
  out.one("process_open_fds", MetricType::Gauge, "Open file descriptors of the core.", number(process.open_fds));
  return out.text();
}

}  // namespace fedgate::admin
