#include "gateway/store/sqlite_writer.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "gateway/store/limits.h"

namespace fedgate::store {
namespace {

constexpr int kSchemaVersion = 1;
constexpr std::size_t kOperationsPerCommitMax = 4096;
constexpr auto kCheckpointEvery = std::chrono::milliseconds(200);

// A refusal of one operation (a conflict, a limit) does not touch the others of its transaction; a failure of the database does.
bool is_refusal(const Error& error) { return error.kind == ErrorKind::kConflict || error.kind == ErrorKind::kLimit; }

}  // namespace

SqliteStore::Writer::~Writer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  stop_checkpoints_.notify_one();
  if (thread_.joinable()) thread_.join();
  if (checkpoint_thread_.joinable()) checkpoint_thread_.join();
  ::close(lock_fd_);
}

Result<void> SqliteStore::Writer::open(const std::string& path, SqliteOptions options) {
  if (auto ok = database_.open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE); !ok) return ok;
  if (auto ok = create_tables(options); !ok) return ok;
  for (auto [statement, sql] : std::initializer_list<std::pair<Statement*, std::string_view>>{
           {&begin_, "BEGIN IMMEDIATE"},
           {&commit_, "COMMIT"},
           {&rollback_, "ROLLBACK"},
           {&append_, "INSERT INTO log(stream, dedup, bytes) VALUES(?1, ?2, ?3)"},
           {&erase_, "DELETE FROM log WHERE seq = ?1 AND stream = ?2"},
           {&get_, "SELECT revision FROM kv WHERE bucket = ?1 AND key = ?2"},
           {&put_, "INSERT INTO kv(bucket, key, value, revision) VALUES(?1, ?2, ?3, ?4) "
                   "ON CONFLICT(bucket, key) DO UPDATE SET value = ?3, revision = ?4"},
           {&erase_key_, "DELETE FROM kv WHERE bucket = ?1 AND key = ?2"}})
    if (auto ok = statement->prepare(database_, sql); !ok) return ok;
  if (auto ok = load_dedup_windows(); !ok) return ok;
  thread_ = std::thread([this] { run(); });
  checkpoint_thread_ = std::thread([this, path] { checkpoint(path); });
  return {};
}

Result<void> SqliteStore::Writer::create_tables(SqliteOptions options) {
  for (const char* sql : {"PRAGMA page_size=16384", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA wal_autocheckpoint=0"})
    if (auto ok = database_.exec(sql); !ok) return ok;
  if (options.pages_max != 0)
    if (auto ok = database_.exec("PRAGMA max_page_count=" + std::to_string(options.pages_max)); !ok) return ok;
  Statement version;
  if (auto ok = version.prepare(database_, "PRAGMA user_version"); !ok) return ok;
  auto row = version.step();
  if (!row) return std::unexpected(row.error());
  auto found = version.integer(0);
  version.reset();
  if (found > kSchemaVersion)
    return make_error(ErrorKind::kInvalid, "store: this data was written by a newer fedgate (schema " + std::to_string(found) + ", this one knows " +
                                               std::to_string(kSchemaVersion) + "): run that version, or restore a backup");
  return database_.exec(
      "CREATE TABLE IF NOT EXISTS log(seq INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, dedup TEXT NOT NULL, bytes BLOB NOT NULL);"
      "CREATE TABLE IF NOT EXISTS kv(bucket TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY(bucket, key)) "
      "WITHOUT ROWID;"
      "PRAGMA user_version=" +
      std::to_string(kSchemaVersion));
}

Result<void> SqliteStore::Writer::load_dedup_windows() {
  Statement rows;
  if (auto ok = rows.prepare(database_, "SELECT seq, stream, dedup FROM log ORDER BY seq DESC LIMIT 4096"); !ok) return ok;
  for (;;) {
    auto row = rows.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    DedupWindow& window = dedup_[rows.text(1)];
    if (window.size() < kDedupWindow) window.emplace_front(rows.text(2), static_cast<Seq>(rows.integer(0)));
  }
  Statement revision;
  if (auto ok = revision.prepare(database_, "SELECT coalesce(max(revision), 0) FROM kv"); !ok) return ok;
  auto row = revision.step();
  if (!row) return std::unexpected(row.error());
  last_revision_ = static_cast<Revision>(revision.integer(0));
  revision.reset();
  return {};
}

void SqliteStore::Writer::push(Operation operation) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(operation));
  }
  wake_.notify_one();
}

void SqliteStore::Writer::run() {
  for (;;) {
    std::vector<Operation> batch;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      if (waiting_.size() <= kOperationsPerCommitMax) {
        batch.swap(waiting_);
      } else {
        auto end = waiting_.begin() + kOperationsPerCommitMax;
        batch.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
        waiting_.erase(waiting_.begin(), end);
      }
    }
    commit(std::move(batch));
  }
}

void SqliteStore::Writer::commit(std::vector<Operation> batch) {
  std::vector<Result<std::uint64_t>> outcomes(batch.size(), std::uint64_t{0});
  auto whole = [&]() -> Result<void> {
    if (auto ok = begin_.step(); !ok) return std::unexpected(ok.error());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      std::uint64_t value = 0;
      if (auto ok = apply(batch[i], value); ok) {
        outcomes[i] = value;
      } else if (is_refusal(ok.error())) {
        outcomes[i] = std::unexpected(ok.error());
      } else {
        return ok;
      }
    }
    if (auto ok = commit_.step(); !ok) return std::unexpected(ok.error());
    return {};
  }();
  if (!whole) {
    if (sqlite3_get_autocommit(database_.handle()) == 0) (void)rollback_.step();
    for (auto& outcome : outcomes) outcome = std::unexpected(whole.error());
  } else {
    for (std::size_t i = 0; i < batch.size(); ++i)
      if (auto* append = std::get_if<AppendOperation>(&batch[i]); append != nullptr && outcomes[i]) remember(*append, *outcomes[i]);
  }
  scheduler_.post([batch = std::move(batch), outcomes = std::move(outcomes)]() mutable {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (auto* append = std::get_if<AppendOperation>(&batch[i])) append->done(std::move(outcomes[i]));
      else if (auto* put = std::get_if<PutOperation>(&batch[i])) put->done(std::move(outcomes[i]));
      else if (outcomes[i]) std::get<EraseOperation>(batch[i]).done({});
      else std::get<EraseOperation>(batch[i]).done(std::unexpected(outcomes[i].error()));
    }
  });
}

Result<void> SqliteStore::Writer::apply(Operation& operation, std::uint64_t& outcome) {
  if (auto* erase = std::get_if<EraseOperation>(&operation)) {
    for (Seq seq : erase->seqs)
      if (auto ok = erase_.bind(1, static_cast<std::int64_t>(seq)).bind(2, erase->stream).step(); !ok) return std::unexpected(ok.error());
    return {};
  }
  auto* append = std::get_if<AppendOperation>(&operation);
  auto result = append != nullptr ? apply_append(*append) : apply_put(std::get<PutOperation>(operation));
  if (!result) return std::unexpected(result.error());
  outcome = *result;
  return {};
}

Result<std::uint64_t> SqliteStore::Writer::apply_append(AppendOperation& append) {
  if (auto ok = check_entry(append.bytes.size()); !ok) return std::unexpected(ok.error());
  if (!append.dedup_key.empty())
    for (const auto& [key, seq] : dedup_[append.stream])
      if (key == append.dedup_key) return seq;
  if (auto ok = append_.bind(1, append.stream).bind(2, append.dedup_key).bind_blob(3, append.bytes).step(); !ok) return std::unexpected(ok.error());
  return static_cast<std::uint64_t>(sqlite3_last_insert_rowid(database_.handle()));
}

Result<std::uint64_t> SqliteStore::Writer::apply_put(PutOperation& put) {
  if (put.erase) {
    if (auto ok = erase_key_.bind(1, put.bucket).bind(2, put.key).step(); !ok) return std::unexpected(ok.error());
    return std::uint64_t{0};
  }
  if (auto ok = check_key_value(put.key.size(), put.value.size()); !ok) return std::unexpected(ok.error());
  if (put.expected) {
    auto row = get_.bind(1, put.bucket).bind(2, put.key).step();
    if (!row) return std::unexpected(row.error());
    auto current = *row ? static_cast<Revision>(get_.integer(0)) : 0;
    get_.reset();
    if (current != *put.expected) return conflict(put.key, current);
  }
  // A revision that a rolled back transaction used is skipped, never given twice.
  Revision revision = ++last_revision_;
  if (auto ok = put_.bind(1, put.bucket).bind(2, put.key).bind_blob(3, put.value).bind(4, static_cast<std::int64_t>(revision)).step(); !ok)
    return std::unexpected(ok.error());
  return revision;
}

void SqliteStore::Writer::remember(const AppendOperation& append, Seq seq) {
  DedupWindow& window = dedup_[append.stream];
  if (!window.empty() && window.back().second >= seq) return;  // it was a repetition
  window.emplace_back(append.dedup_key, seq);
  if (window.size() > kDedupWindow) window.pop_front();
}

// PASSIVE never waits for the writer nor makes it wait; what it cannot copy now it copies the next time.
void SqliteStore::Writer::checkpoint(const std::string& path) {
  Database database;
  if (!database.open(path, SQLITE_OPEN_READWRITE)) return;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    stop_checkpoints_.wait_for(lock, kCheckpointEvery, [&] { return stopping_; });
    lock.unlock();
    sqlite3_wal_checkpoint_v2(database.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    lock.lock();
  }
}

}  // namespace fedgate::store
