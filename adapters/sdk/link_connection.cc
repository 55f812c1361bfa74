#include "adapters/sdk/link_connection.h"

#include <boost/asio/post.hpp>

namespace fedgate::sdk {

std::shared_ptr<LinkConnection> LinkConnection::open(boost::asio::io_context& context, v1::Link::Stub& stub, Events events) {
  auto connection = std::shared_ptr<LinkConnection>(new LinkConnection(context, std::move(events)));
  connection->self_ = connection;
  stub.async()->Attach(&connection->call_, connection.get());
  connection->AddHold();
  connection->StartRead(&connection->reading_);
  connection->StartCall();
  return connection;
}

void LinkConnection::write(v1::AdapterFrame& frame) {
  if (!held_) return;  // the end is on its way
  writing_.Clear();
  writing_.Swap(&frame);
  writing_in_flight_ = true;
  StartWrite(&writing_);
}

void LinkConnection::close() {
  call_.TryCancel();
  let_go();
}

void LinkConnection::let_go() {
  if (held_) RemoveHold();
  held_ = false;
}

void LinkConnection::OnReadDone(bool ok) {
  boost::asio::post(context_, [connection = self_, ok] {
    if (!ok) return connection->let_go();
    v1::GatewayFrame frame;
    frame.Swap(&connection->reading_);
    if (connection->held_) connection->StartRead(&connection->reading_);
    connection->events_.on_frame(frame);
  });
}

void LinkConnection::OnWriteDone(bool ok) {
  boost::asio::post(context_, [connection = self_, ok] {
    connection->writing_in_flight_ = false;
    if (ok) connection->events_.on_written();
  });
}

void LinkConnection::OnDone(const grpc::Status& status) {
  boost::asio::post(context_, [connection = std::move(self_), status] { connection->events_.on_end(status); });
}

}  // namespace fedgate::sdk
