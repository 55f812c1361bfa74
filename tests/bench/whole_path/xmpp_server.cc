#include "tests/bench/whole_path/xmpp_server.h"

namespace fedgate::bench {

using tcp = boost::asio::ip::tcp;

namespace {

// The first whole stanza of `bytes` from `from` on, empty if there is none yet. Only message, iq and presence as fedgate-xmpp writes them: never one within another.
std::string_view stanza_at(std::string_view bytes, std::size_t from) {
  std::size_t begin = bytes.find('<', from);
  if (begin == std::string_view::npos) return {};
  std::size_t name_end = bytes.find_first_of(" />", begin);
  std::size_t tag_end = bytes.find('>', begin);
  if (name_end == std::string_view::npos || tag_end == std::string_view::npos) return {};
  if (bytes[tag_end - 1] == '/') return bytes.substr(begin, tag_end + 1 - begin);
  std::string close = "</" + std::string(bytes.substr(begin + 1, name_end - begin - 1)) + ">";
  std::size_t end = bytes.find(close, tag_end);
  return end == std::string_view::npos ? std::string_view{} : bytes.substr(begin, end + close.size() - begin);
}

std::string_view attribute(std::string_view stanza, std::string_view name) {
  std::string_view tag = stanza.substr(0, stanza.find('>'));
  for (char quote : {'\'', '"'}) {
    std::string sought = " " + std::string(name) + "=" + quote;
    std::size_t at = tag.find(sought);
    if (at == std::string_view::npos) continue;
    at += sought.size();
    return tag.substr(at, tag.find(quote, at) - at);
  }
  return {};
}

}  // namespace

XmppServer::XmppServer(boost::asio::io_context& context, Options options, std::function<void(std::string_view)> on_message)
    : options_(std::move(options)), on_message_(std::move(on_message)), listener_(context, [this](tcp::socket socket) { accepted(std::move(socket)); }) {}

XmppServer::~XmppServer() {
  listener_.close();
  if (connection_) connection_->close();
}

void XmppServer::accepted(tcp::socket socket) {
  if (connection_) connection_->close();
  opened_ = connected_ = false;
  connection_ = std::make_shared<Connection>(std::move(socket), Connection::Events{[this](std::string& bytes) { input(bytes); }, [this] { connected_ = false; }});
  connection_->start();
}

bool XmppServer::opening(std::string& bytes) {
  if (!opened_) {
    std::size_t at = bytes.find("<stream:stream");
    std::size_t end = at == std::string::npos ? at : bytes.find('>', at);
    if (end == std::string::npos) return false;
    bytes.erase(0, end + 1);
    opened_ = true;
    connection_->write("<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='" + options_.component +
                       "' id='bench'>");
  }
  constexpr std::string_view kEnd = "</handshake>";
  std::size_t end = bytes.find(kEnd);
  if (end == std::string::npos) return false;
  bytes.erase(0, end + kEnd.size());
  connection_->write("<handshake/>");
  connected_ = true;
  return true;
}

void XmppServer::input(std::string& bytes) {
  if (!connected_ && !opening(bytes)) return;
  std::size_t used = 0;
  for (std::string_view stanza = stanza_at(bytes, used); !stanza.empty(); stanza = stanza_at(bytes, used)) {
    used = static_cast<std::size_t>(stanza.data() - bytes.data()) + stanza.size();
    if (stanza.starts_with("<iq")) iq(stanza);
    else if (stanza.starts_with("<message")) on_message_(stanza);
  }
  bytes.erase(0, used);
}

void XmppServer::iq(std::string_view stanza) {
  if (attribute(stanza, "type") != "get") return;
  std::string out = "<iq type='result' from='";
  out += attribute(stanza, "to");
  out += "' to='";
  out += attribute(stanza, "from");
  out += "' id='";
  out += attribute(stanza, "id");
  out += "'/>";
  connection_->write(out);
}

}  // namespace fedgate::bench
