// JSON lines on standard error, one object per line: {"t":…,"level":…,"part":…,"msg":…, fields…}. Any thread.
//
// What may stand in a field: ids, names of networks and rules, counts, reasons. Never message content, never display names, never secrets.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace fedgate::log {

enum class Level { kDebug, kInfo, kWarn, kError };

struct Field {
  std::string_view name;
  std::variant<std::string, std::int64_t, double, bool> value;

  Field(std::string_view n, std::string v) : name(n), value(std::move(v)) {}
  Field(std::string_view n, std::string_view v) : name(n), value(std::string(v)) {}
  Field(std::string_view n, const char* v) : name(n), value(std::string(v)) {}
  Field(std::string_view n, bool v) : name(n), value(v) {}
  Field(std::string_view n, double v) : name(n), value(v) {}
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  Field(std::string_view n, T v) : name(n), value(static_cast<std::int64_t>(v)) {}
};

// Before the first line; `program` stands in every line. Default level: info.
void start(std::string_view program, Level level);
bool enabled(Level level);
void write(Level level, std::string_view part, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view part, std::string_view message, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::kDebug)) write(Level::kDebug, part, message, fields);
}
inline void info(std::string_view part, std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::kInfo, part, message, fields);
}
inline void warn(std::string_view part, std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::kWarn, part, message, fields);
}
inline void error(std::string_view part, std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::kError, part, message, fields);
}

}  // namespace fedgate::log
