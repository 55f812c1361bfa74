// SqliteStore: Log and KeyValue in one SQLite file, durable on return (WAL, synchronous=FULL).
//
// One writer thread takes everything that waits, writes it in one transaction, and posts all Dones: the more there is to do, the more shares one fsync. Checkpoints run on a
// second connection, so that no commit waits for one. Reads use a third connection under a mutex. Calls come from the scheduler's thread; the destructor finishes what was handed over.
// One process per file: a second open says so. Tables have no secondary index; the file and its folder entry are synced on creation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "gateway/base/scheduler.h"
#include "gateway/store/key_value.h"
#include "gateway/store/log.h"

namespace fedgate::store {

struct SqliteOptions {
  std::uint64_t pages_max = 0;  // 0 = as the disk allows; for tests of a full disk
};

class SqliteStore final : public Log, public KeyValue {
 public:
  // kConflict: another process has it. kInvalid: not a store of ours, or of a newer fedgate. kUnavailable: the file system said no.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& file, Scheduler& scheduler, SqliteOptions options = {});
  ~SqliteStore() override;

  void append(std::string_view stream, std::string_view dedup_key, std::string bytes, AppendDone done) override;
  Result<std::vector<Entry>> read_after(std::string_view stream, Seq after, std::size_t bytes_max) override;
  void erase(std::string_view stream, std::vector<Seq> seqs, Done done) override;

  Result<std::optional<KeyEntry>> get(std::string_view bucket, std::string_view key) override;
  void put(std::string_view bucket, std::string_view key, std::string value, std::optional<Revision> expected, PutDone done) override;
  void erase(std::string_view bucket, std::string_view key, PutDone done) override;
  Result<std::vector<KeyEntry>> scan(std::string_view bucket, std::string_view prefix) override;

 private:
  class Writer;
  struct Reader;
  SqliteStore(std::unique_ptr<Writer> writer, std::unique_ptr<Reader> reader);

  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Reader> reader_;
};

}  // namespace fedgate::store
