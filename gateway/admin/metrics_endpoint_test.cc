#include "gateway/admin/metrics_endpoint.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <string>

using fedgate::admin::MetricsEndpoint;

namespace {

// Sends these bytes and reads until the other side closes.
std::string talk(std::uint16_t port, const std::string& request) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval limit{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    [[maybe_unused]] auto sent = ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    char buffer[4096];
    for (ssize_t got; (got = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) answer.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(fd);
  return answer;
}

std::string get(std::uint16_t port, const std::string& path, const std::string& method = "GET") {
  return talk(port, method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

std::unique_ptr<MetricsEndpoint> started(std::vector<std::string> problems) {
  auto endpoint = MetricsEndpoint::start("127.0.0.1:0", [problems](MetricsEndpoint::Answer answer) { answer({[] { return std::string("a_metric 1\n"); }, problems}); });
  REQUIRE(endpoint);
  return std::move(*endpoint);
}

}  // namespace

TEST_CASE("metrics endpoint: answers its three paths") {
  auto endpoint = started({});
  auto metrics = get(endpoint->port(), "/metrics");
  CHECK(metrics.starts_with("HTTP/1.1 200 "));
  CHECK(metrics.find("text/plain; version=0.0.4") != std::string::npos);
  CHECK(metrics.ends_with("a_metric 1\n"));
  CHECK(get(endpoint->port(), "/healthz").ends_with("\r\n\r\nok\n"));
  CHECK(get(endpoint->port(), "/readyz").ends_with("\r\n\r\nready\n"));
}

TEST_CASE("metrics endpoint: not ready is 503 with the problems, one a line") {
  auto endpoint = started({"network bund: no adapter", "network bpol: unreachable"});
  auto answer = get(endpoint->port(), "/readyz");
  CHECK(answer.starts_with("HTTP/1.1 503 "));
  CHECK(answer.ends_with("\r\n\r\nnetwork bund: no adapter\nnetwork bpol: unreachable\n"));
  CHECK(get(endpoint->port(), "/healthz").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("metrics endpoint: other paths, other methods and broken requests are refused") {
  auto endpoint = started({});
  auto port = endpoint->port();
  CHECK(get(port, "/").starts_with("HTTP/1.1 404 "));
  CHECK(get(port, "/metrics/../etc/passwd").starts_with("HTTP/1.1 404 "));
  CHECK(get(port, "/metrics", "POST").starts_with("HTTP/1.1 405 "));
  CHECK(get(port, "/metrics", "DELETE").find("Allow: GET, HEAD") != std::string::npos);
  CHECK(talk(port, "\x16\x03\x01 nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
  CHECK(talk(port, "GET /metrics HTTP/1.1\r\nX: " + std::string(20'000, 'x')).starts_with("HTTP/1.1 431 "));
  CHECK(talk(port, "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello").starts_with("HTTP/1.1 413 "));
}

TEST_CASE("metrics endpoint: HEAD has the length and no body") {
  auto endpoint = started({});
  auto answer = get(endpoint->port(), "/metrics", "HEAD");
  CHECK(answer.find("Content-Length: 11\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("metrics endpoint: a core that does not answer is 503") {
  auto endpoint = MetricsEndpoint::start("127.0.0.1:0", [](MetricsEndpoint::Answer) {});
  REQUIRE(endpoint);
  CHECK(get((*endpoint)->port(), "/healthz").starts_with("HTTP/1.1 503 "));
}

TEST_CASE("metrics endpoint: listens on loopback only") {
  for (const char* listen : {"0.0.0.0:0", "192.0.2.1:80", "nonsense", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:1x", "[::]:0"}) {
    CAPTURE(listen);
    CHECK_FALSE(MetricsEndpoint::start(listen, [](MetricsEndpoint::Answer) {}));
  }
}
