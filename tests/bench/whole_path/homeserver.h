// Homeserver: what fedgate-matrix sees of one, played by the load generator: the Client-Server API it calls, and transactions pushed at it, one in flight.
//
// Answers at once and keeps nothing, so that what is measured is fedgate. Its io_context's thread.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "tests/bench/whole_path/tcp.h"

namespace fedgate::bench {

class Homeserver {
 public:
  struct Options {
    std::string domain;
    std::string hs_token;
  };
  // `on_sent`: body of a PUT …/send/m.room.message/….
  Homeserver(boost::asio::io_context& context, Options options, std::function<void(std::string_view body)> on_sent);
  ~Homeserver();

  std::uint16_t port() const { return listener_.port(); }
  const std::string& domain() const { return options_.domain; }
  // Where the application service listens; before the first push().
  void push_to(std::uint16_t port) { appservice_port_ = port; }
  bool pinged() const { return pinged_; }
  // Requests that a homeserver has and this one has not, for the report.
  const std::set<std::string>& unknown_requests() const { return unknown_; }

  // The transaction with these events (a JSON list without brackets); done when it was answered with 200, anything else is a std::runtime_error out of the io_context.
  void push(std::string_view events, std::function<void()> done);
  bool pushing() const { return static_cast<bool>(done_); }

 private:
  void accepted(boost::asio::ip::tcp::socket socket);
  std::string answer(std::string_view method, std::string_view target, std::string_view body);
  std::string_view body_of_answer(std::string_view method, std::string_view target, std::string_view body, int& status);
  void answered(std::string& input);

  boost::asio::io_context& context_;
  Options options_;
  std::uint16_t appservice_port_ = 0;
  std::function<void(std::string_view)> on_sent_;
  Listener listener_;
  std::set<std::shared_ptr<Connection>> connections_;
  std::shared_ptr<Connection> pusher_;
  std::function<void()> done_;
  std::set<std::string> unknown_;
  std::string scratch_;
  std::uint64_t transaction_ = 0, event_ = 0;
  bool pinged_ = false;
};

}  // namespace fedgate::bench
