// HttpClient: requests to one origin over a pool of keep-alive connections (Boost.Beast behind it).
//
// One io_context's thread. At most `connections_max` at once; further requests wait in order. http and https (certificate and name verified). Answers above body_bytes_max are an error.
#pragma once

#include <cstdint>
#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "adapters/sdk/http.h"

namespace fedgate::sdk {

// Why there is no response, and whether the server may have acted on the request.
struct HttpFailure {
  bool perhaps_sent = false;  // false: certainly not carried out
  bool cannot_connect = false;
  std::string words;          // for the operator; no URL with secrets, no body
};

class HttpClient {
 public:
  struct Options {
    std::string origin;  // "http://host:port" or "https://host[:port]"
    std::size_t connections_max = 32;
    std::chrono::seconds timeout{30};
    std::size_t body_bytes_max = 32u << 20;
  };

  HttpClient(boost::asio::io_context& context, Options options);
  ~HttpClient();

  boost::asio::awaitable<std::expected<HttpResponse, HttpFailure>> request(HttpRequest request);
  void stop();
  // Connections that had been used within 3 s and that the server had closed nevertheless: servers do that when they end.
  std::uint64_t connections_lost() const;

 private:
  class Pool;
  std::shared_ptr<Pool> pool_;
};

}  // namespace fedgate::sdk
