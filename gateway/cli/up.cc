#include "gateway/cli/up.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <set>
#include <string>

#include "gateway/cli/admin_client.h"
#include "gateway/cli/supervisor.h"
#include "gateway/base/logger.h"

namespace fedgate::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr milliseconds kLookEvery{100};

// The core is ready and every network of the configuration has an adapter that speaks for it.
bool everything_is_ready(AdminClient& core, const settings::Settings& settings) {
  auto status = core.status();
  if (!status || !status->ready()) return false;
  auto queue = core.queue();
  if (!queue) return false;
  std::set<std::string> attached;
  for (const auto& network : queue->networks())
    if (network.attached()) attached.insert(network.network());
  return std::ranges::all_of(settings.networks, [&](const auto& entry) { return attached.contains(entry.first); });
}

// Blocks the signals and gives the descriptor on which they arrive. Before any other thread exists: threads inherit the mask.
int open_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&wanted, number);
  sigprocmask(SIG_BLOCK, &wanted, nullptr);
  return ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool told_to_stop(int signals) {
  bool stop = false;
  signalfd_siginfo info;
  while (::read(signals, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) stop = stop || info.ssi_signo != SIGCHLD;
  return stop;
}

}  // namespace

int up(const settings::Settings& settings, const std::filesystem::path& programs) {
  std::set<std::string> adapters;
  for (const auto& [name, network] : settings.networks) adapters.insert(network.adapter);
  std::vector<std::string> names{"fedgate-core"};
  for (const auto& adapter : adapters) names.push_back("fedgate-" + adapter);
  for (const auto& name : names)
    if (::access((programs / name).c_str(), X_OK) != 0) {
      std::cerr << "fedgate: " << (programs / name).string() << ": " << std::strerror(errno) << "; it belongs beside fedgate itself\n";
      return 1;
    }

  int signals = open_signals();
  if (signals < 0) {
    std::cerr << "fedgate: signalfd: " << std::strerror(errno) << "\n";
    return 1;
  }
  Supervisor supervisor;
  for (const auto& name : names) supervisor.add(name, {(programs / name).string(), "-c", settings.file.string()});
  AdminClient core(settings.admin, milliseconds(500));
  bool told = false;
  int code = 0;
  for (;;) {
    if (auto refused = supervisor.step(steady_clock::now())) {
      std::cerr << "fedgate: " << *refused << " refuses the configuration " << settings.file.string() << " (its findings are above); stopping\n";
      code = kExitConfiguration;
      break;
    }
    if (!told && everything_is_ready(core, settings)) {
      std::cout << "ready" << std::endl;
      told = true;
    }
    int wait = told ? -1 : static_cast<int>(kLookEvery.count());
    if (auto due = supervisor.next_due()) {
      auto left = std::chrono::duration_cast<milliseconds>(*due - steady_clock::now()).count() + 1;
      int until_due = static_cast<int>(std::clamp<std::int64_t>(left, 0, 10'000));
      wait = wait < 0 ? until_due : std::min(wait, until_due);
    }
    pollfd wanted{signals, POLLIN, 0};
    ::poll(&wanted, 1, wait);
    if (told_to_stop(signals)) break;
  }
  supervisor.stop();
  ::close(signals);
  return code;
}

}  // namespace fedgate::cli
