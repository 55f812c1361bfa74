// Homeserver: the client-server API as an application service uses it (matrix.md §3). One io_context's thread.
//
// Every call says how it failed in a way that code can choose by. Tokens never reach a log. Path parameters are percent-encoded here and nowhere else.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "adapters/matrix/config.h"
#include "adapters/sdk/http_client.h"

namespace fedgate::matrix {

struct Failure {
  bool unreachable = false;        // no answer, or 5xx of a proxy: the homeserver is away
  int status = 0;
  std::string errcode;             // M_…
  std::string words;               // for the operator
  std::uint32_t retry_after_ms = 0;  // 429

  bool may_pass() const { return unreachable || status == 429 || status >= 500; }
};

template <class T>
using Answer = std::expected<T, Failure>;

class Homeserver {
 public:
  Homeserver(boost::asio::io_context& context, const Config& config);

  // Any call. as_user: masquerade as that user, "" = the bot.
  boost::asio::awaitable<Answer<boost::json::object>> call(std::string method, std::string path, std::string as_user, boost::json::object body = {},
                                                           std::string query = {});

  boost::asio::awaitable<Answer<void>> register_user(std::string local_part);  // already there = success
  // M_NOT_FOUND (404) if the homeserver knows nobody of that name.
  boost::asio::awaitable<Answer<void>> look_up(std::string user);
  boost::asio::awaitable<Answer<void>> set_display_name(std::string user, std::string name);
  boost::asio::awaitable<Answer<std::string>> join(std::string room_or_alias, std::string as_user);  // the room id
  boost::asio::awaitable<Answer<void>> invite(std::string room, std::string user, std::string as_user);
  boost::asio::awaitable<Answer<void>> leave(std::string room, std::string as_user);
  boost::asio::awaitable<Answer<std::string>> send(std::string room, std::string type, std::string txn, boost::json::object content, std::string as_user,
                                                   std::int64_t at_ms);  // the event id
  boost::asio::awaitable<Answer<boost::json::object>> state(std::string room, std::string type, std::string key, std::string as_user);
  boost::asio::awaitable<Answer<std::vector<std::string>>> joined_members(std::string room, std::string as_user);
  boost::asio::awaitable<Answer<std::string>> resolve_alias(std::string alias);
  // A homeserver that was restarted within a moment is known by this alone: the next connection works again.
  std::uint64_t connections_lost() const { return client_.connections_lost(); }
  boost::asio::awaitable<Answer<void>> ping(std::string txn);

  void stop() { client_.stop(); }

 private:
  const Config& config_;
  sdk::HttpClient client_;
};

}  // namespace fedgate::matrix
