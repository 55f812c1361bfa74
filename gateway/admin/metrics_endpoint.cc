#include "gateway/admin/metrics_endpoint.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace fedgate::admin {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {
constexpr int kConnectionsMax = 16;
constexpr std::size_t kHeaderBytesMax = 8192;
constexpr auto kRequestTime = std::chrono::seconds(5);
constexpr auto kShardTime = std::chrono::seconds(3);
}  // namespace

struct MetricsEndpoint::Running : std::enable_shared_from_this<Running> {
  int connections = 0;  // before the context: sessions that die with it still count down
  Ask ask;
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  std::uint16_t port = 0;
  std::thread thread;

  void accept();
};

namespace {

// One connection; keeps itself alive by its pending operations. Everything on the endpoint's thread.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, MetricsEndpoint::Ask& ask, std::function<void()> gone)
      : stream_(std::move(socket)), timer_(stream_.get_executor()), ask_(ask), gone_(std::move(gone)) {}
  ~Session() { gone_(); }

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytesMax);
    parser_->body_limit(0);
    stream_.expires_after(kRequestTime);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](const ErrorCode& failed, std::size_t) { self->have_request(failed); });
  }

 private:
  void have_request(const ErrorCode& failed) {
    if (failed == http::error::header_limit) return write(http::status::request_header_fields_too_large, "request header too large\n", false);
    if (failed == http::error::body_limit) return write(http::status::payload_too_large, "a request has no body here\n", false);
    if (failed && failed.category() == http::make_error_code(http::error::end_of_stream).category() && failed != http::error::end_of_stream &&
        failed != http::error::partial_message)
      return write(http::status::bad_request, "not an HTTP request\n", false);
    if (failed) return;
    const auto& request = parser_->get();
    std::string target(request.target().substr(0, request.target().find('?')));
    head_ = request.method() == http::verb::head;
    if (target != "/metrics" && target != "/healthz" && target != "/readyz")
      return write(http::status::not_found, "there are /metrics, /healthz and /readyz\n", request.keep_alive());
    if (request.method() != http::verb::get && !head_) return write(http::status::method_not_allowed, "GET or HEAD\n", request.keep_alive());
    ask_shard(std::move(target), request.keep_alive());
  }

  void ask_shard(std::string target, bool keep_alive) {
    stream_.expires_never();
    std::uint64_t asked = ++asked_;
    timer_.expires_after(kShardTime);
    timer_.async_wait([self = shared_from_this(), asked](const ErrorCode& failed) {
      if (failed || self->asked_ != asked) return;
      ++self->asked_;
      self->write(http::status::service_unavailable, "the core does not answer\n", false);
    });
    // A weak reference: an answer that never comes must not keep the connection.
    ask_([weak = weak_from_this(), executor = stream_.get_executor(), target = std::move(target), keep_alive, asked](MetricsEndpoint::Snapshot snapshot) {
      asio::post(executor, [weak, target, keep_alive, asked, snapshot = std::move(snapshot)] {
        auto self = weak.lock();
        if (!self || self->asked_ != asked) return;
        ++self->asked_;
        self->timer_.cancel();
        self->answer(target, snapshot, keep_alive);
      });
    });
  }

  void answer(const std::string& target, const MetricsEndpoint::Snapshot& snapshot, bool keep_alive) {
    if (target == "/metrics") {
      type_ = "text/plain; version=0.0.4; charset=utf-8";
      return write(http::status::ok, snapshot.metrics(), keep_alive);
    }
    if (target == "/healthz" || snapshot.problems.empty()) return write(http::status::ok, target == "/healthz" ? "ok\n" : "ready\n", keep_alive);
    std::string lines;
    for (const auto& problem : snapshot.problems) lines += problem + "\n";
    write(http::status::service_unavailable, std::move(lines), keep_alive);
  }

  void write(http::status status, std::string body, bool keep_alive) {
    response_ = {status, 11};
    response_.set(http::field::content_type, type_);
    response_.set(http::field::cache_control, "no-store");
    if (status == http::status::method_not_allowed) response_.set(http::field::allow, "GET, HEAD");
    response_.keep_alive(keep_alive);
    std::size_t length = body.size();
    if (!head_) response_.body() = std::move(body);
    response_.content_length(length);
    type_ = "text/plain; charset=utf-8";
    stream_.expires_after(kRequestTime);
    http::async_write(stream_, response_, [self = shared_from_this(), keep_alive](const ErrorCode& failed, std::size_t) {
      if (failed) return;
      if (keep_alive) return self->read();
      ErrorCode ignored;  // the peer may be gone already
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  beast::tcp_stream stream_;
  asio::steady_timer timer_;
  MetricsEndpoint::Ask& ask_;
  std::function<void()> gone_;
  beast::flat_buffer buffer_{kHeaderBytesMax * 2};
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
  std::string type_ = "text/plain; charset=utf-8";
  bool head_ = false;
  std::uint64_t asked_ = 0;
};

Result<tcp::endpoint> parse_loopback(const std::string& listen) {
  auto colon = listen.rfind(':');
  std::string host = colon == std::string::npos ? "" : listen.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  std::uint16_t port = 0;
  const char* end = listen.data() + listen.size();
  ErrorCode failed;
  auto address = asio::ip::make_address(host, failed);
  auto digits = colon == std::string::npos ? std::from_chars_result{end, std::errc::invalid_argument} : std::from_chars(listen.data() + colon + 1, end, port);
  if (failed || digits.ec != std::errc() || digits.ptr != end)
    return make_error(ErrorKind::kInvalid, "gateway.metrics: expected ADDRESS:PORT, found " + listen);
  if (!address.is_loopback()) return make_error(ErrorKind::kInvalid, "gateway.metrics: only loopback addresses, found " + listen);
  return tcp::endpoint(address, port);
}

}  // namespace

void MetricsEndpoint::Running::accept() {
  acceptor.async_accept([this](const ErrorCode& failed, tcp::socket socket) {
    if (failed == asio::error::operation_aborted) return;
    if (!failed && connections < kConnectionsMax) {
      ++connections;
      std::make_shared<Session>(std::move(socket), ask, [this] { --connections; })->read();
    }
    accept();
  });
}

MetricsEndpoint::MetricsEndpoint(std::shared_ptr<Running> running) : running_(std::move(running)) {}
MetricsEndpoint::~MetricsEndpoint() { stop(); }
std::uint16_t MetricsEndpoint::port() const { return running_->port; }

Result<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::start(const std::string& listen, Ask ask) {
  auto endpoint = parse_loopback(listen);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto running = std::make_shared<Running>();
  running->ask = std::move(ask);
  ErrorCode failed;
  running->acceptor.open(endpoint->protocol(), failed);
  if (!failed) running->acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) running->acceptor.bind(*endpoint, failed);
  if (!failed) running->acceptor.listen(kConnectionsMax, failed);
  if (failed) return make_error(ErrorKind::kUnavailable, "gateway.metrics: cannot listen on " + listen + ": " + failed.message());
  running->port = running->acceptor.local_endpoint().port();
  running->accept();
  running->thread = std::thread([raw = running.get()] { raw->context.run(); });
  return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(std::move(running)));
}

void MetricsEndpoint::stop() {
  if (!running_->thread.joinable()) return;
  running_->context.stop();
  running_->thread.join();
}

}  // namespace fedgate::admin
