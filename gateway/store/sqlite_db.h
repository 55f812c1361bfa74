// Thin ownership around sqlite3: a connection and a prepared statement, with errors in words. One thread at a time each.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace fedgate::store {

class Database {
 public:
  Database() = default;
  ~Database() { sqlite3_close_v2(handle_); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<void> open(const std::string& path, int flags);
  Result<void> exec(const std::string& sql);
  sqlite3* handle() const { return handle_; }
  // The last failure of this connection: full disk and I/O errors may pass (kUnavailable), the rest is ours (kInternal).
  Error error(std::string_view doing) const;

 private:
  sqlite3* handle_ = nullptr;
};

class Statement {
 public:
  Statement() = default;
  ~Statement() { sqlite3_finalize(handle_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Result<void> prepare(Database& database, std::string_view sql);
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind_blob(int index, std::string_view bytes);
  // true: a row is there; false: finished.
  Result<bool> step();
  void reset();
  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_, column); }
  std::string text(int column) const;

 private:
  Database* database_ = nullptr;
  sqlite3_stmt* handle_ = nullptr;
};

}  // namespace fedgate::store
