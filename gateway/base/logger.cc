#include "gateway/base/logger.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <fmt/chrono.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace fedgate::log {
namespace {

std::string& program_name() {
  static std::string name = "fedgate";
  return name;
}

std::shared_ptr<spdlog::logger>& sink() {
  static std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("fedgate", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return logger;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarn: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

void append_escaped(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out.push_back('"');
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c == 0x7f) {
      out += "\\u00";
      out.push_back(kDigits[c >> 4]);
      out.push_back(kDigits[c & 15]);
    } else {
      out.push_back(static_cast<char>(c));
    }
  }
  out.push_back('"');
}

std::string now_text() {
  auto now = std::chrono::system_clock::now();
  return fmt::format("{:%FT%T}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)))
      .insert(19, fmt::format(".{:03}", std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000));
}

}  // namespace

void start(std::string_view program, Level level) {
  program_name() = program;
  sink()->set_level(to_spdlog(level));
}

bool enabled(Level level) { return sink()->should_log(to_spdlog(level)); }

void write(Level level, std::string_view part, std::string_view message, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  static constexpr const char* kNames[] = {"debug", "info", "warn", "error"};
  std::string line = "{\"t\":\"" + now_text() + "\",\"level\":\"" + kNames[static_cast<int>(level)] + "\",\"program\":";
  append_escaped(line, program_name());
  line += ",\"part\":";
  append_escaped(line, part);
  line += ",\"msg\":";
  append_escaped(line, message);
  for (const Field& field : fields) {
    line.push_back(',');
    append_escaped(line, field.name);
    line.push_back(':');
    if (auto* text = std::get_if<std::string>(&field.value)) append_escaped(line, *text);
    else if (auto* number = std::get_if<std::int64_t>(&field.value)) line += std::to_string(*number);
    else if (auto* real = std::get_if<double>(&field.value)) line += fmt::format("{}", *real);
    else line += std::get<bool>(field.value) ? "true" : "false";
  }
  line.push_back('}');
  sink()->log(to_spdlog(level), spdlog::string_view_t(line));
}

}  // namespace fedgate::log
