// One HTTP or HTTPS GET, blocking, for `fedgate check`. Certificates are verified against the system's authorities. 5 s in all, answers of at most 1 MiB; no redirects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/base/result.h"

namespace fedgate::cli {

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
  std::optional<std::int64_t> date_ms;  // of the Date header
};

// base: "http://host[:port]" or "https://host[:port]", no path; bearer may be empty.
Result<HttpAnswer> http_get(const std::string& base, const std::string& path, const std::string& bearer);

// "host:port"; whether somebody listens there.
Result<void> tcp_connects(const std::string& address);

}  // namespace fedgate::cli
