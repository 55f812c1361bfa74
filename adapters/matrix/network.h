// Network: one homeserver with everything that belongs to it; wires the parts together and keeps asking whether the homeserver is there.
//
// Owned by main; one io_context's thread. Deliveries and rooms of other networks are not seen here (MatrixAdapter sorts them).
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "adapters/matrix/appservice.h"
#include "adapters/matrix/deliveries.h"
#include "adapters/sdk/http_server.h"

namespace fedgate::matrix {

class Network {
 public:
  Network(boost::asio::io_context& context, Config config, sdk::LinkClient& link);

  Result<void> listen();
  void start();
  void stop();
  void deliver(v1::Deliver delivery) { deliveries_->deliver(std::move(delivery)); }
  void room_wanted(const v1::RoomWanted& room) { rooms_->wanted(room); }
  const Config& config() const { return config_; }

  static v1::Capabilities capabilities();

 private:
  boost::asio::awaitable<void> watch();
  // Reads what was not pushed: now, and again while the homeserver may still be recovering us.
  boost::asio::awaitable<void> catch_up(std::uint64_t outage);
  boost::asio::awaitable<Answer<void>> greet();
  void unreachable(const std::string& words);

  boost::asio::io_context& context_;
  Config config_;
  sdk::LinkClient& link_;
  Homeserver homeserver_;
  Ghosts ghosts_;
  DirectRooms directs_;
  std::shared_ptr<BridgedRooms> rooms_;
  MissedEvents missed_;
  Transactions transactions_;
  AppService appservice_;
  std::shared_ptr<Deliveries> deliveries_;
  std::unique_ptr<sdk::HttpServer> server_;
  boost::asio::steady_timer timer_;
  std::uint64_t outages_ = 0;
  std::uint64_t connections_lost_ = 0;
  std::chrono::steady_clock::time_point probed_ = std::chrono::steady_clock::now();
  bool up_ = false;
  bool stopped_ = false;
};

}  // namespace fedgate::matrix
