// Codec and policy alone, one thread, nothing durable.
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "gateway/codec/record_codec.h"
#include "gateway/policy/load.h"
#include "tests/bench/measure.h"
#include "tests/bench/sample.h"

namespace fedgate::bench {
namespace {

std::string policy_text() {
  std::ifstream file("config/policies/two-agencies.json");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

void measure_stages(const Calibration& calibration, const std::string&, bool smoke, std::vector<Row>& rows) {
  double seconds = smoke ? 0.05 : 0.7;
  auto add = [&](std::string name, double per_second, double target = 0) {
    rows.push_back({std::move(name), per_second, 1e6 / per_second, per_second / calibration.sha256_1k_per_second, "sha256 of 1 KiB", target / kReferenceSha256, {}});
  };

  auto policy = policy::parse_policy(policy_text(), "two-agencies.json");
  if (!policy) std::abort();
  policy::Request request;
  request.src_realm = request.dst_realm = (*policy)->realm("de-fed");
  request.kind = model::Kind::kText;
  request.rank = model::Rank::kInternal;
  request.label_source = model::LabelSource::kPeerDefault;
  request.protection = model::Protection::kTls;
  request.assurance = model::Assurance::kAccount;
  if ((*policy)->decide(request).verdict != model::Verdict::kAllow) std::abort();
  int allowed = 0;
  add("policy: decide", rate(seconds, 1000, [&] {
        for (int i = 0; i < 1000; ++i) allowed += (*policy)->decide(request).verdict == model::Verdict::kAllow;
      }), 1'000'000);
  if (allowed == 0) std::abort();

  model::Envelope envelope = sample_envelope(1, 600);
  std::array<model::Decision, 1> decisions = {sample_decision(envelope)};
  std::array<model::Delivery, 1> deliveries = {sample_delivery(envelope)};
  std::string encoded;
  add("codec: encode accepted record (64 in a batch)", rate(seconds, 64, [&] {
        codec::BatchEncoder encoder;
        for (int i = 0; i < 64; ++i) encoder.add_accepted(envelope, decisions, deliveries);
        encoded = encoder.take();
      }));
  add("codec: decode accepted record (64 in a batch)", rate(seconds, 64, [&] {
        if (!codec::decode_batch(encoded)) std::abort();
      }));
}

}  // namespace fedgate::bench
