// LinkClient: the adapter's end of the link to the core (proto/fedgate/v1/link.proto), for one or more networks of one adapter kind.
//
// Lives on one io_context's thread: every call and every callback. gRPC's own threads only post into it. Reconnects for ever (50 ms to 2 s, jitter). Keeps no queue: what waits for a verdict is in memory
// only, as is what was delivered and not answered; after a reconnect the first is submitted again with the same dedup_key and the second comes again from the core.
// Limits: unanswered submissions = the core's credit (further ones wait inside submit()); unanswered deliveries = Options::deliver_window; results remembered = 16,384.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "fedgate/v1/link.pb.h"
#include "gateway/base/result.h"

namespace fedgate::sdk {

class LinkClient {
 public:
  struct Options {
    std::string address;        // "unix:/path"
    std::string adapter;        // kind
    std::string software;
    std::vector<std::string> networks;
    std::map<std::string, v1::Capabilities> capabilities;  // by network
    std::uint32_t deliver_window = 1024;
    // How long results may wait for company. Above 0 only where the lane window is wide: the next delivery of a full lane waits for them.
    std::chrono::microseconds results_wait{0};
  };

  // Called on the io_context's thread. on_deliver: answer later with result(), exactly once per delivery_id. A redelivery that was answered before is answered from memory and not seen; one that is
  // still being worked on is not seen a second time either.
  struct Handlers {
    std::function<void(const v1::Welcome&)> on_welcome;  // after every (re)connection; rooms wanted are in it
    std::function<void(v1::Deliver)> on_deliver;
    std::function<void(const v1::RoomWanted&)> on_room_wanted;
  };

  LinkClient(boost::asio::io_context& context, Options options, Handlers handlers);
  ~LinkClient();

  void start();
  void stop();

  // Final verdict of one envelope: waits for credit, resubmits after a lost session, obeys WAIT. Never WAIT. Order of calls is order of submission.
  boost::asio::awaitable<v1::Verdict> submit(v1::Envelope envelope);
  // The same with a callback instead of a coroutine, for the busy path.
  void submit(v1::Envelope envelope, std::function<void(const v1::Verdict&)> done);
  // Submissions without verdict, waiting ones included: the measure for back-pressure towards the network.
  std::size_t unanswered_submissions() const;

  void result(v1::DeliveryResult result);

  void status(const std::string& network, bool up, const std::string& reason);  // kept and told again after a reconnect
  void room_state(v1::RoomState state);                                          // kept per room, likewise

  // The reply to a person's command; nullopt when the core was not reachable within 10 s.
  boost::asio::awaitable<std::optional<v1::CommandReply>> command(v1::Command command);

  // The adapter's durable memory, kept by the core; complete after the first on_welcome.
  std::optional<std::string> recall(const std::string& network, const std::string& key) const;
  std::vector<std::pair<std::string, std::string>> recall_prefix(const std::string& network, const std::string& prefix) const;  // (key, value), in key order
  // Durable when it returns; repeated over reconnects.
  boost::asio::awaitable<Result<void>> remember(std::string network, std::string key, std::string value);
  boost::asio::awaitable<Result<void>> forget(std::string network, std::string key);

  bool connected() const;
  const std::string& gateway() const;                      // name from Welcome
  const std::vector<v1::PeerNetwork>& peers() const;
  bool is_peer(const std::string& network) const;

 private:
  class Running;
  std::shared_ptr<Running> running_;
};

}  // namespace fedgate::sdk
