#include "adapters/matrix/homeserver.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <algorithm>
#include <charconv>

namespace fedgate::matrix {

namespace asio = boost::asio;
namespace json = boost::json;
using sdk::percent_encode;

namespace {

constexpr std::string_view kClient = "/_matrix/client/v3";

std::uint32_t retry_after(const sdk::HttpResponse& response, const json::object& body) {
  std::string_view header = response.header("Retry-After");
  std::uint32_t seconds = 0;
  if (!header.empty() && std::from_chars(header.data(), header.data() + header.size(), seconds).ec == std::errc()) return std::min(seconds, 3600u) * 1000;
  const json::value* ms = body.if_contains("retry_after_ms");
  return ms != nullptr && ms->is_int64() && ms->as_int64() > 0 ? static_cast<std::uint32_t>(std::min<std::int64_t>(ms->as_int64(), 3600000)) : 1000;
}

std::string text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

template <class T>
Answer<T> failed(const Failure& failure) { return std::unexpected(failure); }

Answer<void> done(const Answer<json::object>& answer) {
  if (!answer) return std::unexpected(answer.error());
  return {};
}

}  // namespace

Homeserver::Homeserver(asio::io_context& context, const Config& config) : config_(config), client_(context, {config.homeserver, 48}) {}

asio::awaitable<Answer<json::object>> Homeserver::call(std::string method, std::string path, std::string as_user, json::object body, std::string query) {
  sdk::HttpRequest request;
  request.method = method;
  request.target = std::move(path);
  if (!as_user.empty()) query += (query.empty() ? "user_id=" : "&user_id=") + percent_encode(as_user);
  if (!query.empty()) request.target += "?" + query;
  request.headers = {{"Authorization", "Bearer " + config_.as_token}, {"Accept", "application/json"}};
  if (method != "GET") {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = json::serialize(body);
  }
  std::string what = method + " " + request.target.substr(0, request.target.find('?'));
  auto response = co_await client_.request(std::move(request));
  if (!response) co_return std::unexpected(Failure{true, 0, "", response.error().words, 0});
  json::error_code error;
  json::value parsed = json::parse(response->body, error);
  json::object object = !error && parsed.is_object() ? std::move(parsed.as_object()) : json::object();
  if (response->status >= 200 && response->status < 300) co_return object;
  Failure failure;
  failure.status = response->status;
  failure.errcode = text(object, "errcode");
  failure.unreachable = response->status >= 502 && response->status <= 504;
  failure.words = what + ": " + std::to_string(response->status) + " " + failure.errcode + " " + text(object, "error").substr(0, 200);
  if (response->status == 429) failure.retry_after_ms = retry_after(*response, object);
  co_return std::unexpected(std::move(failure));
}

asio::awaitable<Answer<void>> Homeserver::register_user(std::string local) {
  json::object body{{"type", "m.login.application_service"}, {"username", local}, {"inhibit_login", true}};
  auto answer = co_await call("POST", std::string(kClient) + "/register", "", std::move(body));
  if (!answer && answer.error().errcode == "M_USER_IN_USE") co_return Answer<void>{};
  co_return done(answer);
}

asio::awaitable<Answer<void>> Homeserver::look_up(std::string user) {
  co_return done(co_await call("GET", std::string(kClient) + "/profile/" + percent_encode(user), ""));
}

asio::awaitable<Answer<void>> Homeserver::set_display_name(std::string user, std::string name) {
  std::string path = std::string(kClient) + "/profile/" + percent_encode(user) + "/displayname";
  co_return done(co_await call("PUT", std::move(path), user, {{"displayname", name}}));
}

asio::awaitable<Answer<std::string>> Homeserver::join(std::string room_or_alias, std::string as_user) {
  auto answer = co_await call("POST", std::string(kClient) + "/join/" + percent_encode(room_or_alias), std::move(as_user));
  if (!answer) co_return failed<std::string>(answer.error());
  co_return text(*answer, "room_id");
}

asio::awaitable<Answer<void>> Homeserver::invite(std::string room, std::string user, std::string as_user) {
  co_return done(co_await call("POST", std::string(kClient) + "/rooms/" + percent_encode(room) + "/invite", std::move(as_user), {{"user_id", user}}));
}

asio::awaitable<Answer<void>> Homeserver::leave(std::string room, std::string as_user) {
  co_return done(co_await call("POST", std::string(kClient) + "/rooms/" + percent_encode(room) + "/leave", std::move(as_user)));
}

asio::awaitable<Answer<std::string>> Homeserver::send(std::string room, std::string type, std::string txn, json::object content, std::string as_user,
                                                      std::int64_t at_ms) {
  std::string path = std::string(kClient) + "/rooms/" + percent_encode(room) + "/send/" + percent_encode(type) + "/" + percent_encode(txn);
  std::string query = at_ms > 0 ? "ts=" + std::to_string(at_ms) : "";
  auto answer = co_await call("PUT", std::move(path), std::move(as_user), std::move(content), std::move(query));
  if (!answer) co_return failed<std::string>(answer.error());
  co_return text(*answer, "event_id");
}

asio::awaitable<Answer<json::object>> Homeserver::state(std::string room, std::string type, std::string key, std::string as_user) {
  std::string path = std::string(kClient) + "/rooms/" + percent_encode(room) + "/state/" + percent_encode(type) + "/" + percent_encode(key);
  co_return co_await call("GET", std::move(path), std::move(as_user));
}

asio::awaitable<Answer<std::vector<std::string>>> Homeserver::joined_members(std::string room, std::string as_user) {
  auto answer = co_await call("GET", std::string(kClient) + "/rooms/" + percent_encode(room) + "/joined_members", std::move(as_user));
  if (!answer) co_return failed<std::vector<std::string>>(answer.error());
  std::vector<std::string> out;
  if (const json::value* joined = answer->if_contains("joined"); joined != nullptr && joined->is_object())
    for (const auto& member : joined->as_object()) out.emplace_back(member.key());
  co_return out;
}

asio::awaitable<Answer<std::string>> Homeserver::resolve_alias(std::string alias) {
  auto answer = co_await call("GET", std::string(kClient) + "/directory/room/" + percent_encode(alias), "");
  if (!answer) co_return failed<std::string>(answer.error());
  co_return text(*answer, "room_id");
}

asio::awaitable<Answer<void>> Homeserver::ping(std::string txn) {
  std::string path = "/_matrix/client/v1/appservice/" + percent_encode("fedgate-" + config_.network) + "/ping";
  co_return done(co_await call("POST", std::move(path), "", {{"transaction_id", txn}}));
}

}  // namespace fedgate::matrix
