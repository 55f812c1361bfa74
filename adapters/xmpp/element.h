// Element: a small XML tree, for stanzas read and stanzas to be written. A value.
//
// Attributes are un-namespaced ones and xml:lang only: what a sender puts into a namespace can never pass for a plain attribute. Text of mixed content is joined.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fedgate::xmpp {

struct Element {
  std::string name;
  std::string ns;  // "" = that of the stream
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string text;
  std::vector<Element> children;

  std::string_view attribute(std::string_view key) const;
  // First child of that name; ns "" matches the stream's own namespaces (jabber:component:accept, jabber:client, none).
  const Element* child(std::string_view child_name, std::string_view child_ns = "") const;
  const Element* child_in(std::string_view child_ns) const;  // any name

  // For building; each returns *this, add() the new child.
  Element& set(std::string key, std::string_view value);
  Element& with_text(std::string_view value);
  Element& add(std::string child_name, std::string child_ns = "");
};

Element make_stanza(std::string name, std::string_view from, std::string_view to, std::string_view type, std::string_view id);

// The stream's own namespaces, which servers rewrite into each other.
bool is_stream_ns(std::string_view ns);

// Escaped; characters that XML 1.0 forbids and invalid UTF-8 become U+FFFD (one such byte would end the stream for everybody).
std::string to_xml(const Element& element);
void append_escaped(std::string& out, std::string_view text, bool in_attribute);

}  // namespace fedgate::xmpp
