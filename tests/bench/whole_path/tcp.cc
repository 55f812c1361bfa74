#include "tests/bench/whole_path/tcp.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace fedgate::bench {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

Connection::Connection(tcp::socket socket, Events events) : socket_(std::move(socket)), events_(std::move(events)) {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
}

void Connection::start() { read(); }

void Connection::read() {
  socket_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](error_code error, std::size_t count) {
    if (error) return self->lost();
    self->input_.append(self->chunk_.data(), count);
    self->events_.on_input(self->input_);
    if (!self->is_lost_) self->read();
  });
}

void Connection::write(std::string_view bytes) {
  bool was_empty = out_.empty();
  out_ += bytes;
  if (is_writing_ || !was_empty || is_lost_) return;
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->flush(); });
}

void Connection::flush() {
  if (is_writing_ || out_.empty() || is_lost_) return;
  writing_.clear();
  writing_.swap(out_);
  is_writing_ = true;
  asio::async_write(socket_, asio::buffer(writing_), [self = shared_from_this()](error_code error, std::size_t) {
    self->is_writing_ = false;
    if (error) return self->lost();
    self->flush();
  });
}

void Connection::lost() {
  if (std::exchange(is_lost_, true)) return;
  error_code ignored;
  socket_.close(ignored);
  if (events_.on_lost) events_.on_lost();
}

void Connection::close() {
  is_lost_ = true;
  error_code ignored;
  socket_.close(ignored);
}

Listener::Listener(asio::io_context& context, std::function<void(tcp::socket)> on_accepted)
    : acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), on_accepted_(std::move(on_accepted)) {
  accept();
}

void Listener::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error) return;
    on_accepted_(std::move(socket));
    accept();
  });
}

void Listener::close() {
  error_code ignored;
  acceptor_.close(ignored);
}

std::vector<std::uint16_t> free_ports(std::size_t count) {
  asio::io_context context;
  std::vector<tcp::acceptor> held;
  std::vector<std::uint16_t> out;
  for (std::size_t i = 0; i < count; ++i) {
    held.emplace_back(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    out.push_back(held.back().local_endpoint().port());
  }
  return out;
}

}  // namespace fedgate::bench
