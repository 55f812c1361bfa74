// fedgate-xmpp: the networks of the configuration whose adapter is "xmpp", on one link.
#include <boost/asio/io_context.hpp>

#include "adapters/sdk/adapter_main.h"
#include "adapters/xmpp/network.h"

namespace fedgate::xmpp {
namespace {

class XmppAdapter final : public sdk::Adapter {
 public:
  XmppAdapter(boost::asio::io_context& context, const std::string& address, std::vector<Config> configs) {
    sdk::LinkClient::Options options{address, "xmpp", "fedgate-xmpp", {}, {}};
    options.results_wait = std::chrono::milliseconds(1);
    for (const auto& config : configs) {
      options.networks.push_back(config.network);
      options.capabilities[config.network] = Network::capabilities();
    }
    link_ = std::make_unique<sdk::LinkClient>(
        context, options,
        sdk::LinkClient::Handlers{[this](const v1::Welcome& welcome) { on_welcome(welcome); },
                                  [this](v1::Deliver delivery) {
                                    std::string network = delivery.network();
                                    networks_.at(network)->deliver(std::move(delivery));
                                  },
                                  [this](const v1::RoomWanted& room) { room_wanted(room); }});
    for (auto& config : configs) {
      std::string name = config.network;
      networks_[name] = std::make_unique<Network>(context, std::move(config), *link_);
    }
  }

  void start() override { link_->start(); }
  void stop() override {
    for (auto& [name, network] : networks_) network->stop();
    link_->stop();
  }

 private:
  // Servers are greeted only when the core is there: what they would say before could not be taken.
  void on_welcome(const v1::Welcome& welcome) {
    for (const auto& room : welcome.rooms()) room_wanted(room);
    if (std::exchange(started_, true)) return;
    for (auto& [name, network] : networks_) network->start();
  }

  void room_wanted(const v1::RoomWanted& room) {
    auto found = networks_.find(room.network());
    if (found != networks_.end()) found->second->room_wanted(room);
  }

  std::unique_ptr<sdk::LinkClient> link_;
  std::map<std::string, std::unique_ptr<Network>> networks_;
  bool started_ = false;
};

Result<std::unique_ptr<sdk::Adapter>> make(boost::asio::io_context& context, const sdk::AdapterConfig& file) {
  std::vector<Config> configs;
  for (const auto& [name, json] : file.networks) {
    auto config = read_config(file, name);
    if (!config) return std::unexpected(config.error());
    configs.push_back(std::move(*config));
  }
  return std::make_unique<XmppAdapter>(context, file.link, std::move(configs));
}

}  // namespace
}  // namespace fedgate::xmpp

int main(int argc, char** argv) { return fedgate::sdk::run_adapter(argc, argv, "xmpp", fedgate::xmpp::make); }
