// A fedgate-core process alone, over its unix socket: submissions in, deliveries out and settled, everything durable. This program is both adapters.
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "fedgate/v1/link.grpc.pb.h"
#include "gateway/codec/envelope_codec.h"
#include "tests/bench/measure.h"
#include "tests/bench/sample.h"
#include "tests/bench/whole_path/processes.h"
#include "tests/bench/whole_path/tcp.h"

namespace fedgate::bench {
namespace {

constexpr int kDeliverWindow = 4096;

class Attached {
 public:
  Attached(v1::Link::Stub& stub, const std::string& adapter, const std::string& network, std::uint32_t deliver_credit) {
    stream_ = stub.Attach(&call_);
    v1::AdapterFrame frame;
    auto& hello = *frame.mutable_hello();
    hello.set_protocol_version(1);
    hello.set_adapter(adapter);
    hello.add_networks(network);
    auto& capabilities = (*hello.mutable_capabilities())[network];
    (*capabilities.mutable_features())["text"] = v1::LEVEL_FULL;
    capabilities.set_lane_window(256);
    frame.set_deliver_credit(deliver_credit);
    v1::GatewayFrame answer;
    if (!stream_->Write(frame) || !stream_->Read(&answer) || !answer.has_welcome()) throw std::runtime_error("fedgate-core did not take the adapter " + adapter);
    credit = answer.welcome().submit_credit();
    v1::AdapterFrame up;
    auto& status = *up.add_statuses();
    status.set_network(network);
    status.set_up(true);
    stream_->Write(up);
  }
  bool read(v1::GatewayFrame& frame) { return stream_->Read(&frame); }
  void write(const v1::AdapterFrame& frame) {
    if (!stream_->Write(frame)) throw std::runtime_error("fedgate-core ended the link");
  }
  void end() { call_.TryCancel(); }

  std::int64_t credit = 0;

 private:
  grpc::ClientContext call_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AdapterFrame, v1::GatewayFrame>> stream_;
};

// Answers every delivery of a frame in one frame, and counts.
void settle_all(Attached& xmpp, std::atomic<std::uint64_t>& settled) {
  v1::GatewayFrame frame;
  while (xmpp.read(frame)) {
    if (frame.deliveries().empty()) continue;
    v1::AdapterFrame out;
    for (const auto& delivery : frame.deliveries()) {
      auto& result = *out.add_results();
      result.set_delivery_id(delivery.delivery_id());
      result.set_outcome(v1::DeliveryResult::DELIVERED);
      result.add_native_ids(delivery.delivery_id());
    }
    out.set_deliver_credit(static_cast<std::uint32_t>(frame.deliveries_size()));
    xmpp.write(out);
    settled += static_cast<std::uint64_t>(frame.deliveries_size());
    settled.notify_all();
  }
}

class Submitter {
 public:
  explicit Submitter(Attached& matrix) : matrix_(matrix), reader_([this] { read_all(); }) {}
  ~Submitter() {
    matrix_.end();
    reader_.join();
  }
  void submit(int batch) {
    {
      std::unique_lock lock(mutex_);
      credit_came_.wait(lock, [&] { return matrix_.credit >= batch; });
      matrix_.credit -= batch;
    }
    // Built once; then only what differs from message to message is written anew.
    while (frame_.submits_size() < batch) codec::to_proto(sample_envelope(static_cast<std::uint64_t>(frame_.submits_size()), 600), *frame_.add_submits()->mutable_envelope());
    for (auto& submit : *frame_.mutable_submits()) {
      submit.set_ref(++number_);
      std::string id = "$" + std::to_string(1000000000000 + number_);
      submit.mutable_envelope()->set_native_id(id);
      submit.mutable_envelope()->set_dedup_key(id);
    }
    matrix_.write(frame_);
  }
  std::uint64_t number() const { return number_; }

 private:
  void read_all() {
    v1::GatewayFrame frame;
    while (matrix_.read(frame)) {
      std::lock_guard lock(mutex_);
      matrix_.credit += frame.submit_credit();
      credit_came_.notify_one();
    }
  }

  Attached& matrix_;
  v1::AdapterFrame frame_;
  std::uint64_t number_ = 0;
  std::mutex mutex_;
  std::condition_variable credit_came_;
  std::thread reader_;
};

nlohmann::json configuration() {
  auto network = [](const char* adapter, const char* domain) {
    return nlohmann::json{{"adapter", adapter}, {"realm", "de-fed"}, {"domains", {{domain, "de-fed"}}}, {"protection", "tls"}, {"default_level", "INTERNAL"}};
  };
  nlohmann::json bund = network("matrix", "bund.example"), bpol = network("xmpp", "polizei.example");
  auto ports = free_ports(3);
  auto at = [&](std::size_t i) { return "127.0.0.1:" + std::to_string(ports[i]); };
  bund["matrix"] = {{"domain", "bund.example"}, {"homeserver", "http://" + at(0)}, {"listen", at(1)}, {"as_token", {{"file", "as_token"}}}, {"hs_token", {{"file", "hs_token"}}}, {"bot", "fedgate"}};
  bpol["xmpp"] = {{"component", "gw.polizei.example"}, {"server", at(0)}, {"server_domain", "polizei.example"}, {"secret", {{"file", "secret"}}}, {"nick", "fedgate"}};
  return {{"gateway", {{"name", "gw-bench"}, {"data_dir", "data"}, {"link", "unix:link.sock"}, {"admin", "unix:admin.sock"}, {"metrics", at(2)}}},
          {"networks", {{"bund", bund}, {"bpol", bpol}}}, {"policy", std::filesystem::absolute("config/policies/two-agencies.json").string()}, {"log", {{"level", "warn"}}}};
}

double link_rate(v1::Link::Stub& stub, int batch, double seconds) {
  using Clock = std::chrono::steady_clock;
  Attached xmpp(stub, "xmpp", "bpol", kDeliverWindow);
  Attached matrix(stub, "matrix", "bund", 0);
  std::atomic<std::uint64_t> settled = 0;
  std::thread settler([&] { settle_all(xmpp, settled); });
  double per_second = 0;
  {
    Submitter submitter(matrix);
    auto began = Clock::now();
    while (std::chrono::duration<double>(Clock::now() - began).count() < seconds) submitter.submit(batch);
    for (auto seen = settled.load(); seen < submitter.number(); seen = settled.load()) settled.wait(seen);
    per_second = static_cast<double>(submitter.number()) / std::chrono::duration<double>(Clock::now() - began).count();
  }
  xmpp.end();
  settler.join();
  return per_second;
}

}  // namespace

void measure_link(const Calibration& calibration, const std::string& folder, bool smoke, std::vector<Row>& rows) {
  for (auto [batch, target] : {std::pair{1, 0.0}, {32, 50000.0}, {128, 0.0}}) {
    std::filesystem::path place = std::filesystem::path(folder) / ("link-" + std::to_string(batch));
    Processes processes(place);
    processes.write(configuration(), {{"as_token", "bench-as-token-0123456789abcdef"}, {"hs_token", "bench-hs-token-0123456789abcdef"}, {"secret", "bench-secret-0123456789abcdef"}});
    processes.start({"fedgate-core"});
    auto channel = grpc::CreateChannel("unix:" + (place / "link.sock").string(), grpc::InsecureChannelCredentials());
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(20))) throw std::runtime_error("fedgate-core does not listen\n" + processes.logs());
    auto stub = v1::Link::NewStub(channel);
    double per_second = link_rate(*stub, batch, smoke ? 0.3 : 3.0);
    rows.push_back({"core over a unix socket, " + std::to_string(batch) + " in a frame", per_second, 1e6 / per_second, per_second / calibration.sha256_1k_per_second, "sha256 of 1 KiB",
                    target / kReferenceSha256, ""});
  }
}

}  // namespace fedgate::bench
