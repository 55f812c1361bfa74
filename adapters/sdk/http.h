// HTTP/1.1 in both directions as values, shared by http_client and http_server. Header names compare without case.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fedgate::sdk {

struct HttpRequest {
  std::string method;
  std::string target;  // path and query, percent-encoded, as on the wire
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // First header of that name, "" if there is none.
  std::string_view header(std::string_view name) const;
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // First header of that name, "" if there is none.
  std::string_view header(std::string_view name) const;
};

// RFC 3986 unreserved characters stay; everything else becomes %XX.
std::string percent_encode(std::string_view text);
// Exactly once; false on a broken escape.
bool percent_decode(std::string_view text, std::string& out);

}  // namespace fedgate::sdk
