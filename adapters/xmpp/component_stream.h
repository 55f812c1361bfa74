// ComponentStream: the connection of one component (XEP-0114), for ever: connect, handshake, read, write, connect again.
//
// One io_context's thread. send_tracked() tells when the server has taken a stanza: a ping is sent behind each written batch, and any answer to it means that everything before it was taken (both servers work on one component
// stream in order). When the connection breaks, everything open is told as lost; it may or may not have been taken. Limits: one stanza 128 KiB out, 600 KiB in; 30 s without answer to a ping ends the connection.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "adapters/xmpp/element.h"

namespace fedgate::xmpp {

class ComponentStream {
 public:
  struct Options {
    std::string component;      // our domain
    std::string server;         // host:port
    std::string server_domain;  // whom to ping
    std::string secret;
  };
  struct Events {
    std::function<void()> on_up;
    std::function<void(const std::string& why)> on_down;  // also for a failed attempt
    std::function<void(Element&)> on_stanza;
    std::function<void(const Element& head)> on_oversize;
    std::function<bool()> may_read;                        // false: leave bytes with the server for now
  };
  using Taken = std::function<void(bool taken)>;

  static constexpr std::size_t kStanzaBytesMax = 128u << 10;

  ComponentStream(boost::asio::io_context& context, Options options, Events events);
  ~ComponentStream();

  void start();
  void stop();
  bool up() const;

  // Dropped when not up; false then, or when the stanza is larger than servers take.
  bool send(const Element& stanza);
  // `taken` is called exactly once if true is returned.
  bool send_tracked(const Element& stanza, Taken taken);
  void may_read_again();

 private:
  class Running;
  std::shared_ptr<Running> running_;
};

}  // namespace fedgate::xmpp
