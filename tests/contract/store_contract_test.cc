#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/store/memory_store.h"
#include "gateway/store/sqlite_store.h"
#include "tests/contract/thread_scheduler.h"

namespace fedgate::store {
namespace {

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fedgate-store-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

struct Memory {
  contract::ThreadScheduler scheduler;
  MemoryStore store{scheduler};
  MemoryStore& get() { return store; }
};

struct Sqlite {
  Folder folder;
  contract::ThreadScheduler scheduler;
  std::unique_ptr<SqliteStore> store;
  Sqlite() {
    auto opened = SqliteStore::open(folder.path / "store.db", scheduler);
    REQUIRE(opened.has_value());
    store = std::move(*opened);
  }
  SqliteStore& get() { return *store; }
};

template <class Lab>
Result<Seq> append(Lab& lab, std::string_view stream, std::string_view key, std::string bytes) {
  std::optional<Result<Seq>> got;
  lab.get().append(stream, key, std::move(bytes), [&](Result<Seq> seq) { got = std::move(seq); });
  CHECK_FALSE(got.has_value());  // never inline
  REQUIRE(lab.scheduler.run_until([&] { return got.has_value(); }));
  return *got;
}

template <class Lab>
Result<Revision> put(Lab& lab, std::string_view key, std::string value, std::optional<Revision> expected = {}) {
  std::optional<Result<Revision>> got;
  lab.get().put("bucket", key, std::move(value), expected, [&](Result<Revision> revision) { got = std::move(revision); });
  REQUIRE(lab.scheduler.run_until([&] { return got.has_value(); }));
  return *got;
}

TEST_CASE_TEMPLATE("log: entries come back in order, per stream, until erased", Lab, Memory, Sqlite) {
  Lab lab;
  std::vector<Seq> seqs;
  for (int i = 0; i < 5; ++i) {
    seqs.push_back(*append(lab, "a", "", "a" + std::to_string(i)));
    REQUIRE(append(lab, "b", "", "b" + std::to_string(i)).has_value());
  }
  CHECK(std::is_sorted(seqs.begin(), seqs.end()));
  auto all = lab.get().read_after("a", 0, 1 << 20);
  REQUIRE(all->size() == 5);
  CHECK(all->at(3).bytes == "a3");
  CHECK(all->at(3).seq == seqs[3]);
  CHECK(lab.get().read_after("a", seqs[2], 1 << 20)->size() == 2);
  bool erased = false;
  lab.get().erase("a", {seqs[1], seqs[3], 999999}, [&](Result<void> ok) { erased = ok.has_value(); });
  REQUIRE(lab.scheduler.run_until([&] { return erased; }));
  auto rest = lab.get().read_after("a", 0, 1 << 20);
  REQUIRE(rest->size() == 3);
  CHECK(rest->at(1).bytes == "a2");
  CHECK(lab.get().read_after("b", 0, 1 << 20)->size() == 5);
  CHECK(lab.get().read_after("none", 0, 1 << 20)->empty());
}

TEST_CASE_TEMPLATE("log: reading stops at the byte limit but never gives nothing", Lab, Memory, Sqlite) {
  Lab lab;
  for (int i = 0; i < 4; ++i) REQUIRE(append(lab, "a", "", std::string(1000, 'x')).has_value());
  CHECK(lab.get().read_after("a", 0, 10)->size() == 1);
  CHECK(lab.get().read_after("a", 0, 2500)->size() == 2);
}

TEST_CASE_TEMPLATE("log: the same dedup key yields the first entry, within its stream", Lab, Memory, Sqlite) {
  Lab lab;
  Seq first = *append(lab, "a", "k", "one");
  CHECK(*append(lab, "a", "k", "two") == first);
  REQUIRE(append(lab, "b", "k", "three").has_value());
  CHECK(lab.get().read_after("b", 0, 1 << 20)->size() == 1);
  CHECK(*append(lab, "a", "", "four") != *append(lab, "a", "", "four"));
  CHECK(lab.get().read_after("a", 0, 1 << 20)->size() == 3);
}

TEST_CASE_TEMPLATE("log: 8 MiB is taken, one byte more is refused and leaves the others alone", Lab, Memory, Sqlite) {
  Lab lab;
  CHECK(append(lab, "a", "", std::string(Log::kEntryBytesMax, 'x')).has_value());
  auto refused = append(lab, "a", "", std::string(Log::kEntryBytesMax + 1, 'x'));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::kLimit);
  CHECK(append(lab, "a", "", "after").has_value());
}

TEST_CASE_TEMPLATE("key-value: compare-and-set, scan in key order, erase", Lab, Memory, Sqlite) {
  Lab lab;
  Revision one = *put(lab, "k/b", "1", Revision{0});
  auto lost = put(lab, "k/b", "2", Revision{0});
  REQUIRE_FALSE(lost.has_value());
  CHECK(lost.error().kind == ErrorKind::kConflict);
  Revision two = *put(lab, "k/b", std::string("\0binary", 7), one);
  CHECK(two != one);
  REQUIRE(put(lab, "k/a", "a").has_value());
  REQUIRE(put(lab, "k%", "not a wildcard").has_value());
  auto entries = lab.get().scan("bucket", "k/");
  REQUIRE(entries->size() == 2);
  CHECK(entries->at(0).key == "k/a");
  CHECK(entries->at(1).value == std::string("\0binary", 7));
  CHECK(lab.get().scan("bucket", "")->size() == 3);
  CHECK(lab.get().scan("other", "")->empty());
  bool erased = false;
  lab.get().erase("bucket", "k/b", [&](Result<Revision> ok) { erased = ok.has_value(); });
  REQUIRE(lab.scheduler.run_until([&] { return erased; }));
  CHECK_FALSE(lab.get().get("bucket", "k/b")->has_value());
  CHECK(put(lab, "k/b", "again", Revision{0}).has_value());
  CHECK_FALSE(put(lab, std::string(1025, 'k'), "v").has_value());
  CHECK_FALSE(put(lab, "k", std::string((1 << 20) + 1, 'v')).has_value());
}

TEST_CASE("sqlite: everything is there after closing and opening again, dedup keys included") {
  Sqlite lab;
  Seq seq = *append(lab, "a", "k", "kept");
  Revision revision = *put(lab, "key", "value");
  lab.store.reset();
  lab.store = std::move(*SqliteStore::open(lab.folder.path / "store.db", lab.scheduler));
  CHECK(lab.store->read_after("a", 0, 1 << 20)->at(0).bytes == "kept");
  CHECK(lab.store->get("bucket", "key")->value().revision == revision);
  CHECK(*append(lab, "a", "k", "again") == seq);
  CHECK(*put(lab, "key", "newer") > revision);
}

TEST_CASE("sqlite: a second opener is told that the data is in use") {
  Sqlite lab;
  auto second = SqliteStore::open(lab.folder.path / "store.db", lab.scheduler);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().kind == ErrorKind::kConflict);
  CHECK(second.error().message.find("in use") != std::string::npos);
}

TEST_CASE("sqlite: the file is readable by its owner alone") {
  Sqlite lab;
  struct stat status{};
  REQUIRE(::stat((lab.folder.path / "store.db").c_str(), &status) == 0);
  CHECK((status.st_mode & 0077) == 0);
}

TEST_CASE("sqlite: a full disk is an error that passes, and what was durable stays") {
  Folder folder;
  contract::ThreadScheduler scheduler;
  struct Lab {
    contract::ThreadScheduler& scheduler;
    std::unique_ptr<SqliteStore> store;
    SqliteStore& get() { return *store; }
  } lab{scheduler, std::move(*SqliteStore::open(folder.path / "s.db", scheduler, {.pages_max = 24}))};
  std::vector<Seq> kept;
  std::optional<Error> full;
  for (int i = 0; i < 100 && !full; ++i) {
    auto seq = append(lab, "a", "", std::string(30000, 'x'));
    if (seq) kept.push_back(*seq);
    else full = seq.error();
  }
  REQUIRE(full.has_value());
  CHECK(full->kind == ErrorKind::kUnavailable);
  CHECK(full->message.find("full") != std::string::npos);
  CHECK(lab.store->read_after("a", 0, 1 << 30)->size() == kept.size());
  bool erased = false;
  lab.store->erase("a", kept, [&](Result<void> ok) { erased = ok.has_value(); });
  REQUIRE(scheduler.run_until([&] { return erased; }));
  CHECK(append(lab, "a", "", std::string(30000, 'y')).has_value());
}

TEST_CASE("sqlite: what was acknowledged before kill -9 is there afterwards") {
  Folder folder;
  int acknowledged[2];
  REQUIRE(::pipe(acknowledged) == 0);
  pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(acknowledged[0]);
    contract::ThreadScheduler scheduler;
    auto store = SqliteStore::open(folder.path / "s.db", scheduler);
    if (!store) ::_exit(1);
    for (std::uint32_t i = 0;; ++i) {
      bool done = false;
      (*store)->append("a", "", std::to_string(i), [&](Result<Seq> seq) { done = seq.has_value(); });
      if (!scheduler.run_until([&] { return done; }) || ::write(acknowledged[1], &i, sizeof i) != sizeof i) ::_exit(1);
    }
  }
  ::close(acknowledged[1]);
  std::uint32_t last = 0;
  for (int i = 0; i < 200; ++i) REQUIRE(::read(acknowledged[0], &last, sizeof last) == sizeof last);
  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  std::uint32_t more = 0;
  while (::read(acknowledged[0], &more, sizeof more) == sizeof more) last = more;
  ::close(acknowledged[0]);
  contract::ThreadScheduler scheduler;
  auto store = SqliteStore::open(folder.path / "s.db", scheduler);
  REQUIRE(store.has_value());
  auto entries = (*store)->read_after("a", 0, 1 << 20);
  REQUIRE(entries->size() >= last + 1u);
  for (std::uint32_t i = 0; i <= last; ++i) CHECK(entries->at(i).bytes == std::to_string(i));
}

}  // namespace
}  // namespace fedgate::store
