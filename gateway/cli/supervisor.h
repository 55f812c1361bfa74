// Supervisor: the children of `fedgate up`: started in order, restarted with back-off when they die, ended together.
//
// Owned by `up`; one thread, and that the main one: children are tied to the thread that started them (PR_SET_PDEATHSIG). Ends only what it started, by pid.
// A child that exits with 78 (configuration) is not restarted: that is for a person. Does not read the children's output; they inherit standard error, and their
// standard output goes there too, so that ours stays machine-readable.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace fedgate::cli {

struct SupervisorTimes {
  std::chrono::milliseconds first_pause{200};
  std::chrono::milliseconds longest_pause{10'000};
  std::chrono::milliseconds stable_after{30'000};  // alive this long: the next pause is the first one again
  std::chrono::milliseconds term_to_kill{10'000};
};

inline constexpr int kExitConfiguration = 78;

class Supervisor {
 public:
  using Now = std::chrono::steady_clock::time_point;

  explicit Supervisor(SupervisorTimes times = {}) : times_(times) {}
  ~Supervisor();  // kills what still runs
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // argv[0] is the path of the program.
  void add(std::string name, std::vector<std::string> argv);

  // Reaps and (re)starts what is due. Returns the name of a child that ended with 78; then the caller should stop.
  std::optional<std::string> step(Now now);
  // When step() has something to do next, apart from a child's death.
  std::optional<Now> next_due() const;

  // TERM to all, in reverse order of adding; KILL for those that are still there after term_to_kill. Blocks.
  void stop();

  pid_t pid(const std::string& name) const;  // 0: not running
  unsigned starts(const std::string& name) const;

 private:
  struct Child {
    std::string name;
    std::vector<std::string> argv;
    pid_t pid = 0;
    unsigned starts = 0;
    std::chrono::milliseconds pause{0};
    Now started{};
    Now due{};
  };

  void start(Child& child, Now now);
  void plan_restart(Child& child, Now now, const std::string& why);

  SupervisorTimes times_;
  std::vector<Child> children_;
};

}  // namespace fedgate::cli
