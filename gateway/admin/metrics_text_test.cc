#include "gateway/admin/metrics_text.h"

#include <doctest/doctest.h>

using namespace fedgate;

namespace {

bool has_line(const std::string& text, const std::string& line) { return ("\n" + text).find("\n" + line + "\n") != std::string::npos; }

}  // namespace

TEST_CASE("metrics: every counter of the pipeline appears under its name and labels") {
  pipeline::Stats stats;
  auto& bund = stats.networks["bund"];
  bund.accepted[static_cast<std::size_t>(model::Kind::kText)] = 7;
  bund.deliveries[static_cast<std::size_t>(model::Outcome::kDelivered)] = 5;
  bund.waiting = 2;
  bund.oldest_seconds = 1.5;
  bund.dead = 1;
  bund.link_up = true;
  bund.deliver_credit = 128;
  bund.retries["unreachable"] = 3;
  stats.decisions[{"de-fed", "de-state", "deny", "no_rule"}] = 4;
  stats.limit_hits["text_bytes_max"] = 6;
  stats.accept_to_commit.observe(0.002);
  stats.commit_seconds.observe(0.0002);
  stats.commit_seconds.observe(99);
  stats.commit_records = 11;
  stats.conservation_difference = -1;
  auto text = admin::metrics_text(stats, {.gateway = "gw", .version = "0.1.0", .policy_id = "p", .policy_sha256 = "abc", .policy_version = 3}, {.cpu_seconds = 1.25, .resident_bytes = 4096, .open_fds = 9});
  CAPTURE(text);
  CHECK(has_line(text, R"(fedgate_accepted_total{network="bund",kind="text"} 7)"));
  CHECK(has_line(text, R"(fedgate_deliveries_total{network="bund",outcome="delivered"} 5)"));
  CHECK(has_line(text, R"(fedgate_lane_waiting{network="bund"} 2)"));
  CHECK(has_line(text, R"(fedgate_lane_oldest_seconds{network="bund"} 1.5)"));
  CHECK(has_line(text, R"(fedgate_dead{network="bund"} 1)"));
  CHECK(has_line(text, R"(fedgate_link_up{network="bund"} 1)"));
  CHECK(has_line(text, R"(fedgate_link_credit{network="bund"} 128)"));
  CHECK(has_line(text, R"(fedgate_retries_total{network="bund",reason="unreachable"} 3)"));
  CHECK(has_line(text, R"(fedgate_decisions_total{source="de-fed",target="de-state",verdict="deny",reason="no_rule"} 4)"));
  CHECK(has_line(text, R"(fedgate_limit_hits_total{limit="text_bytes_max"} 6)"));
  CHECK(has_line(text, R"(fedgate_stage_seconds_count{stage="accept_to_commit"} 1)"));
  CHECK(has_line(text, R"(fedgate_commit_seconds_bucket{le="2.5"} 1)"));
  CHECK(has_line(text, R"(fedgate_commit_seconds_bucket{le="+Inf"} 2)"));
  CHECK(has_line(text, "fedgate_commit_records 11"));
  CHECK(has_line(text, "fedgate_conservation_difference -1"));
  CHECK(has_line(text, R"(fedgate_build_info{gateway="gw",version="0.1.0"} 1)"));
  CHECK(has_line(text, R"(fedgate_policy_info{id="p",version="3",sha256="abc"} 1)"));
  CHECK(has_line(text, "process_cpu_seconds_total 1.25"));
  CHECK(has_line(text, "process_resident_memory_bytes 4096"));
  CHECK(has_line(text, "process_open_fds 9"));
  CHECK(text.find("# HELP fedgate_accepted_total ") != std::string::npos);
  CHECK(text.find("# TYPE fedgate_stage_seconds histogram") != std::string::npos);
}

TEST_CASE("metrics: label values are escaped") {
  pipeline::Stats stats;
  stats.limit_hits["a\"b\\c\nd"] = 1;
  auto text = admin::metrics_text(stats, {}, {});
  CHECK(has_line(text, R"(fedgate_limit_hits_total{limit="a\"b\\c\nd"} 1)"));
}

TEST_CASE("metrics: this process has memory and open files") {
  auto process = admin::ProcessStats::read();
  CHECK(process.resident_bytes > 100'000);
  CHECK(process.open_fds >= 3);
}
