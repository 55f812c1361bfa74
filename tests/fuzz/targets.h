// The fuzz targets: bytes in, abort() if a promise is broken. Any thread, no state.
#pragma once

#include <string_view>

namespace fedgate::fuzz {

void fuzz_xml_stream(std::string_view bytes);     // parser limits; what is read can be written and read again
void fuzz_jid(std::string_view bytes);            // canonical forms stay themselves
void fuzz_mxid(std::string_view bytes);           // user ids and ghosts of them
void fuzz_ghost_name(std::string_view bytes);     // one spelling per address
void fuzz_matrix_event(std::string_view bytes);   // from JSON to an envelope that the core would take
void fuzz_json_document(std::string_view bytes);  // strict JSON with positions
void fuzz_policy(std::string_view bytes);         // policy files; what loads decides without harm
void fuzz_text(std::string_view bytes);           // normalising and splitting
void fuzz_record(std::string_view bytes);         // stored records

struct Target {
  std::string_view name;
  void (*run)(std::string_view);
};

inline constexpr Target kTargets[] = {{"xml_stream", fuzz_xml_stream},       {"jid", fuzz_jid},       {"mxid", fuzz_mxid}, {"ghost_name", fuzz_ghost_name}, {"matrix_event", fuzz_matrix_event},
                                      {"json_document", fuzz_json_document}, {"policy", fuzz_policy}, {"text", fuzz_text}, {"record", fuzz_record}};

}  // namespace fedgate::fuzz
