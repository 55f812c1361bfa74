#include "tests/bench/whole_path/homeserver.h"

#include <charconv>
#include <stdexcept>

#include "adapters/sdk/http.h"

namespace fedgate::bench {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

// One message of HTTP/1.1 at the beginning of `input`: first line, body and how many bytes it has; 0 bytes if it is not whole yet.
struct HttpMessage {
  std::string_view first_line, body;
  std::size_t bytes = 0;
};

bool same_letters(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if ((a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] + 32) : a[i]) != lower[i]) return false;
  return true;
}

std::size_t content_length(std::string_view head) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos && at + kName.size() < head.size(); at = head.find("\r\n", at + 2)) {
    if (!same_letters(head.substr(at, kName.size()), kName)) continue;
    std::size_t from = at + kName.size();
    while (from < head.size() && head[from] == ' ') ++from;
    std::size_t length = 0;
    std::from_chars(head.data() + from, head.data() + head.size(), length);
    return length;
  }
  return 0;
}

HttpMessage first_message(std::string_view input) {
  HttpMessage out;
  std::size_t end = input.find("\r\n\r\n");
  if (end == std::string_view::npos) return out;
  std::size_t length = content_length(input.substr(0, end));
  if (input.size() < end + 4 + length) return out;
  out.first_line = input.substr(0, input.find("\r\n"));
  out.body = input.substr(end + 4, length);
  out.bytes = end + 4 + length;
  return out;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

Homeserver::Homeserver(asio::io_context& context, Options options, std::function<void(std::string_view)> on_sent)
    : context_(context), options_(std::move(options)), on_sent_(std::move(on_sent)), listener_(context, [this](tcp::socket socket) { accepted(std::move(socket)); }) {}

Homeserver::~Homeserver() {
  listener_.close();
  for (const auto& connection : connections_) connection->close();
  if (pusher_) pusher_->close();
}

void Homeserver::accepted(tcp::socket socket) {
  auto place = std::make_shared<std::weak_ptr<Connection>>();
  auto on_input = [this, place](std::string& input) {
    std::size_t used = 0;
    std::string out;
    for (HttpMessage message = first_message(input); message.bytes != 0; message = first_message(std::string_view(input).substr(used))) {
      std::size_t space = message.first_line.find(' ');
      std::string_view target = message.first_line.substr(space + 1);
      out += answer(message.first_line.substr(0, space), target.substr(0, target.find(' ')), message.body);
      used += message.bytes;
    }
    input.erase(0, used);
    if (auto self = place->lock()) self->write(out);
  };
  auto connection = std::make_shared<Connection>(std::move(socket), Connection::Events{on_input, [this, place] { connections_.erase(place->lock()); }});
  *place = connection;
  connections_.insert(connection);
  connection->start();
}

std::string Homeserver::answer(std::string_view method, std::string_view target, std::string_view body) {
  int status = 200;
  std::string_view text = body_of_answer(method, target, body, status);
  std::string out = status == 200 ? "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                                  : "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: ";
  out += std::to_string(text.size());
  out += "\r\n\r\n";
  out += text;
  return out;
}

std::string_view Homeserver::body_of_answer(std::string_view method, std::string_view target, std::string_view body, int& status) {
  if (method == "PUT" && has(target, "/send/")) {
    on_sent_(body);
    return scratch_ = R"({"event_id":"$sent)" + std::to_string(++event_) + "\"}";
  }
  if (has(target, "/account/whoami")) return scratch_ = R"({"user_id":"@fedgate:)" + options_.domain + "\"}";
  if (has(target, "/register") || has(target, "/profile/")) return "{}";
  if (has(target, "/ping")) {
    pinged_ = true;
    return R"({"duration_ms":1})";
  }
  if (std::size_t at = target.find("/join/"); at != std::string_view::npos) {
    std::string room;
    sdk::percent_decode(target.substr(at + 6, target.find('?') - at - 6), room);
    return scratch_ = R"({"room_id":")" + room + "\"}";
  }
  if (has(target, "/state/m.room.member/")) return R"({"membership":"join","displayname":"Alice Beispiel"})";
  status = 404;
  if (!has(target, "/state/m.room.encryption")) unknown_.insert(std::string(method) + " " + std::string(target.substr(0, 200)));
  return R"({"errcode":"M_NOT_FOUND","error":"not here"})";
}

void Homeserver::push(std::string_view events, std::function<void()> done) {
  done_ = std::move(done);
  if (!pusher_) {
    tcp::socket socket(context_);
    boost::system::error_code error;
    socket.connect({asio::ip::address_v4::loopback(), appservice_port_}, error);
    if (error) throw std::runtime_error("fedgate-matrix does not listen for " + options_.domain + ": " + error.message());
    pusher_ = std::make_shared<Connection>(std::move(socket), Connection::Events{[this](std::string& input) { answered(input); }, [this] { pusher_.reset(); }});
    pusher_->start();
  }
  std::string body = "{\"events\":[";
  body += events;
  body += "]}";
  std::string request = "PUT /_matrix/app/v1/transactions/" + std::to_string(++transaction_) + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + options_.hs_token +
                        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  pusher_->write(request + body);
}

void Homeserver::answered(std::string& input) {
  HttpMessage message = first_message(input);
  if (message.bytes == 0) return;
  if (!message.first_line.starts_with("HTTP/1.1 200")) throw std::runtime_error("a transaction was answered with " + std::string(message.first_line));
  input.erase(0, message.bytes);
  std::exchange(done_, nullptr)();
}

}  // namespace fedgate::bench
