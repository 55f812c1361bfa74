// KeyValue: small values under keys in buckets, with compare-and-set. For what is not a stream: links, the adapters' memory, the policy in force.
//
// Promises: a write whose Done got a revision is durable. Reads are blocking and see every write that was done before. Threads and Done as in log.h.
// Limits: key at most 1,024 bytes, value at most 1 MiB.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"

namespace fedgate::store {

using Revision = std::uint64_t;  // of one key; 0 = does not exist

struct KeyEntry {
  std::string key;
  std::string value;
  Revision revision = 0;
};

class KeyValue {
 public:
  using PutDone = std::move_only_function<void(Result<Revision>)>;

  virtual ~KeyValue() = default;

  virtual Result<std::optional<KeyEntry>> get(std::string_view bucket, std::string_view key) = 0;

  // expected: nullopt = whatever is there; a number = only if the revision is that one (0 = only if absent), otherwise kConflict.
  virtual void put(std::string_view bucket, std::string_view key, std::string value, std::optional<Revision> expected, PutDone done) = 0;

  // Revision 0 when done; erasing what is not there is no error.
  virtual void erase(std::string_view bucket, std::string_view key, PutDone done) = 0;

  // All entries whose key starts with prefix, in key order. Blocking.
  virtual Result<std::vector<KeyEntry>> scan(std::string_view bucket, std::string_view prefix) = 0;
};

}  // namespace fedgate::store
