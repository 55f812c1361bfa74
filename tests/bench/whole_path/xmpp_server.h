// XmppServer: what fedgate-xmpp sees of one, played by the load generator: accepts the component (XEP-0114, any secret), answers pings, hands out messages.
//
// It reads stanzas by their end tags, which is enough for what our own component writes. Its io_context's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/bench/whole_path/tcp.h"

namespace fedgate::bench {

class XmppServer {
 public:
  struct Options {
    std::string component;
    std::string domain;
  };
  XmppServer(boost::asio::io_context& context, Options options, std::function<void(std::string_view stanza)> on_message);
  ~XmppServer();

  std::uint16_t port() const { return listener_.port(); }
  const Options& options() const { return options_; }
  bool connected() const { return connected_; }
  void write(std::string_view stanza) { if (connection_) connection_->write(stanza); }

 private:
  void accepted(boost::asio::ip::tcp::socket socket);
  void input(std::string& bytes);
  bool opening(std::string& bytes);
  void iq(std::string_view stanza);

  Options options_;
  std::function<void(std::string_view)> on_message_;
  Listener listener_;
  std::shared_ptr<Connection> connection_;
  bool opened_ = false, connected_ = false;
};

}  // namespace fedgate::bench
