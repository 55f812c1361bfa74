#include "gateway/cli/check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gateway/base/clock.h"
#include "gateway/cli/admin_client.h"
#include "gateway/cli/http_probe.h"
#include "gateway/cli/output.h"
#include "gateway/cli/secret_file.h"

namespace fedgate::cli {
namespace {

using Grade = CheckResult::Grade;
using Results = std::vector<CheckResult>;
constexpr std::int64_t kSkewMaxMs = 5000;
constexpr std::int64_t kYear2026Ms = 1'767'225'600'000;
constexpr std::uintmax_t kFreeBytesMin = 256u << 20;

void check_data_dir(const settings::Settings& settings, Results& out) {
  std::string where = settings.data_dir.string();
  // Made by the core at its first start: then the nearest existing parent counts.
  auto existing = settings.data_dir;
  std::error_code failed;
  while (!std::filesystem::exists(existing, failed) && existing.has_relative_path()) existing = existing.parent_path();
  if (::access(existing.c_str(), W_OK | X_OK) != 0)
    out.push_back({Grade::kFail, "data folder is not writable", where, "make it writable for the user that runs fedgate-core"});
  else
    out.push_back({Grade::kOk, "data folder is writable", where, ""});
  auto space = std::filesystem::space(existing, failed);
  if (!failed && space.available < kFreeBytesMin) out.push_back({Grade::kWarn, "less than 256 MiB free", where, "make room: a full disk stops all acceptance"});
}

std::string check_secret(const settings::Secret& secret, const std::string& where, Results& out) {
  auto text = read_secret(secret);
  if (text) {
    out.push_back({Grade::kOk, "secret is there and private", where, ""});
    return *text;
  }
  out.push_back({Grade::kFail, text.error().message, where, "one line, mode 600, owned by the user that runs fedgate"});
  return {};
}

void check_skew(const HttpAnswer& answer, const std::string& where, Results& out) {
  if (!answer.date_ms) return;
  auto skew = SystemClock().wall_ms() - *answer.date_ms;
  // The header counts whole seconds.
  if (skew > kSkewMaxMs + 1000 || skew < -kSkewMaxMs) out.push_back({Grade::kWarn, "clocks differ by " + duration(skew), where, "synchronise both machines (chrony, systemd-timesyncd)"});
}

void check_matrix(const settings::Network& network, Results& out) {
  const auto& matrix = *network.matrix;
  std::string where = "networks." + network.name;
  auto as_token = check_secret(matrix.as_token, where + ".matrix.as_token", out);
  check_secret(matrix.hs_token, where + ".matrix.hs_token", out);
  auto versions = http_get(matrix.homeserver, "/_matrix/client/versions", "");
  if (!versions || versions->status != 200) {
    std::string why = versions ? "status " + std::to_string(versions->status) : versions.error().message;
    out.push_back({Grade::kFail, "homeserver does not answer: " + why, where + ".matrix.homeserver", "start it, or correct " + matrix.homeserver});
    return;
  }
  out.push_back({Grade::kOk, "homeserver answers", matrix.homeserver, ""});
  check_skew(*versions, matrix.homeserver, out);
  if (as_token.empty()) return;
  auto whoami = http_get(matrix.homeserver, "/_matrix/client/v3/account/whoami", as_token);
  std::string todo = "install `fedgate registration " + network.name + "` at the homeserver and restart it";
  if (!whoami) {
    out.push_back({Grade::kFail, "whoami: " + whoami.error().message, matrix.homeserver, todo});
  } else if (whoami->status != 200) {
    out.push_back({Grade::kFail, "homeserver does not know our token: status " + std::to_string(whoami->status), matrix.homeserver, todo});
  } else {
    auto body = nlohmann::json::parse(whoami->body, nullptr, false);
    std::string expected = "@" + matrix.bot + ":" + matrix.domain;
    std::string found = body.is_object() && body.contains("user_id") && body["user_id"].is_string() ? body["user_id"].get<std::string>() : "";
    if (found == expected) out.push_back({Grade::kOk, "homeserver knows us as " + expected, matrix.homeserver, ""});
    else out.push_back({Grade::kFail, "homeserver knows us as " + found + ", not " + expected, matrix.homeserver, "make bot and domain agree; " + todo});
  }
}

void check_xmpp(const settings::Network& network, bool attached, Results& out) {
  const auto& xmpp = *network.xmpp;
  std::string where = "networks." + network.name;
  check_secret(xmpp.secret, where + ".xmpp.secret", out);
  auto there = tcp_connects(xmpp.server);
  if (!there) out.push_back({Grade::kFail, "nobody listens: " + there.error().message, where + ".xmpp.server", "start the server, or see `fedgate registration " + network.name + "`"});
  else out.push_back({Grade::kOk, attached ? "component port answers, adapter is attached" : "component port answers", xmpp.server, ""});
}

}  // namespace

std::vector<CheckResult> check_surroundings(const settings::Settings& settings) {
  Results out;
  if (SystemClock().wall_ms() < kYear2026Ms) out.push_back({Grade::kFail, "the clock is before 2026", "this machine", "set it: ids and expiry depend on it"});
  check_data_dir(settings, out);
  AdminClient core(settings.admin, std::chrono::seconds(2));
  auto queue = core.queue();
  if (queue) out.push_back({Grade::kOk, "core is running", settings.admin, ""});
  else out.push_back({Grade::kWarn, "core is not running", settings.admin, "`fedgate up` or systemctl start fedgate.target"});
  for (const auto& [name, network] : settings.networks) {
    bool attached = false;
    if (queue)
      for (const auto& entry : queue->networks()) {
        if (entry.network() != name) continue;
        attached = entry.attached();
        if (!attached) out.push_back({Grade::kWarn, "no adapter speaks for it", "networks." + name, "start fedgate-" + network.adapter});
        else if (!entry.up()) out.push_back({Grade::kWarn, "its adapter cannot reach it: " + entry.problem(), "networks." + name, "see the lines below"});
      }
    if (network.matrix) check_matrix(network, out);
    if (network.xmpp) check_xmpp(network, attached, out);
  }
  return out;
}

std::string check_text(const std::vector<CheckResult>& results) {
  static constexpr const char* kGrades[] = {"ok", "warn", "fail"};
  std::vector<std::vector<std::string>> rows;
  for (const auto& result : results) rows.push_back({kGrades[static_cast<int>(result.grade)], result.what, result.where, result.todo});
  return table({"", "what", "where", "what to do"}, rows);
}

bool has_failure(const std::vector<CheckResult>& results) {
  return std::ranges::any_of(results, [](const auto& result) { return result.grade == Grade::kFail; });
}

}  // namespace fedgate::cli
