#include "adapters/xmpp/component_stream.h"

#include <netinet/tcp.h>
#include <openssl/sha.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <algorithm>
#include <array>
#include <map>

#include "adapters/xmpp/stream_parser.h"
#include "gateway/base/backoff.h"
#include "gateway/base/hash.h"
#include "gateway/base/logger.h"
#include "gateway/base/random.h"

namespace fedgate::xmpp {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

constexpr auto kHandshakeLimit = std::chrono::seconds(10);
constexpr auto kBarrierLimit = std::chrono::seconds(30);
constexpr auto kTick = std::chrono::seconds(5);
constexpr unsigned kUserTimeoutMs = 30000;

std::string handshake_of(std::string_view id, std::string_view secret) {
  std::string text = std::string(id) + std::string(secret);
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return hex({reinterpret_cast<const char*>(digest), sizeof digest});
}

asio::steady_timer::duration steady(Duration duration) { return std::chrono::duration_cast<asio::steady_timer::duration>(duration); }

}  // namespace

class ComponentStream::Running : public std::enable_shared_from_this<Running> {
 public:
  Running(asio::io_context& io, Options given, Events handling)
      : context(io), options(std::move(given)), events(std::move(handling)), socket(io), wake_writer(io), wake_reader(io), pause(io), ticker(io) {}

  asio::awaitable<void> run() {
    auto self = shared_from_this();
    Backoff backoff(std::chrono::milliseconds(200), std::chrono::milliseconds(1500));
    while (!stopped) {
      std::string why = co_await connect();
      if (why.empty()) {
        backoff.reset();
        why = co_await read_all();
      }
      disconnect(why);
      if (stopped) break;
      error_code error;
      pause.expires_after(steady(backoff.next(random)));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }

  void stop() {
    stopped = true;
    if (is_up) out += "</stream:stream>";
    error_code error;
    if (!out.empty() && socket.is_open()) socket.write_some(asio::buffer(out), error);
    socket.close(error);
    pause.cancel();
    wake_writer.cancel();
    wake_reader.cancel();
    ticker.cancel();
  }

  bool enqueue(const Element& stanza) {
    if (!is_up) return false;
    std::string xml = to_xml(stanza);
    if (xml.size() > kStanzaBytesMax) return false;
    out += xml;
    wake_writer.cancel();
    return true;
  }

  asio::io_context& context;
  Options options;
  Events events;
  tcp::socket socket;
  asio::steady_timer wake_writer, wake_reader, pause, ticker;
  SystemRandom random;
  std::string out;
  std::vector<Taken> unbarriered;  // written or in `out`, no ping behind them yet
  bool is_up = false;
  bool stopped = false;

 private:
  struct Barrier {
    std::vector<Taken> taken;
    std::chrono::steady_clock::time_point since;
  };

  asio::awaitable<std::string> connect() {
    error_code error;
    parser.reset();
    stream_id.clear();
    stream_error.clear();
    confirmed = false;
    out.clear();
    std::size_t colon = options.server.rfind(':');
    tcp::resolver resolver(context);
    auto found = co_await resolver.async_resolve(options.server.substr(0, colon), options.server.substr(colon + 1), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return "cannot resolve " + options.server + ": " + error.message();
    socket = tcp::socket(context);
    co_await asio::async_connect(socket, found, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return "cannot connect to " + options.server + ": " + error.message();
    socket.set_option(tcp::no_delay(true), error);
    socket.set_option(asio::socket_base::keep_alive(true), error);
    unsigned limit = kUserTimeoutMs;
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
    parser = std::make_unique<StreamParser>(StreamParser::Events{
        [this](const Element& open) { stream_id = open.attribute("id"); }, [this](Element& stanza) { received(stanza); },
        [this](const Element& head) { events.on_oversize(head); }, [this] { stream_error = "the server closed the stream"; }});
    std::string hello = "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='";
    append_escaped(hello, options.component, true);
    hello += "'>";
    co_await asio::async_write(socket, asio::buffer(hello), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return "cannot write to " + options.server + ": " + error.message();
    auto limit_at = std::chrono::steady_clock::now() + kHandshakeLimit;
    asio::steady_timer guard(context, kHandshakeLimit);
    guard.async_wait([self = shared_from_this()](error_code failed) {
      error_code ignored;
      if (!failed && !self->is_up) self->socket.close(ignored);
    });
    bool sent = false;
    while (!confirmed) {
      if (!sent && !stream_id.empty()) {
        std::string handshake = "<handshake>" + handshake_of(stream_id, options.secret) + "</handshake>";
        co_await asio::async_write(socket, asio::buffer(handshake), asio::redirect_error(asio::use_awaitable, error));
        sent = true;
      }
      if (!error && !confirmed) error = co_await read_some();
      if (!stream_error.empty()) co_return "the server refused the component " + options.component + ": " + stream_error;
      if (error) co_return std::chrono::steady_clock::now() >= limit_at ? "no handshake within 10 s" : "the connection ended in the handshake: " + error.message();
    }
    guard.cancel();
    is_up = true;
    last_sent = std::chrono::steady_clock::now();
    asio::co_spawn(context, write_all(++generation), asio::detached);
    asio::co_spawn(context, tick(generation), asio::detached);
    log::info("xmpp", "component connected", {{"component", options.component}, {"server", options.server}});
    events.on_up();
    co_return std::string();
  }

  asio::awaitable<error_code> read_some() {
    error_code error;
    std::size_t count = co_await socket.async_read_some(asio::buffer(input), asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return error;
    if (auto fed = parser->feed({input.data(), count}); !fed) stream_error = fed.error().message;
    co_return error;
  }

  asio::awaitable<std::string> read_all() {
    for (;;) {
      if (!stream_error.empty()) co_return stream_error;
      while (!events.may_read() && !stopped) {
        error_code ignored;
        wake_reader.expires_after(std::chrono::milliseconds(100));
        co_await wake_reader.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      }
      error_code error = co_await read_some();
      if (error) co_return "connection lost: " + error.message();
    }
  }

  asio::awaitable<void> write_all(std::uint64_t own) {
    auto self = shared_from_this();
    std::string writing;
    while (own == generation && is_up) {
      if (out.empty() && unbarriered.empty()) {
        error_code ignored;
        wake_writer.expires_after(std::chrono::hours(1));
        co_await wake_writer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        continue;
      }
      if (!unbarriered.empty()) place_barrier();
      writing.clear();
      writing.swap(out);
      error_code error;
      co_await asio::async_write(socket, asio::buffer(writing), asio::redirect_error(asio::use_awaitable, error));
      last_sent = std::chrono::steady_clock::now();
      if (error) {
        error_code ignored;
        if (own == generation) socket.close(ignored);  // the reader finds out and tells
        co_return;
      }
    }
  }

  void place_barrier() {
    std::string id = "fg-barrier-" + std::to_string(++barrier_number);
    Element ping = make_stanza("iq", options.component, options.server_domain, "get", id);
    ping.add("ping", "urn:xmpp:ping");
    out += to_xml(ping);
    barriers[id] = {std::move(unbarriered), std::chrono::steady_clock::now()};
    unbarriered.clear();
  }

  void received(Element& stanza) {
    if (!confirmed) {
      if (stanza.name == "handshake") confirmed = true;
      else if (stanza.name == "error") stream_error = error_words(stanza);
      return;
    }
    if (stanza.name == "error" && !is_stream_ns(stanza.ns)) {
      stream_error = error_words(stanza);
      return;
    }
    if (stanza.name == "iq" && (stanza.attribute("type") == "result" || stanza.attribute("type") == "error")) {
      auto found = barriers.find(std::string(stanza.attribute("id")));
      // Only the server itself can lift a barrier; a user who guesses the id cannot.
      if (found != barriers.end() && stanza.attribute("from") == options.server_domain) {
        auto taken = std::move(found->second.taken);
        barriers.erase(found);
        for (auto& one : taken) one(true);
        return;
      }
    }
    events.on_stanza(stanza);
  }

  static std::string error_words(const Element& error) {
    std::string words;
    for (const Element& one : error.children) words += (words.empty() ? "" : " ") + (one.name == "text" ? one.text.substr(0, 200) : one.name);
    return words.empty() ? "stream error" : words;
  }

  asio::awaitable<void> tick(std::uint64_t own) {
    auto self = shared_from_this();
    while (own == generation && is_up) {
      error_code error;
      ticker.expires_after(kTick);
      co_await ticker.async_wait(asio::redirect_error(asio::use_awaitable, error));
      if (error || own != generation || !is_up) co_return;
      auto now = std::chrono::steady_clock::now();
      bool stuck = !barriers.empty() && std::any_of(barriers.begin(), barriers.end(), [&](const auto& entry) { return now - entry.second.since > kBarrierLimit; });
      if (stuck) {
        log::warn("xmpp", "the server does not answer pings", {{"component", options.component}});
        error_code ignored;
        socket.close(ignored);
        co_return;
      }
      if (now - last_sent > std::chrono::seconds(25)) {
        out += " ";
        wake_writer.cancel();
      }
    }
  }

  void disconnect(const std::string& why) {
    is_up = false;
    ++generation;
    error_code ignored;
    socket.close(ignored);
    wake_writer.cancel();
    ticker.cancel();
    auto lost = std::move(unbarriered);
    unbarriered.clear();
    for (auto& [id, barrier] : barriers)
      for (auto& one : barrier.taken) lost.push_back(std::move(one));
    barriers.clear();
    out.clear();
    events.on_down(why);
    for (auto& one : lost) one(false);
  }

  std::unique_ptr<StreamParser> parser;
  std::array<char, 64u << 10> input;
  std::string stream_id;
  std::string stream_error;
  bool confirmed = false;
  std::uint64_t generation = 0;
  std::uint64_t barrier_number = 0;
  std::map<std::string, Barrier> barriers;
  std::chrono::steady_clock::time_point last_sent;
};

ComponentStream::ComponentStream(asio::io_context& context, Options options, Events events)
    : running_(std::make_shared<Running>(context, std::move(options), std::move(events))) {}
ComponentStream::~ComponentStream() { running_->stop(); }
void ComponentStream::start() { asio::co_spawn(running_->context, running_->run(), asio::detached); }
void ComponentStream::stop() { running_->stop(); }
bool ComponentStream::up() const { return running_->is_up; }
bool ComponentStream::send(const Element& stanza) { return running_->enqueue(stanza); }

bool ComponentStream::send_tracked(const Element& stanza, Taken taken) {
  if (!running_->enqueue(stanza)) return false;
  running_->unbarriered.push_back(std::move(taken));
  return true;
}

void ComponentStream::may_read_again() { running_->wake_reader.cancel(); }

}  // namespace fedgate::xmpp
