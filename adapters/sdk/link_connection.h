// LinkConnection: one Attach call, from dialling to its end. gRPC's threads enter the On… functions and post into the io_context; everything else is the io_context's thread.
//
// Made anew for every attempt, keeps itself alive until gRPC is done with it. At most one read and one write are outstanding.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "fedgate/v1/link.grpc.pb.h"

namespace fedgate::sdk {

class LinkConnection final : public grpc::ClientBidiReactor<v1::AdapterFrame, v1::GatewayFrame> {
 public:
  struct Events {
    std::function<void(v1::GatewayFrame&)> on_frame;
    std::function<void()> on_written;
    std::function<void(const grpc::Status&)> on_end;  // once, the last
  };

  static std::shared_ptr<LinkConnection> open(boost::asio::io_context& context, v1::Link::Stub& stub, Events events);

  // Only when nothing is being written. The frame is taken.
  void write(v1::AdapterFrame& frame);
  bool writing() const { return writing_in_flight_; }
  void close();  // on_end follows

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  LinkConnection(boost::asio::io_context& context, Events events) : context_(context), events_(std::move(events)) {}
  void let_go();

  boost::asio::io_context& context_;
  Events events_;
  grpc::ClientContext call_;
  std::shared_ptr<LinkConnection> self_;
  v1::GatewayFrame reading_;
  v1::AdapterFrame writing_;
  bool writing_in_flight_ = false;
  bool held_ = true;  // operations may still be started from outside gRPC's reactions
};

}  // namespace fedgate::sdk
