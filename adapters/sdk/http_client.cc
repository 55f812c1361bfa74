#include "adapters/sdk/http_client.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace fedgate::sdk {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

// Servers close what is idle; a request on such a connection fails without anybody being away.
constexpr auto kIdleMax = std::chrono::seconds(15);
// No server or proxy closes what was used this short a time ago, unless it ends.
constexpr auto kWarm = std::chrono::seconds(3);

struct Origin {
  bool tls = false;
  std::string host;
  std::string port;
};

Origin parse_origin(std::string_view text) {
  Origin out;
  out.tls = text.starts_with("https://");
  text.remove_prefix(out.tls ? 8 : 7);
  text = text.substr(0, text.find('/'));
  std::size_t colon = text.rfind(':');
  bool has_port = colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos;
  out.host = std::string(has_port ? text.substr(0, colon) : text);
  out.port = has_port ? std::string(text.substr(colon + 1)) : out.tls ? "443" : "80";
  if (out.host.size() > 2 && out.host.front() == '[') out.host = out.host.substr(1, out.host.size() - 2);
  return out;
}

// One connection, plain or TLS, with the buffer that belongs to it.
struct Connection {
  Connection(asio::io_context& context, asio::ssl::context* tls) {
    if (tls != nullptr) secure = std::make_unique<beast::ssl_stream<beast::tcp_stream>>(context, *tls);
    else plain = std::make_unique<beast::tcp_stream>(context);
  }
  beast::tcp_stream& lowest() { return secure ? beast::get_lowest_layer(*secure) : *plain; }

  std::unique_ptr<beast::tcp_stream> plain;
  std::unique_ptr<beast::ssl_stream<beast::tcp_stream>> secure;
  beast::flat_buffer buffer;
};

}  // namespace

class HttpClient::Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(asio::io_context& io, Options given) : context(io), options(std::move(given)), origin(parse_origin(options.origin)) {
    if (!origin.tls) return;
    tls.emplace(asio::ssl::context::tls_client);
    tls->set_default_verify_paths();
    tls->set_verify_mode(asio::ssl::verify_peer);
  }

  asio::awaitable<std::expected<HttpResponse, HttpFailure>> request(HttpRequest given) {
    auto self = shared_from_this();
    co_await place();
    auto result = co_await on_some_connection(given);
    give_place_back();
    co_return result;
  }

  void stop() {
    stopped = true;
    idle.clear();
  }

  std::uint64_t lost = 0;

 private:
  // Waits, in order, until fewer than connections_max requests are under way.
  asio::awaitable<void> place() {
    if (under_way < options.connections_max) {
      ++under_way;
      co_return;
    }
    co_await asio::async_initiate<decltype(asio::use_awaitable), void()>(
        [this](auto handler) { waiting.push_back([handler = std::move(handler)]() mutable { std::move(handler)(); }); }, asio::use_awaitable);
  }

  void give_place_back() {
    if (waiting.empty()) {
      --under_way;
      return;
    }
    auto next = std::move(waiting.front());
    waiting.pop_front();
    asio::post(context, [next = std::move(next)]() mutable { next(); });
  }

  asio::awaitable<std::expected<HttpResponse, HttpFailure>> on_some_connection(const HttpRequest& given) {
    // A kept connection may have been closed by the server meanwhile: old ones are not used again, and what may be repeated gets one try on a fresh connection.
    bool may_repeat = given.method == "GET" || given.method == "PUT";
    while (!idle.empty() && std::chrono::steady_clock::now() - idle.front().since > kIdleMax) idle.pop_front();
    if (!idle.empty()) {
      bool warm = std::chrono::steady_clock::now() - idle.back().since < kWarm;
      auto connection = std::move(idle.back().connection);
      idle.pop_back();
      auto result = co_await exchange(std::move(connection), given);
      if (!result && warm) ++lost;
      if (result || !may_repeat || !result.error().perhaps_sent) co_return result;
    }
    auto connection = std::make_unique<Connection>(context, tls ? &*tls : nullptr);
    error_code error = co_await connect(*connection);
    if (error) co_return std::unexpected(HttpFailure{false, true, "cannot connect to " + options.origin + ": " + error.message()});
    co_return co_await exchange(std::move(connection), given);
  }

  asio::awaitable<error_code> connect(Connection& connection) {
    error_code error;
    tcp::resolver resolver(context);
    auto found = co_await resolver.async_resolve(origin.host, origin.port, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
    connection.lowest().expires_after(options.timeout);
    co_await connection.lowest().async_connect(found, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
    connection.lowest().socket().set_option(tcp::no_delay(true), error);
    if (!connection.secure) co_return error;
    if (SSL_set_tlsext_host_name(connection.secure->native_handle(), origin.host.c_str()) != 1)
      co_return error_code(static_cast<int>(::ERR_get_error()), asio::error::get_ssl_category());
    connection.secure->set_verify_callback(asio::ssl::host_name_verification(origin.host));
    co_await connection.secure->async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }

  asio::awaitable<std::expected<HttpResponse, HttpFailure>> exchange(std::unique_ptr<Connection> connection, const HttpRequest& given) {
    http::request<http::string_body> request(http::string_to_verb(given.method), given.target, 11);
    if (request.method() == http::verb::unknown) request.method_string(given.method);
    request.set(http::field::host, origin.port == (origin.tls ? "443" : "80") ? origin.host : origin.host + ":" + origin.port);
    request.set(http::field::user_agent, "fedgate");
    for (const auto& [name, value] : given.headers) request.set(name, value);
    request.body() = given.body;
    request.prepare_payload();

    error_code error;
    http::response_parser<http::string_body> parser;
    parser.body_limit(options.body_bytes_max);
    connection->lowest().expires_after(options.timeout);
    if (connection->secure) {
      co_await http::async_write(*connection->secure, request, asio::redirect_error(asio::use_awaitable, error));
      if (!error) co_await http::async_read(*connection->secure, connection->buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    } else {
      co_await http::async_write(*connection->plain, request, asio::redirect_error(asio::use_awaitable, error));
      if (!error) co_await http::async_read(*connection->plain, connection->buffer, parser, asio::redirect_error(asio::use_awaitable, error));
    }
    if (error) co_return std::unexpected(HttpFailure{true, false, "no answer from " + options.origin + ": " + error.message()});
    auto response = parser.release();
    HttpResponse out;
    out.status = static_cast<int>(response.result_int());
    for (const auto& field : response) out.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    out.body = std::move(response.body());
    if (response.keep_alive() && !stopped && idle.size() < options.connections_max) {
      connection->lowest().expires_never();
      idle.push_back({std::move(connection), std::chrono::steady_clock::now()});
    }
    co_return out;
  }

  asio::io_context& context;
  Options options;
  Origin origin;
  std::optional<asio::ssl::context> tls;
  struct Idle {
    std::unique_ptr<Connection> connection;
    std::chrono::steady_clock::time_point since;
  };
  std::deque<Idle> idle;  // the longest idle one first
  std::deque<std::move_only_function<void()>> waiting;
  std::size_t under_way = 0;
  bool stopped = false;
};

HttpClient::HttpClient(asio::io_context& context, Options options) : pool_(std::make_shared<Pool>(context, std::move(options))) {}
HttpClient::~HttpClient() { pool_->stop(); }
void HttpClient::stop() { pool_->stop(); }
std::uint64_t HttpClient::connections_lost() const { return pool_->lost; }

asio::awaitable<std::expected<HttpResponse, HttpFailure>> HttpClient::request(HttpRequest request) {
  return pool_->request(std::move(request));
}

}  // namespace fedgate::sdk
