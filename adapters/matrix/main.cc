// fedgate-matrix: the networks of the configuration whose adapter is "matrix", on one link.
#include <boost/asio/io_context.hpp>

#include "adapters/matrix/network.h"
#include "adapters/sdk/adapter_main.h"

namespace fedgate::matrix {
namespace {

class MatrixAdapter final : public sdk::Adapter {
 public:
  MatrixAdapter(boost::asio::io_context& context, const std::string& address, std::vector<Config> configs) {
    sdk::LinkClient::Options options{address, "matrix", "fedgate-matrix", {}, {}};
    for (const auto& config : configs) {
      options.networks.push_back(config.network);
      options.capabilities[config.network] = Network::capabilities();
    }
    link_ = std::make_unique<sdk::LinkClient>(
        context, options,
        sdk::LinkClient::Handlers{
            [this](const v1::Welcome& welcome) { for (const auto& room : welcome.rooms()) room_wanted(room); },
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

  Result<void> listen() {
    for (auto& [name, network] : networks_)
      if (auto listening = network->listen(); !listening) return listening;
    return {};
  }
  void start() override {
    link_->start();
    for (auto& [name, network] : networks_) network->start();
  }
  void stop() override {
    for (auto& [name, network] : networks_) network->stop();
    link_->stop();
  }

 private:
  void room_wanted(const v1::RoomWanted& room) {
    auto found = networks_.find(room.network());
    if (found != networks_.end()) found->second->room_wanted(room);
  }

  std::unique_ptr<sdk::LinkClient> link_;
  std::map<std::string, std::unique_ptr<Network>> networks_;
};

Result<std::unique_ptr<sdk::Adapter>> make(boost::asio::io_context& context, const sdk::AdapterConfig& file) {
  std::vector<Config> configs;
  for (const auto& [name, json] : file.networks) {
    auto config = read_config(file, name);
    if (!config) return std::unexpected(config.error());
    configs.push_back(std::move(*config));
  }
  auto adapter = std::make_unique<MatrixAdapter>(context, file.link, std::move(configs));
  if (auto listening = adapter->listen(); !listening) return std::unexpected(listening.error());
  return adapter;
}

}  // namespace
}  // namespace fedgate::matrix

int main(int argc, char** argv) { return fedgate::sdk::run_adapter(argc, argv, "matrix", fedgate::matrix::make); }
