// fedgate: the operator's tool. Only the command line is here; what the commands do is beside it.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gateway/base/logger.h"
#include "gateway/cli/check.h"
#include "gateway/cli/operator_commands.h"
#include "gateway/cli/output.h"
#include "gateway/cli/registration.h"
#include "gateway/cli/secret_file.h"
#include "gateway/cli/supervisor.h"
#include "gateway/cli/up.h"
#include "gateway/settings/load.h"

namespace fedgate::cli {
namespace {

struct Options {
  std::string file = "fedgate.json";
  bool json = false;
  std::string id, network;
  std::vector<std::string> ids;
  unsigned limit = 100;
  bool all = false;
};

std::filesystem::path own_folder() {
  std::error_code failed;
  auto own = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? std::filesystem::path(".") : own.parent_path();
}

int run_check(const settings::Settings& settings, bool json) {
  auto results = check_surroundings(settings);
  if (json) {
    static constexpr const char* kGrades[] = {"ok", "warn", "fail"};
    auto list = nlohmann::json::array();
    for (const auto& r : results) list.push_back({{"grade", kGrades[static_cast<int>(r.grade)]}, {"what", r.what}, {"where", r.where}, {"todo", r.todo}});
    std::cout << list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    std::cout << check_text(results);
  }
  return has_failure(results) ? kExitFailed : 0;
}

int run_registration(const settings::Settings& settings, const std::string& name, bool json) {
  const auto* network = settings.network(name);
  if (network == nullptr) {
    std::cerr << "fedgate: the configuration has no network " << printable(name) << "; it has:";
    for (const auto& [known, of] : settings.networks) std::cerr << " " << known;
    std::cerr << "\n";
    return kExitUsage;
  }
  std::string text;
  if (network->matrix) {
    auto as_token = read_secret(network->matrix->as_token);
    auto hs_token = read_secret(network->matrix->hs_token);
    for (const auto* token : {&as_token, &hs_token})
      if (!*token) {
        std::cerr << "fedgate: " << token->error().message << "\n";
        return kExitConfiguration;
      }
    text = matrix_registration(name, *network->matrix, *as_token, *hs_token);
  } else if (network->xmpp) {
    auto secret = read_secret(network->xmpp->secret);
    if (!secret) {
      std::cerr << "fedgate: " << secret.error().message << "\n";
      return kExitConfiguration;
    }
    text = xmpp_snippets(*network->xmpp, *secret);
  } else {
    std::cerr << "fedgate: a network of adapter " << network->adapter << " has no registration\n";
    return kExitFailed;
  }
  if (json) std::cout << nlohmann::json{{"network", name}, {"text", text}}.dump() << "\n";
  else std::cout << text;
  return 0;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{"fedgate: federation gateway for agency messengers"};
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("-c,--config", options.file, "configuration file")->capture_default_str();
  app.add_flag("--json", options.json, "print JSON");
  auto* up_command = app.add_subcommand("up", "run core and adapters until SIGTERM or SIGINT; prints \"ready\"");
  auto* check_command = app.add_subcommand("check", "what is wrong in the configuration and around it");
  auto* registration = app.add_subcommand("registration", "what the administrator of an attached server installs");
  registration->add_option("NETWORK", options.network)->required();
  auto* trace_command = app.add_subcommand("trace", "one message's way, by any of its ids");
  trace_command->add_option("ID", options.id)->required();
  auto* queue_command = app.add_subcommand("queue", "what waits, per network");
  auto* dead = app.add_subcommand("dead", "deliveries that were refused for good");
  dead->require_subcommand(1);
  auto* list = dead->add_subcommand("list", "show them");
  list->add_option("--network", options.network);
  list->add_option("--limit", options.limit)->capture_default_str();
  auto* retry = dead->add_subcommand("retry", "queue them again");
  auto* drop = dead->add_subcommand("drop", "give them up");
  for (auto* change : {retry, drop}) {
    change->add_option("ID", options.ids, "delivery ids");
    change->add_flag("--all", options.all);
    change->add_option("--network", options.network, "with --all: only of this network");
  }
  auto* links_command = app.add_subcommand("links", "bridged rooms");
  links_command->require_subcommand(0, 1);
  auto* activate = links_command->add_subcommand("activate", "carry messages again");
  auto* suspend = links_command->add_subcommand("suspend", "carry no messages for now");
  auto* remove = links_command->add_subcommand("delete", "end the link");
  for (auto* change : {activate, suspend, remove}) change->add_option("ID", options.id)->required();
  auto* version = app.add_subcommand("version", "print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  if (*version) {
    if (options.json) std::cout << "{\"version\":\"" FEDGATE_VERSION "\"}\n";
    else std::cout << "fedgate " FEDGATE_VERSION "\n";
    return 0;
  }
  bool changes_dead = *retry || *drop;
  if (changes_dead && options.all == !options.ids.empty()) {
    std::cerr << "fedgate: give delivery ids, or --all\n";
    return kExitUsage;
  }

  auto loaded = settings::load(options.file);
  for (const auto& finding : loaded.findings) std::cerr << printable(finding.text()) << "\n";
  if (!loaded.settings) return kExitConfiguration;
  const auto& settings = *loaded.settings;
  if ((*up_command || *check_command) && !loaded.policy) return kExitConfiguration;
  if (*up_command) return up(settings, own_folder());
  if (*check_command) return run_check(settings, options.json);
  if (*registration) return run_registration(settings, options.network, options.json);

  AdminClient core(settings.admin);
  Asking asking{core, settings.admin, options.json, std::cout};
  if (*trace_command) return trace(asking, options.id);
  if (*queue_command) return queue(asking);
  if (*list) return dead_list(asking, options.network, options.limit);
  if (*retry) return dead_retry(asking, options.ids, options.network);
  if (*drop) return dead_drop(asking, options.ids, options.network);
  if (*activate) return set_link(asking, options.id, "active");
  if (*suspend) return set_link(asking, options.id, "suspended");
  if (*remove) return set_link(asking, options.id, "deleted");
  return links(asking);
}

}  // namespace
}  // namespace fedgate::cli

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  fedgate::log::start("fedgate", fedgate::log::Level::kInfo);
  return fedgate::cli::run(argc, argv);
}
