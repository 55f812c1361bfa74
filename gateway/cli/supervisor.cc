#include "gateway/cli/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ranges>
#include <utility>

#include "gateway/base/logger.h"

namespace fedgate::cli {
namespace {

// Between fork and exec only what is safe there: other threads of ours may have held any lock.
[[noreturn]] void become(char* const* argv, pid_t parent) {
  // Handlers first, mask last: a signal that comes now must end this child as it would end the program it becomes.
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);  // the parent died before the line above
  dup2(STDERR_FILENO, STDOUT_FILENO);
  execv(argv[0], argv);
  static constexpr char kFailed[] = "fedgate: cannot execute ";
  [[maybe_unused]] auto a = write(STDERR_FILENO, kFailed, sizeof kFailed - 1);
  [[maybe_unused]] auto b = write(STDERR_FILENO, argv[0], std::strlen(argv[0]));
  [[maybe_unused]] auto c = write(STDERR_FILENO, "\n", 1);
  _exit(127);
}

std::string how_it_ended(int status) {
  if (WIFEXITED(status)) return "exit " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "status " + std::to_string(status);
}

}  // namespace

Supervisor::~Supervisor() {
  for (auto& child : children_) {
    if (child.pid == 0) continue;
    ::kill(child.pid, SIGKILL);
    ::waitpid(child.pid, nullptr, 0);
  }
}

void Supervisor::add(std::string name, std::vector<std::string> argv) {
  Child child;
  child.name = std::move(name);
  child.argv = std::move(argv);
  children_.push_back(std::move(child));
}

void Supervisor::start(Child& child, Now now) {
  std::vector<char*> argv;
  for (auto& argument : child.argv) argv.push_back(argument.data());
  argv.push_back(nullptr);
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  pid_t parent = ::getpid();
  pid_t pid = ::fork();
  if (pid == 0) become(argv.data(), parent);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    plan_restart(child, now, std::string("fork: ") + std::strerror(errno));
    return;
  }
  child.pid = pid;
  child.started = now;
  ++child.starts;
  log::info("up", "started", {{"child", child.name}, {"pid", static_cast<std::int64_t>(pid)}});
}

void Supervisor::plan_restart(Child& child, Now now, const std::string& why) {
  bool was_stable = child.started != Now{} && now - child.started >= times_.stable_after;
  child.pause = was_stable || child.pause.count() == 0 ? times_.first_pause : std::min(child.pause * 2, times_.longest_pause);
  child.due = now + child.pause;
  log::warn("up", "child ended, will be started again", {{"child", child.name}, {"how", why}, {"pause_ms", static_cast<std::int64_t>(child.pause.count())}});
}

std::optional<std::string> Supervisor::step(Now now) {
  std::optional<std::string> refused;
  for (auto& child : children_) {
    if (child.pid != 0) {
      int status = 0;
      if (::waitpid(child.pid, &status, WNOHANG) != child.pid) continue;
      child.pid = 0;
      if (WIFEXITED(status) && WEXITSTATUS(status) == kExitConfiguration) {
        child.due = Now::max();
        if (!refused) refused = child.name;
        continue;
      }
      plan_restart(child, now, how_it_ended(status));
    }
    if (!refused && child.pid == 0 && child.due <= now) start(child, now);
  }
  return refused;
}

std::optional<Supervisor::Now> Supervisor::next_due() const {
  std::optional<Now> next;
  for (auto& child : children_)
    if (child.pid == 0 && child.due != Now::max() && (!next || child.due < *next)) next = child.due;
  return next;
}

void Supervisor::stop() {
  for (auto& child : std::views::reverse(children_))
    if (child.pid != 0) ::kill(child.pid, SIGTERM);
  auto until = std::chrono::steady_clock::now() + times_.term_to_kill;
  for (;;) {
    bool alive = false;
    for (auto& child : children_) {
      if (child.pid != 0 && ::waitpid(child.pid, nullptr, WNOHANG) == child.pid) child.pid = 0;
      alive = alive || child.pid != 0;
    }
    if (!alive) return;
    if (std::chrono::steady_clock::now() >= until) break;
    ::poll(nullptr, 0, 10);
  }
  for (auto& child : children_) {
    if (child.pid == 0) continue;
    log::warn("up", "child did not stop in time, killing it", {{"child", child.name}, {"pid", static_cast<std::int64_t>(child.pid)}});
    ::kill(child.pid, SIGKILL);
    ::waitpid(child.pid, nullptr, 0);
    child.pid = 0;
  }
}

pid_t Supervisor::pid(const std::string& name) const {
  for (auto& child : children_)
    if (child.name == name) return child.pid;
  return 0;
}

unsigned Supervisor::starts(const std::string& name) const {
  for (auto& child : children_)
    if (child.name == name) return child.starts;
  return 0;
}

}  // namespace fedgate::cli
