#include "gateway/codec/link_codec.h"

#include "fedgate/v1/record.pb.h"

namespace fedgate::codec {

std::string encode_link(const StoredLink& link) {
  v1::StoredLink out;
  out.set_id(link.id);
  out.set_state(static_cast<v1::StoredLink::State>(link.state));
  for (const auto& end : link.ends) {
    auto* added = out.add_ends();
    added->set_network(end.network);
    added->set_room(end.room);
    added->set_proven_by(end.proven_by);
    added->set_proven_at_ms(end.proven_at_ms);
  }
  out.set_from_configuration(link.from_configuration);
  out.set_note(link.note);
  out.set_changed_at_ms(link.changed_at_ms);
  return out.SerializeAsString();
}

Result<StoredLink> decode_link(std::string_view bytes) {
  v1::StoredLink stored;
  if (!stored.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !v1::StoredLink::State_IsValid(stored.state()))
    return make_error(ErrorKind::kInternal, "stored link is damaged");
  StoredLink link{stored.id(), static_cast<StoredLink::State>(stored.state()), {}, stored.from_configuration(), stored.note(), stored.changed_at_ms()};
  for (const auto& end : stored.ends()) link.ends.push_back({end.network(), end.room(), end.proven_by(), end.proven_at_ms()});
  return link;
}

}  // namespace fedgate::codec
