// Connection: one loopback TCP connection of the load generator: what arrives is appended to a buffer, what is written goes out in one piece per turn.
//
// Held by shared_ptr; its io_context's thread. A lost connection is told once and then silent.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fedgate::bench {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Events {
    std::function<void(std::string& input)> on_input;  // takes away what it has understood
    std::function<void()> on_lost;
  };
  Connection(boost::asio::ip::tcp::socket socket, Events events);
  void start();
  void write(std::string_view bytes);
  void close();

 private:
  void read();
  void flush();
  void lost();

  boost::asio::ip::tcp::socket socket_;
  Events events_;
  std::array<char, 64u << 10> chunk_;
  std::string input_, out_, writing_;
  bool is_writing_ = false;
  bool is_lost_ = false;
};

// Listens on a free loopback port and keeps accepting.
class Listener {
 public:
  Listener(boost::asio::io_context& context, std::function<void(boost::asio::ip::tcp::socket)> on_accepted);
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void close();

 private:
  void accept();
  boost::asio::ip::tcp::acceptor acceptor_;
  std::function<void(boost::asio::ip::tcp::socket)> on_accepted_;
};

// Ports that nobody listens on just now, all different.
std::vector<std::uint16_t> free_ports(std::size_t count);

}  // namespace fedgate::bench
