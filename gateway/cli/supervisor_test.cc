#include "gateway/cli/supervisor.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

using namespace fedgate::cli;
using namespace std::chrono_literals;

namespace {

SupervisorTimes quick() { return {.first_pause = 5ms, .longest_pause = 20ms, .stable_after = 10s, .term_to_kill = 300ms}; }

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

// Steps until it is so, at most ten seconds.
bool until(Supervisor& supervisor, const std::function<bool()>& so) {
  auto end = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < end) {
    supervisor.step(std::chrono::steady_clock::now());
    if (so()) return true;
    ::poll(nullptr, 0, 2);
  }
  return false;
}

}  // namespace

TEST_CASE("supervisor: a child that dies is started again") {
  Supervisor supervisor(quick());
  supervisor.add("dies", shell("exit 1"));
  CHECK(until(supervisor, [&] { return supervisor.starts("dies") >= 3; }));
}

TEST_CASE("supervisor: a child that was killed is started again with a new pid") {
  Supervisor supervisor(quick());
  supervisor.add("stays", shell("exec sleep 100"));
  REQUIRE(until(supervisor, [&] { return supervisor.pid("stays") != 0; }));
  pid_t first = supervisor.pid("stays");
  ::kill(first, SIGKILL);
  CHECK(until(supervisor, [&] { return supervisor.starts("stays") == 2 && supervisor.pid("stays") != 0; }));
  CHECK(supervisor.pid("stays") != first);
}

TEST_CASE("supervisor: a child that exits 78 is named and not started again") {
  Supervisor supervisor(quick());
  supervisor.add("wrong", shell("exit 78"));
  std::optional<std::string> refused;
  auto end = std::chrono::steady_clock::now() + 10s;
  while (!refused && std::chrono::steady_clock::now() < end) {
    refused = supervisor.step(std::chrono::steady_clock::now());
    ::poll(nullptr, 0, 2);
  }
  REQUIRE(refused);
  CHECK(*refused == "wrong");
  CHECK_FALSE(supervisor.next_due());
  CHECK(supervisor.starts("wrong") == 1);
}

TEST_CASE("supervisor: pauses double up to the longest") {
  Supervisor supervisor({.first_pause = 200ms, .longest_pause = 1s, .stable_after = 30s, .term_to_kill = 1s});
  supervisor.add("dies", {"/nonexistent/program"});
  Supervisor::Now now{1h};
  supervisor.step(now);
  std::chrono::milliseconds expected[] = {200ms, 400ms, 800ms, 1000ms, 1000ms};
  for (auto pause : expected) {
    auto end = std::chrono::steady_clock::now() + 10s;
    while (!supervisor.next_due() && std::chrono::steady_clock::now() < end) {
      supervisor.step(now);
      ::poll(nullptr, 0, 2);
    }
    REQUIRE(supervisor.next_due());
    CHECK(*supervisor.next_due() - now == pause);
    now = *supervisor.next_due();
    supervisor.step(now);
  }
}

TEST_CASE("supervisor: after a long life the first pause counts again") {
  Supervisor supervisor({.first_pause = 200ms, .longest_pause = 10s, .stable_after = 30s, .term_to_kill = 1s});
  supervisor.add("lives", shell("exec sleep 100"));
  Supervisor::Now now{1h};
  supervisor.step(now);
  ::kill(supervisor.pid("lives"), SIGKILL);
  now += 31s;
  auto end = std::chrono::steady_clock::now() + 10s;
  while (!supervisor.next_due() && std::chrono::steady_clock::now() < end) {
    supervisor.step(now);
    ::poll(nullptr, 0, 2);
  }
  REQUIRE(supervisor.next_due());
  CHECK(*supervisor.next_due() - now == 200ms);
}

TEST_CASE("supervisor: stop ends children, also one that ignores TERM") {
  Supervisor supervisor(quick());
  supervisor.add("polite", shell("exec sleep 100"));
  std::filesystem::path mark = "/tmp/fedgate-deaf-" + std::to_string(::getpid());
  supervisor.add("deaf", shell("trap '' TERM; : > " + mark.string() + "; while :; do sleep 1; done"));
  REQUIRE(until(supervisor, [&] { return supervisor.pid("polite") != 0 && std::filesystem::exists(mark); }));
  std::filesystem::remove(mark);
  pid_t polite = supervisor.pid("polite"), deaf = supervisor.pid("deaf");
  supervisor.stop();
  CHECK(::kill(polite, 0) == -1);
  CHECK(::kill(deaf, 0) == -1);
  CHECK(supervisor.pid("deaf") == 0);
}
