#include "gateway/cli/http_probe.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <ctime>

namespace fedgate::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
constexpr auto kTime = std::chrono::seconds(5);

struct Target {
  bool tls = false;
  std::string host, port;
};

Result<Target> parse(const std::string& base) {
  Target out;
  std::string rest;
  if (base.starts_with("https://")) {
    out.tls = true;
    rest = base.substr(8);
  } else if (base.starts_with("http://")) {
    rest = base.substr(7);
  } else {
    return make_error(ErrorKind::kInvalid, "expected http:// or https://, found " + base);
  }
  auto colon = rest.rfind(':');
  bool has_port = colon != std::string::npos && rest.find(']', colon) == std::string::npos;
  out.host = has_port ? rest.substr(0, colon) : rest;
  out.port = has_port ? rest.substr(colon + 1) : (out.tls ? "443" : "80");
  if (out.host.size() > 2 && out.host.front() == '[') out.host = out.host.substr(1, out.host.size() - 2);
  return out;
}

// Starts one operation, whose handler stores its error, and waits for it: timeouts of Beast work for asynchronous operations only.
template <class Start>
ErrorCode wait_for(asio::io_context& context, Start start) {
  ErrorCode result = asio::error::timed_out;
  start([&result](const ErrorCode& failed, auto&&...) { result = failed; });
  context.restart();
  context.run();
  return result;
}

Result<tcp::resolver::results_type> resolve(asio::io_context& context, const std::string& host, const std::string& port) {
  ErrorCode failed;
  auto found = tcp::resolver(context).resolve(host, port, failed);
  if (failed) return make_error(ErrorKind::kUnavailable, host + ":" + port + ": " + failed.message());
  return found;
}

std::optional<std::int64_t> parse_date(const std::string& text) {
  std::tm parsed{};
  if (::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parsed) == nullptr) return std::nullopt;
  return static_cast<std::int64_t>(::timegm(&parsed)) * 1000;
}

template <class Stream>
Result<HttpAnswer> ask(asio::io_context& context, Stream& stream, const Target& target, const std::string& path, const std::string& bearer) {
  http::request<http::empty_body> request{http::verb::get, path, 11};
  request.set(http::field::host, target.host + ":" + target.port);
  request.set(http::field::user_agent, "fedgate");
  request.set(http::field::connection, "close");
  if (!bearer.empty()) request.set(http::field::authorization, "Bearer " + bearer);
  auto failed = wait_for(context, [&](auto done) { http::async_write(stream, request, std::move(done)); });
  if (failed) return make_error(ErrorKind::kUnavailable, failed.message());
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(1 << 20);
  failed = wait_for(context, [&](auto done) { http::async_read(stream, buffer, parser, std::move(done)); });
  if (failed) return make_error(ErrorKind::kUnavailable, failed.message());
  auto& response = parser.get();
  return HttpAnswer{response.result_int(), std::move(response.body()), parse_date(std::string(response[http::field::date]))};
}

}  // namespace

Result<HttpAnswer> http_get(const std::string& base, const std::string& path, const std::string& bearer) {
  auto target = parse(base);
  if (!target) return std::unexpected(target.error());
  asio::io_context context{1};
  auto addresses = resolve(context, target->host, target->port);
  if (!addresses) return std::unexpected(addresses.error());
  asio::ssl::context tls(asio::ssl::context::tls_client);
  tls.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  ErrorCode failed;
  tls.set_default_verify_paths(failed);
  beast::ssl_stream<beast::tcp_stream> stream(context, tls);
  auto& plain = stream.next_layer();
  plain.expires_after(kTime);
  failed = wait_for(context, [&](auto done) { plain.async_connect(*addresses, std::move(done)); });
  if (failed) return make_error(ErrorKind::kUnavailable, "cannot connect: " + failed.message());
  if (!target->tls) return ask(context, plain, *target, path, bearer);
  stream.set_verify_mode(asio::ssl::verify_peer);
  stream.set_verify_callback(asio::ssl::host_name_verification(target->host));
  SSL_set_tlsext_host_name(stream.native_handle(), target->host.c_str());
  failed = wait_for(context, [&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, std::move(done)); });
  if (failed) return make_error(ErrorKind::kUnavailable, "TLS: " + failed.message());
  return ask(context, stream, *target, path, bearer);
}

Result<void> tcp_connects(const std::string& address) {
  auto target = parse("http://" + address);
  if (!target) return std::unexpected(target.error());
  asio::io_context context{1};
  auto addresses = resolve(context, target->host, target->port);
  if (!addresses) return std::unexpected(addresses.error());
  beast::tcp_stream stream(context);
  stream.expires_after(kTime);
  auto failed = wait_for(context, [&](auto done) { stream.async_connect(*addresses, std::move(done)); });
  if (failed) return make_error(ErrorKind::kUnavailable, address + ": " + failed.message());
  return {};
}

}  // namespace fedgate::cli
