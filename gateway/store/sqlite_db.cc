#include "gateway/store/sqlite_db.h"

namespace fedgate::store {

Error Database::error(std::string_view doing) const {
  int code = handle_ == nullptr ? SQLITE_NOMEM : sqlite3_errcode(handle_);
  bool may_pass = code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_CANTOPEN ||
                  code == SQLITE_READONLY || code == SQLITE_NOMEM;
  std::string words = handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_);
  return {may_pass ? ErrorKind::kUnavailable : ErrorKind::kInternal, "store: " + std::string(doing) + ": " + words};
}

Result<void> Database::open(const std::string& path, int flags) {
  if (sqlite3_open_v2(path.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) return std::unexpected(error("cannot open " + path));
  sqlite3_busy_timeout(handle_, 2000);
  return {};
}

Result<void> Database::exec(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return std::unexpected(error(sql.substr(0, 40)));
  return {};
}

Result<void> Statement::prepare(Database& database, std::string_view sql) {
  database_ = &database;
  if (sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &handle_, nullptr) != SQLITE_OK)
    return std::unexpected(database.error("prepare"));
  return {};
}

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(handle_, index, value);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(handle_, index, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  sqlite3_bind_blob64(handle_, index, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

Result<bool> Statement::step() {
  int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  Result<bool> result = false;
  if (code != SQLITE_DONE) result = std::unexpected(database_->error("write or read"));
  reset();
  return result;
}

void Statement::reset() {
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

std::string Statement::text(int column) const {
  const void* data = sqlite3_column_blob(handle_, column);
  int size = sqlite3_column_bytes(handle_, column);
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

}  // namespace fedgate::store
