#include "tests/bench/whole_path/processes.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace fedgate::bench {

namespace fs = std::filesystem;

namespace {

constexpr int kStopLimitMs = 10'000;

void write_private(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
}

std::string end_of(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  std::string all = text.str();
  return all.size() > 2000 ? all.substr(all.size() - 2000) : all;
}

}  // namespace

Processes::Processes(fs::path folder) : folder_(std::move(folder)) { fs::create_directories(folder_); }
Processes::~Processes() { stop(); }

void Processes::write(const nlohmann::json& settings, const std::map<std::string, std::string>& secrets) {
  for (const auto& [name, text] : secrets) write_private(folder_ / name, text);
  write_private(folder_ / "fedgate.json", settings.dump(2));
}

void Processes::start(const std::vector<std::string>& programs) {
  fs::path bin = fs::read_symlink("/proc/self/exe").parent_path();
  std::string file = (folder_ / "fedgate.json").string();
  for (const auto& program : programs) {
    std::string path = (bin / program).string(), option = "-c", log = (folder_ / (program + ".log")).string();
    std::vector<char*> arguments = {path.data(), option.data(), file.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    pid_t pid = 0;
    int failed = ::posix_spawn(&pid, path.c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error(path + " cannot be started");
    children_.push_back({program, pid});
  }
}

void Processes::stop() {
  for (const auto& child : children_) ::kill(child.pid, SIGTERM);
  for (const auto& child : children_) {
    int ended = static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0));
    pollfd wait{ended, POLLIN, 0};
    if (ended < 0 || ::poll(&wait, 1, kStopLimitMs) != 1) ::kill(child.pid, SIGKILL);
    if (ended >= 0) ::close(ended);
    ::waitpid(child.pid, nullptr, 0);
  }
  children_.clear();
}

std::string Processes::logs() const {
  std::string out;
  for (const auto& child : children_) out += "-- end of the log of " + child.program + "\n" + end_of(folder_ / (child.program + ".log"));
  return out;
}

std::map<std::string, double> Processes::cpu_seconds() const {
  std::map<std::string, double> out;
  for (const auto& child : children_) {
    std::ifstream in("/proc/" + std::to_string(child.pid) + "/stat");
    std::string line;
    std::getline(in, line);
    std::istringstream rest(line.substr(std::min(line.size(), line.rfind(')') + 1)));
    std::string field;
    double ticks = 0;
    for (int number = 3; rest >> field; ++number)
      if (number == 14 || number == 15) ticks += std::stod(field);  // proc(5): utime, stime
    out[child.program] = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  return out;
}

}  // namespace fedgate::bench
