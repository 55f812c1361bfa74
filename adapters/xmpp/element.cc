#include "adapters/xmpp/element.h"

#include "gateway/base/utf8.h"

namespace fedgate::xmpp {

bool is_stream_ns(std::string_view ns) { return ns.empty() || ns == "jabber:component:accept" || ns == "jabber:client"; }

std::string_view Element::attribute(std::string_view key) const {
  for (const auto& [name_of, value] : attributes)
    if (name_of == key) return value;
  return {};
}

const Element* Element::child(std::string_view child_name, std::string_view child_ns) const {
  for (const Element& one : children)
    if (one.name == child_name && (child_ns.empty() ? is_stream_ns(one.ns) : one.ns == child_ns)) return &one;
  return nullptr;
}

const Element* Element::child_in(std::string_view child_ns) const {
  for (const Element& one : children)
    if (one.ns == child_ns) return &one;
  return nullptr;
}

Element& Element::set(std::string key, std::string_view value) {
  attributes.emplace_back(std::move(key), std::string(value));
  return *this;
}

Element& Element::with_text(std::string_view value) {
  text = value;
  return *this;
}

Element& Element::add(std::string child_name, std::string child_ns) {
  children.push_back(Element{std::move(child_name), std::move(child_ns), {}, {}, {}});
  return children.back();
}

Element make_stanza(std::string name, std::string_view from, std::string_view to, std::string_view type, std::string_view id) {
  Element out{std::move(name), {}, {}, {}, {}};
  out.set("from", from).set("to", to);
  if (!type.empty()) out.set("type", type);
  if (!id.empty()) out.set("id", id);
  return out;
}

void append_escaped(std::string& out, std::string_view text, bool in_attribute) {
  std::string repaired;
  if (!is_valid_utf8(text)) text = repaired = replace_invalid_utf8(text);
  for (std::size_t at = 0; at < text.size();) {
    unsigned char c = static_cast<unsigned char>(text[at]);
    if (c < 0x80) {
      ++at;
      if (c == '&') out += "&amp;";
      else if (c == '<') out += "&lt;";
      else if (c == '>') out += "&gt;";
      else if (in_attribute && c == '"') out += "&quot;";
      else if (in_attribute && c == '\'') out += "&apos;";
      else if (in_attribute && (c == '\n' || c == '\t' || c == '\r')) out += c == '\n' ? "&#10;" : c == '\t' ? "&#9;" : "&#13;";
      else if (c >= 0x20 || c == '\n' || c == '\t') out.push_back(static_cast<char>(c));
      else if (c == '\r') out += "&#13;";
      else out += "\xEF\xBF\xBD";
      continue;
    }
    char32_t code_point = next_code_point(text, at);
    append_code_point(out, (code_point & 0xfffe) == 0xfffe ? 0xfffd : code_point);
  }
}

namespace {

void append(std::string& out, const Element& element, std::string_view outer_ns) {
  out.push_back('<');
  out += element.name;
  // An element without namespace of its own is in the one around it, as it was built.
  std::string_view ns = element.ns.empty() ? outer_ns : std::string_view(element.ns);
  if (ns != outer_ns) {
    out += " xmlns='";
    append_escaped(out, ns, true);
    out.push_back('\'');
  }
  for (const auto& [key, value] : element.attributes) {
    out.push_back(' ');
    out += key;
    out += "='";
    append_escaped(out, value, true);
    out.push_back('\'');
  }
  if (element.text.empty() && element.children.empty()) {
    out += "/>";
    return;
  }
  out.push_back('>');
  append_escaped(out, element.text, false);
  for (const Element& one : element.children) append(out, one, ns);
  out += "</";
  out += element.name;
  out.push_back('>');
}

}  // namespace

std::string to_xml(const Element& element) {
  std::string out;
  out.reserve(256 + element.text.size());
  append(out, element, "");
  return out;
}

}  // namespace fedgate::xmpp
