// Realms: the realm index of an address, with a cache by domain, because every message asks.
// Owned by Shard; its thread. Limits: the cache is emptied at 65,536 domains.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gateway/policy/policy.h"
#include "gateway/settings/settings.h"

namespace fedgate::pipeline {

class Realms {
 public:
  explicit Realms(const policy::Policy& policy) : policy_(policy) {}

  policy::RealmIndex of_address(const settings::Network& network, std::string_view native_id) {
    key_.assign(network.name);
    key_ += '/';
    key_ += settings::domain_of(network, native_id);
    if (auto it = cache_.find(key_); it != cache_.end()) return it->second;
    if (cache_.size() >= 65536) cache_.clear();
    return cache_[key_] = policy_.realm(settings::realm_of(network, native_id));
  }
  policy::RealmIndex of_domain(const settings::Network& network, std::string_view domain) {
    return of_address(network, (network.adapter == "matrix" ? "@x:" : "x@") + std::string(domain));
  }

 private:
  const policy::Policy& policy_;
  std::unordered_map<std::string, policy::RealmIndex> cache_;
  std::string key_;
};

}  // namespace fedgate::pipeline
