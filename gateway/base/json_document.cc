#include "gateway/base/json_document.h"

#include <algorithm>

#include <iterator>
#include <nlohmann/json.hpp>

#include "gateway/base/utf8.h"

namespace fedgate {
namespace {

using nlohmann::json;

constexpr std::size_t kDepthMax = 64;

// Counts the lines that the parser has read; copies share the count.
struct CountingIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  std::size_t* line;

  reference operator*() const { return *at; }
  CountingIterator& operator++() {
    if (*at == '\n') ++*line;
    ++at;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at == other.at; }
};

class Builder final : public json::json_sax_t {
 public:
  Builder(std::string_view file, const std::size_t& line, JsonDocument& document, std::vector<Finding>& findings)
      : file_(file), line_(line), document_(document), findings_(findings) {}

  bool null() override { return add(json(nullptr)); }
  bool boolean(bool value) override { return add(json(value)); }
  bool number_integer(json::number_integer_t value) override { return add(json(value)); }
  bool number_unsigned(json::number_unsigned_t value) override { return add(json(value)); }
  bool number_float(json::number_float_t value, const std::string&) override { return add(json(value)); }
  bool string(std::string& value) override { return add(json(std::move(value))); }
  bool binary(json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    Level& level = levels_.back();
    level.key = name;
    level.key_line = line_;
    if (level.value->contains(name)) return fail(child_pointer(level.pointer, name), "duplicate key \"" + name + "\": keep one of the two");
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    std::string words = error.what();
    if (auto colon = words.rfind("; "); colon != std::string::npos) words = words.substr(colon + 2);
    return fail(levels_.empty() ? "" : levels_.back().pointer, "this is not valid JSON: " + words);
  }

  json take() { return std::move(root_); }

 private:
  struct Level {
    json* value;
    std::string pointer;
    std::string key;
    std::size_t key_line = 0;
  };

  bool fail(std::string pointer, std::string problem) {
    findings_.push_back({std::string(file_), line_, std::move(pointer), std::move(problem)});
    return false;
  }

  json* place(json value, std::string& pointer) {
    if (levels_.empty()) {
      root_ = std::move(value);
      pointer.clear();
      return &root_;
    }
    Level& level = levels_.back();
    if (level.value->is_array()) {
      pointer = child_pointer(level.pointer, std::to_string(level.value->size()));
      level.value->push_back(std::move(value));
      return &level.value->back();
    }
    pointer = child_pointer(level.pointer, level.key);
    return &(*level.value)[level.key].operator=(std::move(value));
  }

  // A member stands where its key stands: behind a number the parser has read one character, perhaps a line break, too many.
  std::size_t line_here() const { return levels_.empty() || levels_.back().value->is_array() ? line_ : levels_.back().key_line; }

  bool add(json value) {
    std::string pointer;
    std::size_t line = line_here();
    place(std::move(value), pointer);
    document_.lines[pointer] = line;
    return true;
  }

  bool open(json value) {
    if (levels_.size() >= kDepthMax) return fail(levels_.back().pointer, "nested deeper than 64 levels");
    std::string pointer;
    std::size_t line = line_here();
    json* placed = place(std::move(value), pointer);
    document_.lines[pointer] = line;
    levels_.push_back({placed, pointer, {}, 0});
    return true;
  }

  bool close() {
    levels_.pop_back();
    return true;
  }

  std::string_view file_;
  const std::size_t& line_;
  JsonDocument& document_;
  std::vector<Finding>& findings_;
  json root_;
  std::vector<Level> levels_;
};

}  // namespace

std::string Finding::text() const {
  std::string out = file;
  if (line != 0) out += ":" + std::to_string(line);
  out += ": ";
  if (!path.empty()) out += path + ": ";
  return out + problem;
}

namespace {

// Insertions, deletions and replacements that lead from one to the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

constexpr std::size_t kSlipOfThePen = 2;

}  // namespace

std::string unknown_key_words(std::string_view key, std::span<const std::string_view> known) {
  std::string words = "unknown key \"" + std::string(key) + "\"";
  for (std::string_view one : known)
    if (distance(key, one) <= kSlipOfThePen) words += ": did you mean \"" + std::string(one) + "\"?";
  std::string list;
  for (std::string_view one : known) list += (list.empty() ? "" : ", ") + std::string(one);
  return words + " (here may stand: " + list + ")";
}

std::string child_pointer(const std::string& pointer, std::string_view key) {
  std::string out = pointer + "/";
  for (char c : key) {
    if (c == '~') out += "~0";
    else if (c == '/') out += "~1";
    else out.push_back(c);
  }
  return out;
}

JsonDocument parse_json_document(std::string_view text, std::string_view file, JsonComments comments, std::vector<Finding>& findings) {
  JsonDocument document;
  if (!is_valid_utf8(text)) {
    findings.push_back({std::string(file), 0, "", "the file is not valid UTF-8: save it as UTF-8"});
    return document;
  }
  std::size_t line = 1;
  Builder builder(file, line, document, findings);
  CountingIterator begin{text.data(), &line};
  CountingIterator end{text.data() + text.size(), &line};
  if (json::sax_parse(begin, end, &builder, json::input_format_t::json, true, comments == JsonComments::kAllowed))
    document.root = std::make_shared<const json>(builder.take());
  return document;
}

}  // namespace fedgate
