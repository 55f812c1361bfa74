#include "adapters/matrix/network.h"

#include <array>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "gateway/base/hash.h"
#include "gateway/base/logger.h"
#include "gateway/base/random.h"

namespace fedgate::matrix {

namespace asio = boost::asio;

namespace {
constexpr auto kProbeWhileDown = std::chrono::milliseconds(700);
constexpr auto kProbeWhileUp = std::chrono::seconds(2);  // a homeserver that crashed and is back must not go unnoticed: MissedEvents
constexpr std::array kLookAgainAfter = {std::chrono::seconds(0), std::chrono::seconds(5), std::chrono::seconds(25)};
constexpr std::uint32_t kTextBytesMax = 40000;  // an event is at most 65,536 bytes, escaped and signed
}  // namespace

Network::Network(asio::io_context& context, Config config, sdk::LinkClient& link)
    : context_(context),
      config_(std::move(config)),
      link_(link),
      homeserver_(context, config_),
      ghosts_(config_, homeserver_, link),
      directs_(config_, homeserver_, link, ghosts_),
      rooms_(std::make_shared<BridgedRooms>(context, config_, homeserver_, link)),
      missed_(config_, homeserver_, link, directs_, *rooms_),
      transactions_(context, config_, homeserver_, link, ghosts_, directs_, *rooms_, missed_),
      appservice_(config_, ghosts_, *rooms_, transactions_),
      deliveries_(std::make_shared<Deliveries>(context, config_, homeserver_, link, ghosts_, directs_, *rooms_, [this](const std::string& words) { unreachable(words); })),
      timer_(context) {}

v1::Capabilities Network::capabilities() {
  v1::Capabilities out;
  for (const char* feature : {"text", "emote"}) (*out.mutable_features())[feature] = v1::LEVEL_FULL;
  // Not "notice/delivered": one more event per message would double what the homeserver has to store.
  out.set_max_text_bytes(kTextBytesMax);
  out.set_lane_window(1);
  return out;
}

Result<void> Network::listen() {
  auto server = sdk::HttpServer::start(context_, config_.listen, [this](const sdk::HttpRequest& request) { return appservice_.answer(request); });
  if (!server) return std::unexpected(server.error());
  server_ = std::move(*server);
  return {};
}

void Network::start() {
  link_.status(config_.network, false, "the homeserver has not answered yet");
  asio::co_spawn(context_, watch(), asio::detached);
}

void Network::stop() {
  stopped_ = true;
  timer_.cancel();
  rooms_->stop();
  if (server_) server_->stop();
  homeserver_.stop();
}

void Network::unreachable(const std::string& words) {
  missed_.outage();
  if (!std::exchange(up_, false)) return;
  log::warn("matrix", "homeserver away", {{"network", config_.network}, {"why", words}});
  link_.status(config_.network, false, words);
  timer_.cancel();  // probe soon
}

asio::awaitable<Answer<void>> Network::greet() {
  auto who = co_await homeserver_.call("GET", "/_matrix/client/v3/account/whoami", "");
  if (!who) {
    // Some homeservers know the bot only after it was registered.
    if (who.error().status != 403 && who.error().status != 404) co_return std::unexpected(who.error());
  }
  if (up_) co_return Answer<void>{};
  auto bot = co_await homeserver_.register_user(config_.bot);
  if (!bot) co_return bot;
  // A successful ping makes the homeserver send at once what it kept for us, instead of after minutes.
  auto pinged = co_await homeserver_.ping(hex(SystemRandom::bytes(8)));
  if (!pinged && !pinged.error().unreachable)
    log::warn("matrix", "the homeserver cannot reach this application service yet", {{"network", config_.network}, {"why", pinged.error().words}});
  co_return Answer<void>{};
}

asio::awaitable<void> Network::catch_up(std::uint64_t outage) {
  while (!co_await rooms_->known())
    if (stopped_ || outage != outages_) co_return;
  missed_.recovered();
  asio::steady_timer timer(context_);
  for (auto pause : kLookAgainAfter) {
    boost::system::error_code error;
    timer.expires_after(pause);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (stopped_ || !up_ || outage != outages_) co_return;
    missed_.suspect_again();
    co_await transactions_.catch_up();
  }
}

asio::awaitable<void> Network::watch() {
  std::string told;
  while (!stopped_) {
    auto greeted = co_await greet();
    if (stopped_) break;
    if (greeted && !up_) {
      up_ = true;
      told.clear();
      log::info("matrix", "homeserver there", {{"network", config_.network}});
      link_.status(config_.network, true, "");
      asio::co_spawn(context_, catch_up(++outages_), asio::detached);
    } else if (!greeted) {
      missed_.outage();
      if (greeted.error().words != told) link_.status(config_.network, false, greeted.error().words);
      if (std::exchange(up_, false) || told.empty()) log::warn("matrix", "homeserver away", {{"network", config_.network}, {"why", greeted.error().words}});
      told = greeted.error().words;
    }
    // Restarted within a moment: its connection was closed, or we were suspended and saw nothing.
    bool lost = std::exchange(connections_lost_, homeserver_.connections_lost()) != homeserver_.connections_lost();
    auto now = std::chrono::steady_clock::now();
    bool suspended = now - std::exchange(probed_, now) > kProbeWhileUp + std::chrono::seconds(1);
    if (up_ && (lost || suspended)) {
      missed_.outage();
      asio::co_spawn(context_, catch_up(++outages_), asio::detached);
    }
    if (up_) asio::co_spawn(context_, missed_.contact(), asio::detached);
    boost::system::error_code error;
    timer_.expires_after(up_ ? std::chrono::duration_cast<asio::steady_timer::duration>(kProbeWhileUp)
                             : std::chrono::duration_cast<asio::steady_timer::duration>(kProbeWhileDown));
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

}  // namespace fedgate::matrix
