// The writing half of SqliteStore: one thread, one connection, group commit by natural batching; and the checkpoint thread.
//
// push() from the scheduler's thread. Every operation ends in exactly one posted Done. A transaction that fails is rolled back whole and all of its operations hear why; nothing of it stays.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/base/scheduler.h"
#include "gateway/store/sqlite_db.h"
#include "gateway/store/sqlite_store.h"

namespace fedgate::store {

struct AppendOperation {
  std::string stream;
  std::string dedup_key;
  std::string bytes;
  Log::AppendDone done;
};
struct EraseOperation {
  std::vector<Seq> seqs;
  std::string stream;
  Log::Done done;
};
struct PutOperation {
  std::string bucket;
  std::string key;
  std::string value;
  std::optional<Revision> expected;
  bool erase = false;
  KeyValue::PutDone done;
};
using Operation = std::variant<AppendOperation, EraseOperation, PutOperation>;

class SqliteStore::Writer {
 public:
  Writer(Scheduler& scheduler, int lock_fd) : scheduler_(scheduler), lock_fd_(lock_fd) {}
  ~Writer();

  Result<void> open(const std::string& path, SqliteOptions options);
  void push(Operation operation);

 private:
  using DedupWindow = std::deque<std::pair<std::string, Seq>>;

  Result<void> create_tables(SqliteOptions options);
  Result<void> load_dedup_windows();
  void run();
  void checkpoint(const std::string& path);
  void commit(std::vector<Operation> batch);
  Result<void> apply(Operation& operation, std::uint64_t& outcome);
  Result<std::uint64_t> apply_append(AppendOperation& append);
  Result<std::uint64_t> apply_put(PutOperation& put);
  void remember(const AppendOperation& append, Seq seq);

  Scheduler& scheduler_;
  int lock_fd_;
  Database database_;
  Statement begin_, commit_, rollback_, append_, erase_, get_, put_, erase_key_;
  std::map<std::string, DedupWindow> dedup_;
  Revision last_revision_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;  // of the writer
  std::condition_variable stop_checkpoints_;
  std::vector<Operation> waiting_;
  bool stopping_ = false;
  std::thread thread_;
  std::thread checkpoint_thread_;
};

}  // namespace fedgate::store
