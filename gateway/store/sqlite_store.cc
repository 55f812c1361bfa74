#include "gateway/store/sqlite_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "gateway/store/sqlite_writer.h"

namespace fedgate::store {

struct SqliteStore::Reader {
  std::mutex mutex;
  Database database;
  Statement read_after, get, scan;

  Result<void> open(const std::string& path) {
    if (auto ok = database.open(path, SQLITE_OPEN_READWRITE); !ok) return ok;
    if (auto ok = read_after.prepare(database, "SELECT seq, bytes FROM log WHERE seq > ?1 AND stream = ?2 ORDER BY seq"); !ok) return ok;
    if (auto ok = get.prepare(database, "SELECT key, value, revision FROM kv WHERE bucket = ?1 AND key = ?2"); !ok) return ok;
    return scan.prepare(database,
                        "SELECT key, value, revision FROM kv WHERE bucket = ?1 AND key >= ?2 AND substr(key, 1, length(?2)) = ?2 ORDER BY key");
  }
};

namespace {

std::unexpected<Error> system_error(const std::string& doing) {
  return make_error(ErrorKind::kUnavailable, "store: " + doing + ": " + std::strerror(errno));
}

// The file's name must be durable too, or a power loss forgets the whole store.
Result<void> sync_folder(const std::filesystem::path& folder) {
  int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return system_error("cannot open folder " + folder.string());
  int failed = ::fsync(fd);
  ::close(fd);
  if (failed != 0) return system_error("cannot sync folder " + folder.string());
  return {};
}

}  // namespace

SqliteStore::SqliteStore(std::unique_ptr<Writer> writer, std::unique_ptr<Reader> reader)
    : writer_(std::move(writer)), reader_(std::move(reader)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& file, Scheduler& scheduler, SqliteOptions options) {
  std::string lock_path = file.string() + ".lock";
  int lock_fd = ::open(lock_path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (lock_fd < 0) return system_error("cannot open " + lock_path);
  auto writer = std::make_unique<Writer>(scheduler, lock_fd);  // closes the lock
  if (::flock(lock_fd, LOCK_EX | LOCK_NB) != 0)
    return make_error(ErrorKind::kConflict, "store: " + file.string() + " is in use by another process; is a fedgate-core already running on this data_dir?");
  int fd = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) return system_error("cannot open " + file.string());
  ::close(fd);
  if (auto ok = writer->open(file.string(), options); !ok) return std::unexpected(ok.error());
  auto reader = std::make_unique<Reader>();
  if (auto ok = reader->open(file.string()); !ok) return std::unexpected(ok.error());
  if (auto ok = sync_folder(file.parent_path().empty() ? "." : file.parent_path()); !ok) return std::unexpected(ok.error());
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(writer), std::move(reader)));
}

void SqliteStore::append(std::string_view stream, std::string_view dedup_key, std::string bytes, AppendDone done) {
  writer_->push(AppendOperation{std::string(stream), std::string(dedup_key), std::move(bytes), std::move(done)});
}

Result<std::vector<Entry>> SqliteStore::read_after(std::string_view stream, Seq after, std::size_t bytes_max) {
  std::lock_guard lock(reader_->mutex);
  std::vector<Entry> out;
  std::size_t bytes = 0;
  reader_->read_after.bind(1, static_cast<std::int64_t>(after)).bind(2, stream);
  for (;;) {
    auto row = reader_->read_after.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    std::string entry = reader_->read_after.text(1);
    if (!out.empty() && bytes + entry.size() > bytes_max) break;
    bytes += entry.size();
    out.push_back({static_cast<Seq>(reader_->read_after.integer(0)), std::move(entry)});
  }
  reader_->read_after.reset();
  return out;
}

void SqliteStore::erase(std::string_view stream, std::vector<Seq> seqs, Done done) {
  writer_->push(EraseOperation{std::move(seqs), std::string(stream), std::move(done)});
}

Result<std::optional<KeyEntry>> SqliteStore::get(std::string_view bucket, std::string_view key) {
  std::lock_guard lock(reader_->mutex);
  Statement& get = reader_->get;
  auto row = get.bind(1, bucket).bind(2, key).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  KeyEntry entry{get.text(0), get.text(1), static_cast<Revision>(get.integer(2))};
  get.reset();
  return entry;
}

void SqliteStore::put(std::string_view bucket, std::string_view key, std::string value, std::optional<Revision> expected, PutDone done) {
  writer_->push(PutOperation{std::string(bucket), std::string(key), std::move(value), expected, false, std::move(done)});
}

void SqliteStore::erase(std::string_view bucket, std::string_view key, PutDone done) {
  writer_->push(PutOperation{std::string(bucket), std::string(key), {}, std::nullopt, true, std::move(done)});
}

Result<std::vector<KeyEntry>> SqliteStore::scan(std::string_view bucket, std::string_view prefix) {
  std::lock_guard lock(reader_->mutex);
  std::vector<KeyEntry> out;
  Statement& scan = reader_->scan;
  scan.bind(1, bucket).bind(2, prefix);
  for (;;) {
    auto row = scan.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    out.push_back({scan.text(0), scan.text(1), static_cast<Revision>(scan.integer(2))});
  }
}

}  // namespace fedgate::store
