#include "adapters/matrix/appservice.h"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "gateway/base/hash.h"

namespace fedgate::matrix {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::size_t kDepthMax = 64;
constexpr std::string_view kBase = "/_matrix/app/v1/";

sdk::HttpResponse reply(int status, json::object body) { return {status, {{"Content-Type", "application/json"}}, json::serialize(body)}; }
sdk::HttpResponse error(int status, const char* errcode, const char* words) { return reply(status, {{"errcode", errcode}, {"error", words}}); }

std::string_view bearer(const sdk::HttpRequest& request) {
  std::string_view value = request.header("Authorization");
  constexpr std::string_view kScheme = "Bearer ";
  return value.starts_with(kScheme) ? value.substr(kScheme.size()) : std::string_view{};
}

// "transactions/abc" -> ("transactions", "abc"): split on the raw slash, then decoded once.
bool split_path(std::string_view target, std::string& what, std::string& argument) {
  target = target.substr(0, target.find('?'));
  if (!target.starts_with(kBase)) return false;
  target.remove_prefix(kBase.size());
  std::size_t slash = target.find('/');
  what = std::string(target.substr(0, slash));
  argument.clear();
  if (slash == std::string_view::npos) return true;
  std::string_view rest = target.substr(slash + 1);
  return rest.find('/') == std::string_view::npos && sdk::percent_decode(rest, argument);
}

}  // namespace

asio::awaitable<sdk::HttpResponse> AppService::answer(const sdk::HttpRequest& request) {
  std::string_view token = bearer(request);
  if (token.empty()) co_return error(401, "M_MISSING_TOKEN", "the request has no Bearer token");
  if (!equal_in_constant_time(token, config_.hs_token)) co_return error(403, "M_FORBIDDEN", "the token is not this application service's hs_token");
  std::string what, argument;
  if (!split_path(request.target, what, argument)) co_return error(404, "M_UNRECOGNIZED", "there is nothing at this path");
  auto method_is = [&](const char* method) { return request.method == method; };
  if (what == "transactions" && !argument.empty()) {
    if (!method_is("PUT")) co_return error(405, "M_UNRECOGNIZED", "transactions are PUT");
    co_return co_await transaction(argument, request.body);
  }
  if (what == "users" && !argument.empty()) {
    if (!method_is("GET")) co_return error(405, "M_UNRECOGNIZED", "users are asked for with GET");
    co_return co_await user(argument);
  }
  if (what == "rooms" && !argument.empty()) {
    if (!method_is("GET")) co_return error(405, "M_UNRECOGNIZED", "rooms are asked for with GET");
    co_return error(404, "M_NOT_FOUND", "no room has this alias");
  }
  if (what == "ping") {
    if (!method_is("POST")) co_return error(405, "M_UNRECOGNIZED", "a ping is POST");
    co_return reply(200, {});
  }
  co_return error(404, "M_UNRECOGNIZED", "there is nothing at this path");
}

asio::awaitable<sdk::HttpResponse> AppService::transaction(std::string txn, const std::string& body) {
  json::monotonic_resource memory;
  json::error_code failed;
  json::parse_options options;
  options.max_depth = kDepthMax;
  json::value parsed = json::parse(body, failed, &memory, options);
  if (failed) co_return error(400, "M_NOT_JSON", "the transaction is not valid JSON, or nested deeper than 64 levels");
  const json::object* object = parsed.if_object();
  const json::value* events = object != nullptr ? object->if_contains("events") : nullptr;
  if (events == nullptr || !events->is_array()) co_return error(400, "M_BAD_JSON", "the transaction has no list of events");
  Sha256 digest = sha256_of_parts({txn, body});
  if (!co_await transactions_.accept(txn, hex({reinterpret_cast<const char*>(digest.data()), 16}), events->as_array()))
    co_return error(503, "M_UNKNOWN", "the gateway is starting; push it again");
  co_return reply(200, {});
}

asio::awaitable<sdk::HttpResponse> AppService::user(std::string user_id) {
  if (!co_await rooms_.known()) co_return error(503, "M_UNKNOWN", "the gateway is starting; ask again");
  auto remote = ghosts_.remote_of(user_id);
  if (!remote) co_return error(404, "M_NOT_FOUND", "nobody of that name is reachable through this gateway");
  auto ghost = co_await ghosts_.ensure(remote->network, remote->native_id, "");
  if (!ghost) co_return error(404, "M_NOT_FOUND", "the user could not be made");
  co_return reply(200, {});
}

}  // namespace fedgate::matrix
