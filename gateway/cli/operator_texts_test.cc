#include <doctest/doctest.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/cli/operator_commands.h"

using namespace fedgate;

TEST_CASE("operator texts: a trace shows each step with its time and the time since the one before") {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  v1::TraceReply reply;
  auto* message = reply.add_messages();
  message->set_message_id("m1");
  message->set_network("bpol");
  message->set_native_id("n1");
  message->set_sender("bpol:anna@polizei.example");
  message->set_kind("text");
  message->set_rank(1);
  auto add = [&](std::int64_t at, const char* step, const char* network, const char* detail) {
    auto* out = message->add_steps();
    out->set_at_ms(at);
    out->set_step(step);
    out->set_network(network);
    out->set_detail(detail);
  };
  add(1'772'373'906'000, "accepted", "bpol", "");
  add(0, "queued", "bund", "");
  add(1'772'373'906'250, "refused", "bund", "evil\x1b[2J");
  auto text = cli::trace_text(reply);
  CAPTURE(text);
  CHECK(text.find("kind, level   text, INTERNAL\n") != std::string::npos);
  CHECK(text.find("2026-03-01 14:05:06.000  -        accepted  bpol") != std::string::npos);
  CHECK(text.find("2026-03-01 14:05:06.250  +250 ms  refused   bund     evil\uFFFD[2J") != std::string::npos);
}

TEST_CASE("operator texts: the queue says in words how each network is") {
  v1::QueueReply reply;
  auto* up = reply.add_networks();
  up->set_network("bund");
  up->set_adapter("matrix");
  up->set_attached(true);
  up->set_up(true);
  up->set_waiting(3);
  up->set_oldest_ms(1500);
  auto* gone = reply.add_networks();
  gone->set_network("bpol");
  gone->set_adapter("xmpp");
  auto text = cli::queue_text(reply);
  CAPTURE(text);
  CHECK(text.find("bund     matrix   up          3        0          0         0     1.5 s   -\n") != std::string::npos);
  CHECK(text.find("bpol     xmpp     no adapter  0        0          0         0     -       -\n") != std::string::npos);
}

TEST_CASE("operator texts: empty lists say so, and long ones how much is left out") {
  CHECK(cli::dead_text({}) == "no dead deliveries\n");
  CHECK(cli::links_text({}) == "no links\n");
  v1::DeadListReply reply;
  reply.add_entries()->set_delivery_id("d1");
  reply.set_total(5);
  CHECK(cli::dead_text(reply).ends_with("and 4 more\n"));
}
