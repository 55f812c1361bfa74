// The HTTP side of the application service (application service API, base /_matrix/app/v1): authentication, parsing, status codes. What a transaction means is transactions.h.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "adapters/matrix/ghosts.h"
#include "adapters/matrix/transactions.h"
#include "adapters/sdk/http.h"

namespace fedgate::matrix {

class AppService {
 public:
  AppService(const Config& config, Ghosts& ghosts, BridgedRooms& rooms, Transactions& transactions)
      : config_(config), ghosts_(ghosts), rooms_(rooms), transactions_(transactions) {}

  boost::asio::awaitable<sdk::HttpResponse> answer(const sdk::HttpRequest& request);

 private:
  boost::asio::awaitable<sdk::HttpResponse> transaction(std::string txn, const std::string& body);
  boost::asio::awaitable<sdk::HttpResponse> user(std::string user_id);

  const Config& config_;
  Ghosts& ghosts_;
  BridgedRooms& rooms_;
  Transactions& transactions_;
};

}  // namespace fedgate::matrix
