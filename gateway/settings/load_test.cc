#include "gateway/settings/load.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fedgate::settings {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// The shipped example with its policy and made-up secrets, in a folder of its own.
struct Example {
  fs::path folder;
  Example() {
    std::string pattern = (fs::temp_directory_path() / "fedgate-settings-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder = pattern;
    fs::create_directories(folder / "secrets");
    fs::create_directories(folder / "policies");
    fs::copy_file("config/policies/two-agencies.json", folder / "policies/two-agencies.json");
    for (const char* name : {"bund.as_token", "bund.hs_token", "bpol.secret"}) {
      std::ofstream(folder / "secrets" / name) << "secret of " << name;
      REQUIRE(::chmod((folder / "secrets" / name).c_str(), 0600) == 0);
    }
    write(read("config/fedgate.example.json"));
  }
  ~Example() { fs::remove_all(folder); }
  fs::path file() const { return folder / "fedgate.json"; }
  void write(const std::string& text) const { std::ofstream(file()) << text; }
  void replace(const std::string& from, const std::string& to) const {
    std::string text = read(file());
    std::size_t at = text.find(from);
    REQUIRE_MESSAGE(at != std::string::npos, from);
    write(text.replace(at, from.size(), to));
  }
};

bool says(const LoadResult& result, const std::string& path, const std::string& words) {
  for (const Finding& finding : result.findings)
    if (finding.path == path && finding.problem.find(words) != std::string::npos) return true;
  return false;
}

std::string all(const LoadResult& result) {
  std::string out;
  for (const Finding& finding : result.findings) out += finding.text() + "\n";
  return out;
}

TEST_CASE("settings: the shipped example loads") {
  Example example;
  LoadResult result = load(example.file());
  REQUIRE_MESSAGE(result.settings != nullptr, all(result));
  CHECK(result.policy != nullptr);
  CHECK(result.settings->networks.size() == 2);
  CHECK(result.settings->network("bund")->matrix->domain == "bund.example");
  CHECK(result.settings->link.starts_with("unix:/"));
  CHECK(result.settings->links.front().rooms.size() == 2);
}

TEST_CASE("settings: every mistake is said with its path and what to do") {
  struct Case { std::string from, to, path, words; };
  for (const auto& [from, to, path, words] : std::initializer_list<Case>{
           {"\"gateway\": {", "\"gatway\": {", "/gatway", "did you mean \"gateway\""},
           {"\"name\": \"gw-bund\"", "\"name\": \"GW\"", "/gateway/name", "lower-case letter"},
           {"\"name\": \"gw-bund\"", "\"name\": 7", "/gateway/name", "must be a text"},
           {"\"name\": \"gw-bund\",", "", "/gateway", "\"name\" is missing"},
           {"\"name\": \"gw-bund\",", "\"name\": \"a\", \"name\": \"b\",", "/gateway/name", "duplicate key"},
           {"\"link\": \"unix:../run/link.sock\"", "\"link\": \"0.0.0.0:1\"", "/gateway/link", "unix:PATH"},
           {"unix:../run/admin.sock", "unix:../run/link.sock", "/gateway/admin", "same socket"},
           {"127.0.0.1:9464", "localhost", "/gateway/metrics", "host:port"},
           {"127.0.0.1:9464", "127.0.0.1:99999", "/gateway/metrics", "host:port"},
           {"\"kind\": \"sqlite\"", "\"kind\": \"oracle\"", "/store/kind", "sqlite"},
           {"\"bund\": {", "\"Bund\": {", "/networks/Bund", "lower-case letter"},
           {"\"adapter\": \"matrix\"", "\"adapter\": \"irc\"", "/networks/bund/adapter", "no adapter"},
           {"\"adapter\": \"matrix\"", "\"adapter\": \"email\"", "/networks/bund/adapter", "not available in this version"},
           {"\"adapter\": \"matrix\"", "\"adapter\": \"xmpp\"", "/networks/bund/matrix", "does not belong"},
           {"\"realm\": \"de-fed\",", "\"realm\": \"mars\",", "/networks/bund/realm", "knows no realm"},
           {"\"*.land.example\": \"de-state\"", "\"*.land.example\": \"mars\"", "/networks/bund/domains/*.land.example", "knows no realm"},
           {"\"*.land.example\"", "\"*land.example\"", "/networks/bund/domains/*land.example", "must be a lower-case domain"},
           {"\"protection\": \"tls\"", "\"protection\": \"good\"", "/networks/bund/protection", "vs-approved"},
           {"\"default_level\": \"INTERNAL\"", "\"default_level\": \"VS-NfD\"", "/networks/bund/default_level", "must be OPEN"},
           {"http://127.0.0.1:8008", "127.0.0.1:8008", "/networks/bund/matrix/homeserver", "https://"},
           {"127.0.0.1:29328", "29328", "/networks/bund/matrix/listen", "host:port"},
           {"{ \"file\": \"secrets/bund.as_token\" }", "\"s3cret\"", "/networks/bund/matrix/as_token", "never stands in the configuration"},
           {"secrets/bund.as_token", "secrets/absent", "/networks/bund/matrix/as_token/file", "cannot read"},
           {"secrets/bund.as_token", "secrets", "/networks/bund/matrix/as_token/file", "is not a file"},
           {"secrets/bund.as_token", "secrets/bund.hs_token", "/networks/bund/matrix/hs_token", "must differ"},
           {"\"bot\": \"fedgate\"", "\"bot\": \"Fed Gate\"", "/networks/bund/matrix/bot", "a-z 0-9"},
           {"\"component\": \"fedgate.polizei.example\"", "\"component\": \"polizei.example\"", "/networks/bpol/xmpp/component", "one of its own"},
           {"\"server\": \"127.0.0.1:5347\"", "\"server\": \"127.0.0.1\"", "/networks/bpol/xmpp/server", "host:port"},
           {"\"nick\": \"fedgate\"", "\"nik\": \"fedgate\"", "/networks/bpol/xmpp/nik", "did you mean \"nick\""},
           {"\"network\": \"bund\"", "\"network\": \"nowhere\"", "/links/0/rooms/0/network", "no network"},
           {"{ \"network\": \"bund\", \"room\": \"#incident:bund.example\" },", "", "/links/0/rooms", "at least two"},
           {"\"#incident:bund.example\"", "\"\"", "/links/0/rooms/0/room", "not empty"},
           {"policies/two-agencies.json", "policies/none.json", "/policy", "cannot be read"},
           {"\"text_bytes_max\": 262144", "\"text_bytes_max\": -1", "/limits/text_bytes_max", "whole number"},
           {"\"text_bytes_max\": 262144", "\"text_bytes_max\": 1.5", "/limits/text_bytes_max", "whole number"},
           {"\"submit_credit\": 2048", "\"submit_credit\": 0", "/limits/submit_credit", "from 1"},
           {"\"submit_credit\"", "\"submit_credits\"", "/limits/submit_credits", "did you mean"},
           {"\"level\": \"info\"", "\"level\": \"loud\"", "/log/level", "debug, info, warn or error"},
           {"\"store\": {", "\"store\": [{", "/store", "not valid JSON"},
       }) {
    Example example;
    example.replace(from, to);
    LoadResult result = load(example.file());
    CHECK(result.policy == nullptr);
    CHECK_MESSAGE(says(result, path, words), (from + " -> " + to + "\n" + all(result)));
    for (const Finding& finding : result.findings) {
      CHECK_MESSAGE(finding.file == example.file().string(), finding.text());
      CHECK_MESSAGE(finding.line > 0, finding.text());
    }
  }
}

// Two of something that there may be only once; the line is that of the second.
TEST_CASE("settings: what belongs to one cannot be given twice") {
  struct Case { const char *before, *insert, *path, *words; };
  const char* second_matrix = R"("land": { "adapter": "matrix", "realm": "de-state", "protection": "tls",
      "matrix": { "domain": "DOMAIN", "homeserver": "http://127.0.0.1:8009", "listen": "LISTEN",
        "as_token": { "file": "secrets/bund.as_token" }, "hs_token": { "file": "secrets/bund.hs_token" }, "bot": "fedgate" } },
    )";
  std::string same_domain = second_matrix, same_listen = second_matrix;
  same_domain.replace(same_domain.find("DOMAIN"), 6, "bund.example").replace(same_domain.find("LISTEN"), 6, "127.0.0.1:29329");
  same_listen.replace(same_listen.find("DOMAIN"), 6, "land.example").replace(same_listen.find("LISTEN"), 6, "127.0.0.1:29328");
  const char* same_room = R"({ "id": "other", "rooms": [ { "network": "bund", "room": "#incident:bund.example" }, { "network": "bpol", "room": "b@rooms.polizei.example" } ] },
    )";
  const char* same_id = R"({ "id": "incident", "rooms": [ { "network": "bund", "room": "#a:bund.example" }, { "network": "bpol", "room": "a@rooms.polizei.example" } ] },
    )";
  for (const auto& [before, insert, path, words] : std::initializer_list<Case>{{"\"bpol\": {", same_domain.c_str(), "/networks/land", "same namespace"},
                                                                              {"\"bpol\": {", same_listen.c_str(), "/networks/land/matrix/listen", "another network listens"},
                                                                              {"{ \"id\": \"incident\"", same_room, "/links/1/rooms/0/room", "in a link already"},
                                                                              {"{ \"id\": \"incident\"", same_id, "/links/1/id", "second link"}}) {
    Example example;
    example.replace(before, insert + std::string(before));
    LoadResult result = load(example.file());
    CHECK_MESSAGE(says(result, path, words), all(result));
    CHECK(result.policy == nullptr);
  }
}

TEST_CASE("settings: a secret that others can read is refused") {
  Example example;
  REQUIRE(::chmod((example.folder / "secrets/bpol.secret").c_str(), 0644) == 0);
  CHECK(says(load(example.file()), "/networks/bpol/xmpp/secret/file", "chmod 600"));
}

TEST_CASE("settings: an empty secret is refused") {
  Example example;
  std::ofstream(example.folder / "secrets/bpol.secret", std::ios::trunc);
  CHECK(says(load(example.file()), "/networks/bpol/xmpp/secret/file", "is empty"));
}

TEST_CASE("settings: a missing file is a finding, not a crash") {
  LoadResult result = load("/nonexistent/fedgate.json");
  CHECK(result.settings == nullptr);
  REQUIRE(result.findings.size() == 1);
  CHECK(result.findings[0].text().find("cannot be read") != std::string::npos);
}

TEST_CASE("settings: a mistake in the policy names the policy's file and line") {
  Example example;
  std::string policy = read(example.folder / "policies/two-agencies.json");
  std::ofstream(example.folder / "policies/two-agencies.json") << policy.replace(policy.find("\"enforce\""), 9, "\"hope\"");
  LoadResult result = load(example.file());
  REQUIRE(result.findings.size() >= 1);
  CHECK(result.findings[0].text().find("two-agencies.json:5: /mode") != std::string::npos);
}

}  // namespace
}  // namespace fedgate::settings
