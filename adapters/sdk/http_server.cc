#include "adapters/sdk/http_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <set>

#include "gateway/base/logger.h"

namespace fedgate::sdk {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

constexpr std::uint32_t kHeaderBytesMax = 16u << 10;
constexpr std::uint64_t kBodyBytesMax = 32u << 20;
constexpr std::size_t kConnectionsMax = 256;
constexpr auto kRequestLimit = std::chrono::seconds(30);
constexpr auto kIdleLimit = std::chrono::seconds(120);

bool split_host_port(const std::string& address, std::string& host, std::string& port) {
  std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return false;
  host = address.substr(0, colon);
  port = address.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return !host.empty() && !port.empty();
}

HttpRequest take(http::request<http::string_body>& from) {
  HttpRequest out;
  out.method = std::string(from.method_string());
  out.target = std::string(from.target());
  for (const auto& field : from) out.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  out.body = std::move(from.body());
  return out;
}

http::response<http::string_body> make(HttpResponse from, unsigned version, bool keep_alive) {
  http::response<http::string_body> out(static_cast<http::status>(from.status), version);
  for (const auto& [name, value] : from.headers) out.set(name, value);
  out.body() = std::move(from.body);
  out.keep_alive(keep_alive);
  out.prepare_payload();
  return out;
}

int status_of(error_code error) {
  if (error == http::error::body_limit) return 413;
  if (error == http::error::header_limit) return 431;
  return 400;
}

}  // namespace

class HttpServer::Running : public std::enable_shared_from_this<Running> {
 public:
  Running(asio::io_context& io, Handler handling) : context(io), acceptor(io), handler(std::move(handling)) {}

  asio::awaitable<void> accept_all() {
    auto self = shared_from_this();
    while (!stopped) {
      error_code error;
      auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted) co_return;
      if (error) {
        // Out of descriptors, most likely: the next accept may work, a busy loop would not help.
        log::warn("http", "cannot accept a connection", {{"why", error.message()}});
        asio::steady_timer pause(context, std::chrono::milliseconds(100));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      if (streams.size() >= kConnectionsMax) continue;  // closed by its destructor
      socket.set_option(tcp::no_delay(true), error);
      asio::co_spawn(context, serve(std::move(socket)), asio::detached);
    }
  }

  asio::awaitable<void> serve(tcp::socket socket) {
    auto self = shared_from_this();
    beast::tcp_stream stream(std::move(socket));
    streams.insert(&stream);
    beast::flat_buffer buffer;
    error_code error;
    bool keep_alive = true;
    while (keep_alive && !stopped) {
      http::request_parser<http::string_body> parser;
      parser.header_limit(kHeaderBytesMax);
      parser.body_limit(kBodyBytesMax);
      stream.expires_after(buffer.size() == 0 ? kIdleLimit : kRequestLimit);
      co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
      if (!error) {
        stream.expires_after(kRequestLimit);
        co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
      }
      HttpResponse answer;
      unsigned version = 11;
      if (error) {
        bool of_the_protocol = error.category() == http::make_error_code(http::error::bad_method).category() && error != http::error::end_of_stream &&
                               error != http::error::partial_message;
        if (!of_the_protocol) break;
        answer = HttpResponse{status_of(error), {}, {}};
        keep_alive = false;
      } else {
        auto request = parser.release();
        keep_alive = request.keep_alive();
        version = request.version();
        stream.expires_never();  // the handler has its own limits
        HttpRequest taken = take(request);
        answer = co_await handler(taken);
      }
      auto response = make(std::move(answer), version, keep_alive);
      stream.expires_after(kRequestLimit);
      co_await http::async_write(stream, response, asio::redirect_error(asio::use_awaitable, error));
      if (error) break;
    }
    stream.socket().shutdown(tcp::socket::shutdown_send, error);
    streams.erase(&stream);
  }

  void stop() {
    stopped = true;
    error_code error;
    acceptor.close(error);
    for (auto* stream : streams) stream->cancel();
  }

  asio::io_context& context;
  tcp::acceptor acceptor;
  Handler handler;
  std::set<beast::tcp_stream*> streams;  // of the coroutines that run now
  bool stopped = false;
};

HttpServer::HttpServer(std::shared_ptr<Running> running) : running_(std::move(running)) {}
HttpServer::~HttpServer() { stop(); }
void HttpServer::stop() { running_->stop(); }
std::uint16_t HttpServer::port() const {
  error_code error;
  return running_->acceptor.local_endpoint(error).port();
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(asio::io_context& context, const std::string& address, Handler handler) {
  std::string host, port;
  if (!split_host_port(address, host, port)) return make_error(ErrorKind::kInvalid, "\"" + address + "\" is not host:port");
  auto running = std::make_shared<Running>(context, std::move(handler));
  error_code error;
  tcp::resolver resolver(context);
  auto found = resolver.resolve(host, port, tcp::resolver::passive, error);
  if (error || found.empty()) return make_error(ErrorKind::kUnavailable, "cannot listen on " + address + ": " + error.message());
  tcp::endpoint endpoint = found.begin()->endpoint();
  if (!error) running->acceptor.open(endpoint.protocol(), error);
  if (!error) running->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) running->acceptor.bind(endpoint, error);
  if (!error) running->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return make_error(ErrorKind::kUnavailable, "cannot listen on " + address + ": " + error.message());
  asio::co_spawn(context, running->accept_all(), asio::detached);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(running)));
}

}  // namespace fedgate::sdk
