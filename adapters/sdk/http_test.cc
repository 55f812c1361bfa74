#include "adapters/sdk/http.h"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "adapters/sdk/http_client.h"
#include "adapters/sdk/http_server.h"

namespace fedgate::sdk {
namespace {

namespace asio = boost::asio;

struct Lab {
  asio::io_context context;
  int handled = 0;
  std::unique_ptr<HttpServer> server;

  Lab() {
    auto started = HttpServer::start(context, "127.0.0.1:0", [this](const HttpRequest& request) -> asio::awaitable<HttpResponse> {
      ++handled;
      co_return HttpResponse{request.target == "/missing" ? 404 : 200, {{"X-Method", request.method}}, request.target + "|" + request.body};
    });
    REQUIRE(started.has_value());
    server = std::move(*started);
  }
  std::string origin() const { return "http://127.0.0.1:" + std::to_string(server->port()); }

  void run(std::function<asio::awaitable<void>()> what) {
    bool done = false;
    asio::co_spawn(context, [&, what]() -> asio::awaitable<void> { co_await what(); done = true; }, asio::detached);
    auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done && std::chrono::steady_clock::now() < limit) context.run_one_for(std::chrono::milliseconds(100));
    REQUIRE(done);
  }

  // Sends raw bytes, returns what comes back until the server closes.
  std::string raw(const std::string& bytes) {
    std::string answer;
    run([&]() -> asio::awaitable<void> {
      asio::ip::tcp::socket socket(context);
      co_await socket.async_connect({asio::ip::make_address("127.0.0.1"), server->port()}, asio::use_awaitable);
      boost::system::error_code error;
      co_await asio::async_write(socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
      co_await asio::async_read(socket, asio::dynamic_buffer(answer), asio::redirect_error(asio::use_awaitable, error));
    });
    return answer;
  }
};

TEST_CASE("http: requests and answers pass whole, over connections that are kept") {
  Lab lab;
  HttpClient client(lab.context, {lab.origin(), 4});
  lab.run([&]() -> asio::awaitable<void> {
    for (int i = 0; i < 50; ++i) {
      auto answer = co_await client.request({"PUT", "/a%20b?x=1", {{"Authorization", "Bearer t"}}, std::string(i * 1000, 'b')});
      REQUIRE(answer.has_value());
      CHECK(answer->status == 200);
      CHECK(answer->header("x-method") == "PUT");
      CHECK(answer->body.size() == 11 + static_cast<std::size_t>(i) * 1000);
    }
    CHECK((co_await client.request({"GET", "/missing", {}, ""}))->status == 404);
  });
}

TEST_CASE("http: more requests than connections wait for their turn") {
  Lab lab;
  HttpClient client(lab.context, {lab.origin(), 2});
  int answered = 0;
  for (int i = 0; i < 100; ++i)
    asio::co_spawn(lab.context, [&]() -> asio::awaitable<void> { answered += (co_await client.request({"GET", "/", {}, ""})).has_value(); }, asio::detached);
  lab.run([&]() -> asio::awaitable<void> {
    asio::steady_timer timer(lab.context);
    for (int i = 0; i < 2000 && answered < 100; ++i) {
      timer.expires_after(std::chrono::milliseconds(5));
      co_await timer.async_wait(asio::use_awaitable);
    }
  });
  CHECK(answered == 100);
}

TEST_CASE("http: a server that is not there is said as certainly not sent") {
  Lab lab;
  std::string origin = lab.origin();
  lab.server->stop();
  HttpClient client(lab.context, {origin, 4});
  lab.run([&]() -> asio::awaitable<void> {
    auto answer = co_await client.request({"PUT", "/", {}, "x"});
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().cannot_connect);
    CHECK_FALSE(answer.error().perhaps_sent);
  });
}

TEST_CASE("http: hostile requests are answered with the right status and closed, and the server lives") {
  Lab lab;
  CHECK(lab.raw("nonsense\r\n\r\n").find(" 400 ") != std::string::npos);
  CHECK(lab.raw("GET / HTTP/1.1\r\nX: " + std::string(20000, 'x') + "\r\n\r\n").find(" 431 ") != std::string::npos);
  CHECK(lab.raw("PUT / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n").find(" 413 ") != std::string::npos);
  CHECK(lab.raw("PUT / HTTP/1.1\r\nContent-Length: -5\r\nConnection: close\r\n\r\n").find(" 400 ") != std::string::npos);
  CHECK(lab.raw("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").find(" 200 ") != std::string::npos);
}

TEST_CASE("http: percent-encoding keeps only the unreserved set, decoding happens once") {
  CHECK(percent_encode("@a:b/c +é~") == "%40a%3Ab%2Fc%20%2B%C3%A9~");
  std::string out;
  CHECK((percent_decode("%2540a", out) && out == "%40a"));
  for (const char* bad : {"%", "%4", "%zz", "a%"}) CHECK_FALSE(percent_decode(bad, out));
}

}  // namespace
}  // namespace fedgate::sdk
