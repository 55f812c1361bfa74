#include "adapters/sdk/link_client.h"

#include <grpcpp/grpcpp.h>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "adapters/sdk/link_connection.h"
#include "adapters/sdk/link_state.h"
#include "gateway/base/backoff.h"
#include "gateway/base/logger.h"

namespace fedgate::sdk {

namespace asio = boost::asio;

namespace {

constexpr auto kCommandLimit = std::chrono::seconds(10);
// Under load a frame waits this long after the one before it. A frame costs each side about 100 us of waking threads, whatever is in it.
constexpr auto kFramesApart = std::chrono::microseconds(500);

std::shared_ptr<grpc::Channel> dial(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(32 << 20);
  // The client has a back-off of its own; gRPC's would add seconds to it.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

class LinkClient::Running : public std::enable_shared_from_this<Running> {
 public:
  Running(asio::io_context& io, Options given, Handlers handling)
      : context(io), options(std::move(given)), handlers(std::move(handling)), state(options.deliver_window), stub(v1::Link::NewStub(dial(options.address))), timer(io), pacer(io) {}

  void connect() {
    if (stopped) return;
    auto weak = weak_from_this();
    connection = LinkConnection::open(context, *stub,
                                      {[weak](v1::GatewayFrame& frame) { if (auto self = weak.lock()) self->on_frame(frame); },
                                       [weak] { if (auto self = weak.lock()) self->flush_soon(); },
                                       [weak](const grpc::Status& status) { if (auto self = weak.lock()) self->on_end(status); }});
    v1::AdapterFrame frame;
    auto& hello = *frame.mutable_hello();
    hello.set_protocol_version(1);
    hello.set_adapter(options.adapter);
    hello.set_software(options.software);
    for (const auto& network : options.networks) hello.add_networks(network);
    for (const auto& [network, capabilities] : options.capabilities) (*hello.mutable_capabilities())[network] = capabilities;
    frame.set_deliver_credit(state.deliver_window());
    connection->write(frame);
  }

  void stop() {
    stopped = true;
    timer.cancel();
    if (connection) connection->close();
  }

  // Many calls of one turn of the io_context become one frame; under load, many turns.
  void flush_soon(std::chrono::microseconds patience = {}) {
    if (!welcomed) return;
    auto now = std::chrono::steady_clock::now();
    auto at = std::max(last_frame + kFramesApart, now + patience);
    if (flush_posted && flush_at <= at) return;
    flush_posted = true;
    flush_at = at;
    if (at <= now) return asio::post(context, [self = shared_from_this(), at] { self->flush_if(at); });
    pacer.expires_at(at);  // an earlier wait ends with an error
    pacer.async_wait([self = shared_from_this(), at](boost::system::error_code error) { if (!error) self->flush_if(at); });
  }
  void flush_if(std::chrono::steady_clock::time_point at) {
    if (flush_posted && flush_at == at) flush();
  }

  asio::io_context& context;
  Options options;
  Handlers handlers;
  LinkState state;
  std::unique_ptr<v1::Link::Stub> stub;
  asio::steady_timer timer;
  asio::steady_timer pacer;
  std::chrono::steady_clock::time_point last_frame{};
  std::chrono::steady_clock::time_point flush_at{};
  std::shared_ptr<LinkConnection> connection;
  SystemRandom random;
  Backoff backoff{std::chrono::milliseconds(50), std::chrono::seconds(2)};
  std::string gateway;
  std::vector<v1::PeerNetwork> peers;
  bool welcomed = false;
  bool flush_posted = false;
  bool stopped = false;

 private:
  void flush() {
    flush_posted = false;
    if (!welcomed || !connection || connection->writing()) return;
    v1::AdapterFrame frame;
    if (!state.fill(frame)) return;
    last_frame = std::chrono::steady_clock::now();
    connection->write(frame);
  }

  void on_frame(v1::GatewayFrame& frame) {
    if (frame.has_welcome()) on_welcome(frame.welcome());
    state.credit(frame.submit_credit());
    for (auto& verdict : *frame.mutable_verdicts()) {
      std::uint64_t ref = verdict.ref();
      if (auto wait_ms = state.verdict(std::move(verdict))) retry_after(ref, *wait_ms);
    }
    for (const auto& written : frame.states_written()) state.written(written);
    for (auto& reply : *frame.mutable_command_replies()) state.reply(std::move(reply));
    for (const auto& wanted : frame.rooms_wanted()) handlers.on_room_wanted(wanted);
    for (auto& delivery : *frame.mutable_deliveries())
      if (state.deliver(delivery)) handlers.on_deliver(std::move(delivery));
    flush_soon(state.submissions_wait() ? std::chrono::microseconds(0) : options.results_wait);
  }

  void on_welcome(const v1::Welcome& welcome) {
    backoff.reset();
    gateway = welcome.gateway();
    peers.assign(welcome.peers().begin(), welcome.peers().end());
    state.begin_session(welcome);
    welcomed = true;
    log::info("link", "attached to the core", {{"gateway", gateway}, {"session", welcome.session()}, {"submissions_again", state.unanswered_submissions()}});
    handlers.on_welcome(welcome);
  }

  void retry_after(std::uint64_t ref, std::uint32_t wait_ms) {
    auto waiting = std::make_shared<asio::steady_timer>(context, std::chrono::milliseconds(wait_ms));
    waiting->async_wait([self = shared_from_this(), waiting, ref](boost::system::error_code error) {
      if (error || self->stopped) return;
      self->state.retry(ref);
      self->flush_soon();
    });
  }

  void on_end(const grpc::Status& status) {
    welcomed = false;
    connection.reset();
    if (stopped) return;
    auto pause = backoff.next(random);
    // The first loss is news; that the core is still away is not.
    if (backoff.attempts() <= 1) log::warn("link", "link to the core lost", {{"why", status.error_message()}});
    else if (status.error_code() != grpc::StatusCode::UNAVAILABLE) log::error("link", "the core does not take this adapter", {{"why", status.error_message()}});
    timer.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(pause));
    timer.async_wait([self = shared_from_this()](boost::system::error_code error) { if (!error) self->connect(); });
  }
};

LinkClient::LinkClient(asio::io_context& context, Options options, Handlers handlers)
    : running_(std::make_shared<Running>(context, std::move(options), std::move(handlers))) {}
LinkClient::~LinkClient() { running_->stop(); }

void LinkClient::start() { running_->connect(); }
void LinkClient::stop() { running_->stop(); }

void LinkClient::submit(v1::Envelope envelope, std::function<void(const v1::Verdict&)> done) {
  running_->state.submit(std::move(envelope), [done = std::move(done)](v1::Verdict verdict) { done(verdict); });
  running_->flush_soon();
}

asio::awaitable<v1::Verdict> LinkClient::submit(v1::Envelope envelope) {
  auto running = running_;
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(v1::Verdict)>(
      [running](auto handler, v1::Envelope taken) {
        running->state.submit(std::move(taken), [handler = std::move(handler)](v1::Verdict verdict) mutable { std::move(handler)(std::move(verdict)); });
        running->flush_soon();
      },
      asio::use_awaitable, std::move(envelope));
}

std::size_t LinkClient::unanswered_submissions() const { return running_->state.unanswered_submissions(); }

void LinkClient::result(v1::DeliveryResult result) {
  running_->state.result(std::move(result));
  running_->flush_soon(running_->options.results_wait);
}

void LinkClient::status(const std::string& network, bool up, const std::string& reason) {
  v1::NetworkStatus status;
  status.set_network(network);
  status.set_up(up);
  status.set_reason(reason);
  running_->state.status(std::move(status));
  running_->flush_soon();
}

void LinkClient::room_state(v1::RoomState state) {
  running_->state.room_state(std::move(state));
  running_->flush_soon();
}

asio::awaitable<std::optional<v1::CommandReply>> LinkClient::command(v1::Command command) {
  auto running = running_;
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(std::optional<v1::CommandReply>)>(
      [running](auto handler, v1::Command taken) {
        auto limit = std::make_shared<asio::steady_timer>(running->context, kCommandLimit);
        std::uint64_t ref = running->state.command(std::move(taken), [handler = std::move(handler), limit](std::optional<v1::CommandReply> reply) mutable {
          limit->cancel();
          std::move(handler)(std::move(reply));
        });
        limit->async_wait([running, ref](boost::system::error_code error) { if (!error) running->state.give_up_command(ref); });
        running->flush_soon();
      },
      asio::use_awaitable, std::move(command));
}

std::optional<std::string> LinkClient::recall(const std::string& network, const std::string& key) const {
  auto found = running_->state.memory().find({network, key});
  if (found == running_->state.memory().end()) return std::nullopt;
  return found->second;
}

std::vector<std::pair<std::string, std::string>> LinkClient::recall_prefix(const std::string& network, const std::string& prefix) const {
  std::vector<std::pair<std::string, std::string>> out;
  const auto& memory = running_->state.memory();
  for (auto at = memory.lower_bound({network, prefix}); at != memory.end() && at->first.first == network && at->first.second.starts_with(prefix); ++at)
    out.emplace_back(at->first.second, at->second);
  return out;
}

namespace {

template <class State, class Flush>
asio::awaitable<Result<void>> write_state(State state, Flush flush, v1::StateEntry entry, bool erase) {
  co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(Result<void>)>(
      [state, flush, erase](auto handler, v1::StateEntry taken) {
        state->write(std::move(taken), erase, [handler = std::move(handler)](Result<void> done) mutable { std::move(handler)(std::move(done)); });
        flush();
      },
      asio::use_awaitable, std::move(entry));
}

}  // namespace

asio::awaitable<Result<void>> LinkClient::remember(std::string network, std::string key, std::string value) {
  v1::StateEntry entry;
  entry.set_network(std::move(network));
  entry.set_key(std::move(key));
  entry.set_value(std::move(value));
  return write_state(&running_->state, [running = running_] { running->flush_soon(); }, std::move(entry), false);
}

asio::awaitable<Result<void>> LinkClient::forget(std::string network, std::string key) {
  v1::StateEntry entry;
  entry.set_network(std::move(network));
  entry.set_key(std::move(key));
  return write_state(&running_->state, [running = running_] { running->flush_soon(); }, std::move(entry), true);
}

bool LinkClient::connected() const { return running_->welcomed; }
const std::string& LinkClient::gateway() const { return running_->gateway; }
const std::vector<v1::PeerNetwork>& LinkClient::peers() const { return running_->peers; }

bool LinkClient::is_peer(const std::string& network) const {
  for (const auto& peer : running_->peers)
    if (peer.network() == network) return true;
  return false;
}

}  // namespace fedgate::sdk
