#include "gateway/cli/http_probe.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

using namespace fedgate::cli;

namespace {

// Answers one connection with these bytes and remembers what it was asked.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::listen(fd_, 1) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
    at = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this, answer = std::move(answer)] {
      int peer = ::accept(fd_, nullptr, nullptr);
      char buffer[2048];
      while (asked.find("\r\n\r\n") == std::string::npos) {
        auto got = ::recv(peer, buffer, sizeof buffer, 0);
        if (got <= 0) break;
        asked.append(buffer, static_cast<std::size_t>(got));
      }
      [[maybe_unused]] auto sent = ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(peer);
    });
  }
  ~OneAnswer() {
    join();
    ::close(fd_);
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  std::string at, asked;

 private:
  int fd_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("http probe: brings status, body and date, and sends the token") {
  OneAnswer server("HTTP/1.1 403 Forbidden\r\nDate: Sun, 01 Mar 2026 14:05:06 GMT\r\nContent-Length: 2\r\n\r\nno");
  auto answer = http_get("http://" + server.at, "/path", "token-1");
  REQUIRE(answer);
  CHECK(answer->status == 403);
  CHECK(answer->body == "no");
  CHECK(answer->date_ms == 1'772'373'906'000);
  server.join();
  CHECK(server.asked.starts_with("GET /path HTTP/1.1\r\n"));
  CHECK(server.asked.find("Authorization: Bearer token-1\r\n") != std::string::npos);
}

TEST_CASE("http probe: what is no HTTP, and what does not listen, is an error") {
  {
    OneAnswer server("<stream:stream>\r\n\r\n");
    CHECK_FALSE(http_get("http://" + server.at, "/", ""));
  }
  CHECK_FALSE(http_get("ftp://127.0.0.1", "/", ""));
  CHECK_FALSE(http_get("http://127.0.0.1:1", "/", ""));
  CHECK_FALSE(tcp_connects("127.0.0.1:1"));
}
