#include "gateway/pipeline/correlation.h"

#include <doctest/doctest.h>

#include <string>

using fedgate::model::derive_delivery_id;
using fedgate::model::derive_message_id;
using fedgate::pipeline::Correlation;

TEST_CASE("correlation: a message is found by its id, its native id and its delivery, and by nothing else") {
  Correlation index;
  auto message = derive_message_id("bund", "$1");
  auto delivery = derive_delivery_id(message, "bpol", "d/bpol:x", 0, "message");
  index.add(message, "$1", 7);
  index.add_delivery(delivery, 7);
  for (const auto& id : {message.text(), delivery.text(), std::string("$1")}) CHECK(index.find(id) == std::vector<Correlation::Chunk>{7});
  CHECK(index.find("$2").empty());
  CHECK(index.find("").empty());
  CHECK(index.contains(message));
}

TEST_CASE("correlation: a dropped chunk is forgotten and the others stay") {
  Correlation index;
  index.add(derive_message_id("a", "1"), "$1", 1);
  index.add(derive_message_id("a", "2"), "$2", 2);
  index.drop(1);
  CHECK_FALSE(index.contains(derive_message_id("a", "1")));
  CHECK(index.find("$1").empty());
  CHECK(index.contains(derive_message_id("a", "2")));
}

TEST_CASE("correlation: an entry costs at most 140 bytes at every size") {
  Correlation index;
  for (int i = 1; i <= 100000; ++i) {
    std::string key = "$event-" + std::to_string(i);
    auto message = derive_message_id("bund", key);
    index.add(message, key, 1);
    index.add_delivery(derive_delivery_id(message, "bpol", "d/bpol:x", 0, "message"), 1);
    if (i >= 1000 && i % 997 == 0) REQUIRE(index.bytes() / static_cast<std::size_t>(i) <= 140);
  }
}
