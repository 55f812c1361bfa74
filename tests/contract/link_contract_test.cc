#include <doctest/doctest.h>
#include <grpcpp/grpcpp.h>


#include "fedgate/v1/link.grpc.pb.h"
#include "tests/contract/core_lab.h"

namespace fedgate::link {
namespace {

struct Adapter {
  grpc::ClientContext context;
  std::unique_ptr<v1::Link::Stub> stub;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AdapterFrame, v1::GatewayFrame>> stream;

  explicit Adapter(const Lab& lab) : stub(v1::Link::NewStub(grpc::CreateChannel("unix:" + lab.folder + "/link.sock", grpc::InsecureChannelCredentials()))) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    stream = stub->Attach(&context);
  }
  bool hello(const std::string& kind, const std::string& network, std::uint32_t credit, v1::GatewayFrame& answer) {
    v1::AdapterFrame frame;
    frame.mutable_hello()->set_protocol_version(1);
    frame.mutable_hello()->set_adapter(kind);
    frame.mutable_hello()->add_networks(network);
    (*frame.mutable_hello()->mutable_capabilities())[network].set_lane_window(8);
    (*(*frame.mutable_hello()->mutable_capabilities())[network].mutable_features())["text"] = v1::LEVEL_FULL;
    frame.set_deliver_credit(credit);
    return stream->Write(frame) && stream->Read(&answer);
  }
  bool submit(std::uint64_t ref, const std::string& key, const std::string& text) {
    v1::AdapterFrame frame;
    auto* submit = frame.add_submits();
    submit->set_ref(ref);
    auto& envelope = *submit->mutable_envelope();
    envelope.set_network("bund");
    envelope.set_native_id(key);
    envelope.set_dedup_key(key);
    envelope.mutable_sender()->mutable_address()->set_network("bund");
    envelope.mutable_sender()->mutable_address()->set_native_id("@alice:bund.example");
    envelope.mutable_sender()->set_assurance(v1::ASSURANCE_ACCOUNT);
    envelope.mutable_conversation()->mutable_direct()->set_network("bpol");
    envelope.mutable_conversation()->mutable_direct()->set_native_id("anna@polizei.example");
    if (!text.empty()) envelope.mutable_body()->mutable_text()->set_plain(text);
    return stream->Write(frame);
  }
  v1::Verdict verdict() {
    v1::GatewayFrame frame;
    while (stream->Read(&frame))
      if (frame.verdicts_size() > 0) return frame.verdicts(0);
    return {};
  }
  v1::Deliver delivery() {
    v1::GatewayFrame frame;
    while (stream->Read(&frame))
      if (frame.deliveries_size() > 0) return frame.deliveries(0);
    return {};
  }
};

TEST_CASE("link: a message goes from one adapter to the other, and a repetition is a duplicate") {
  Lab lab;
  Adapter matrix(lab), xmpp(lab);
  v1::GatewayFrame welcome;
  REQUIRE(matrix.hello("matrix", "bund", 10, welcome));
  CHECK(welcome.welcome().peers_size() == 2);
  CHECK(welcome.welcome().submit_credit() > 0);
  REQUIRE(xmpp.hello("xmpp", "bpol", 10, welcome));
  REQUIRE(matrix.submit(7, "$1", "Lage?"));
  v1::Verdict first = matrix.verdict();
  CHECK(first.ref() == 7);
  CHECK(first.outcome() == v1::Verdict::ACCEPTED);
  v1::Deliver delivery = xmpp.delivery();
  CHECK(delivery.envelope().body().text().plain() == "Lage?");
  CHECK(delivery.conversation().direct().native_id() == "anna@polizei.example");
  REQUIRE(matrix.submit(8, "$1", "Lage?"));
  CHECK(matrix.verdict().outcome() == v1::Verdict::DUPLICATE);
}

TEST_CASE("link: what an adapter did not answer comes again, with the same id and marked") {
  Lab lab;
  Adapter matrix(lab);
  v1::GatewayFrame welcome;
  REQUIRE(matrix.hello("matrix", "bund", 10, welcome));
  std::string id;
  {
    Adapter xmpp(lab);
    REQUIRE(xmpp.hello("xmpp", "bpol", 10, welcome));
    REQUIRE(matrix.submit(1, "$2", "once"));
    id = xmpp.delivery().delivery_id();
    xmpp.context.TryCancel();
    xmpp.stream->Finish();
  }
  Adapter again(lab);
  REQUIRE(again.hello("xmpp", "bpol", 10, welcome));
  v1::Deliver delivery = again.delivery();
  CHECK(delivery.delivery_id() == id);
  CHECK(delivery.redelivery());
}

TEST_CASE("link: a wrong network, a missing Hello and a malformed envelope are told") {
  Lab lab;
  v1::GatewayFrame welcome;
  Adapter wrong(lab);
  CHECK_FALSE(wrong.hello("matrix", "bpol", 1, welcome));
  CHECK(wrong.stream->Finish().error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  Adapter rude(lab);
  REQUIRE(rude.submit(1, "$3", "x"));
  CHECK_FALSE(rude.stream->Read(&welcome));
  CHECK(rude.stream->Finish().error_message().find("Hello") != std::string::npos);
  Adapter matrix(lab);
  REQUIRE(matrix.hello("matrix", "bund", 1, welcome));
  REQUIRE(matrix.submit(2, "$4", ""));
  v1::Verdict verdict = matrix.verdict();
  CHECK(verdict.outcome() == v1::Verdict::INVALID);
  CHECK(verdict.reason().find("body") != std::string::npos);
}

}  // namespace
}  // namespace fedgate::link
