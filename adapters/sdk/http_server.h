// HttpServer: HTTP/1.1 on one address, keep-alive, one coroutine per connection; the handler is a coroutine (Boost.Beast behind it).
//
// One io_context's thread. Limits: headers 16 KiB, body 32 MiB, 256 connections, 30 s for a request to arrive. Over a limit: 413, 431 or 503 and the connection is closed. A handler's requests of one connection
// come one after the other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "adapters/sdk/http.h"
#include "gateway/base/result.h"

namespace fedgate::sdk {

class HttpServer {
 public:
  using Handler = std::function<boost::asio::awaitable<HttpResponse>(const HttpRequest&)>;

  // address "host:port"; port 0 = any free one. kUnavailable: cannot listen there.
  static Result<std::unique_ptr<HttpServer>> start(boost::asio::io_context& context, const std::string& address, Handler handler);
  ~HttpServer();
  std::uint16_t port() const;
  void stop();

 private:
  class Running;
  explicit HttpServer(std::shared_ptr<Running> running);
  std::shared_ptr<Running> running_;
};

}  // namespace fedgate::sdk
