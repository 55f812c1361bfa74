#include "adapters/sdk/adapter_main.h"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <iostream>

#include "gateway/base/logger.h"

namespace fedgate::sdk {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitConfiguration = 78;
constexpr auto kStopLimit = std::chrono::seconds(2);

log::Level level_named(const std::string& name) {
  if (name == "debug") return log::Level::kDebug;
  if (name == "warn") return log::Level::kWarn;
  if (name == "error") return log::Level::kError;
  return log::Level::kInfo;
}

}  // namespace

int run_adapter(int argc, char** argv, const std::string& kind, const MakeAdapter& make) {
  std::string program = "fedgate-" + kind;
  CLI::App app("The " + kind + " adapter of fedgate; usually started by `fedgate up` or systemd.", program);
  std::string file = "fedgate.json";
  app.add_option("-c", file, "configuration file");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  ::signal(SIGPIPE, SIG_IGN);
  auto config = load_adapter_config(file, kind);
  if (!config) {
    std::cerr << program << ": " << config.error().message << "\n";
    return kExitConfiguration;
  }
  log::start(program, level_named(config->log_level));
  boost::asio::io_context context(1);
  auto adapter = make(context, *config);
  if (!adapter) {
    std::cerr << program << ": " << adapter.error().message << "\n";
    return adapter.error().kind == ErrorKind::kInvalid || adapter.error().kind == ErrorKind::kForbidden ? kExitConfiguration : kExitFailed;
  }
  boost::asio::signal_set signals(context, SIGTERM, SIGINT);
  boost::asio::steady_timer limit(context);
  signals.async_wait([&](boost::system::error_code error, int signal) {
    if (error) return;
    log::info(kind, "stopping", {{"signal", signal}});
    (*adapter)->stop();
    limit.expires_after(kStopLimit);
    limit.async_wait([&](boost::system::error_code) { context.stop(); });
  });
  log::info(kind, "starting", {{"networks", config->networks.size()}});
  (*adapter)->start();
  context.run();
  return 0;
}

}  // namespace fedgate::sdk
