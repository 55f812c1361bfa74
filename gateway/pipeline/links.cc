#include "gateway/pipeline/links.h"

#include <algorithm>

namespace fedgate::pipeline {
namespace {



bool binds(const Link& link, const Link::End& end) { return link.state != Link::State::kPending || !end.proven_by.empty(); }

std::string_view state_text(Link::State state) {
  switch (state) {
    case Link::State::kPending: return "pending";
    case Link::State::kActive: return "active";
    case Link::State::kSuspended: return "suspended";
  }
  return "pending";
}

codec::StoredLink to_stored(const Link& link) {
  codec::StoredLink stored;
  stored.id = link.id;
  stored.state = static_cast<codec::StoredLink::State>(link.state);
  for (const auto& end : link.ends) stored.ends.push_back({end.network, end.room, end.proven_by, end.proven_at_ms});
  stored.from_configuration = link.from_configuration;
  stored.note = link.note;
  stored.changed_at_ms = link.changed_at_ms;
  return stored;
}

Link from_stored(const codec::StoredLink& stored) {
  Link link;
  link.id = stored.id;
  link.state = static_cast<Link::State>(stored.state);
  for (const auto& end : stored.ends) link.ends.push_back({end.network, end.room, std::nullopt, end.proven_by, end.proven_at_ms});
  link.from_configuration = stored.from_configuration;
  link.note = stored.note;
  link.changed_at_ms = stored.changed_at_ms;
  return link;
}

}  // namespace

Links::Links(CoreParts& parts, Stats& stats, const RoomStates& rooms, Wanted wanted)
    : parts_(parts), stats_(stats), rooms_(rooms), wanted_(std::move(wanted)) {}

Result<void> Links::load() {
  for (const auto& configured : parts_.settings->links) {
    Link link{.id = configured.id, .state = Link::State::kActive, .ends = {}, .from_configuration = true, .note = "from configuration", .changed_at_ms = 0};
    for (const auto& end : configured.rooms) link.ends.push_back({end.network, end.room, end.default_level, "configuration", 0});
    put_in_force(std::move(link));
  }
  auto entries = parts_.key_value.scan("links", "");
  if (!entries) return std::unexpected(entries.error());
  for (const auto& entry : *entries) {
    auto stored = codec::decode_link(entry.value);
    if (!stored) return std::unexpected(stored.error());
    Link link = from_stored(*stored);
    if (link.from_configuration) {
      // The configuration says which rooms; what an operator said about its state outlives a restart.
      if (auto it = links_.find(link.id); it != links_.end()) {
        it->second.state = link.state;
        it->second.note = link.note;
      }
      continue;
    }
    bool taken = std::any_of(link.ends.begin(), link.ends.end(),
                             [&](const auto& end) { return binds(link, end) && by_room_.contains(room_key(end.network, end.room)); });
    bool known = std::all_of(link.ends.begin(), link.ends.end(), [&](const auto& end) { return parts_.settings->network(end.network); });
    if (taken || !known) continue;  // the configuration took one of its rooms since; kept in the store for the operator's next configuration
    put_in_force(std::move(link));
  }
  return {};
}

void Links::put_in_force(Link link) {
  if (auto old = links_.find(link.id); old != links_.end())
    std::erase_if(by_room_, [&](const auto& entry) { return entry.second == link.id; });
  for (const auto& end : link.ends)
    if (binds(link, end)) by_room_[room_key(end.network, end.room)] = link.id;
  links_[link.id] = std::move(link);
}

Link* Links::find(const std::string& network, const std::string& room) {
  auto it = by_room_.find(room_key(network, room));
  return it == by_room_.end() ? nullptr : &links_.at(it->second);
}

const Link* Links::of_room(const std::string& network, const std::string& room) const {
  auto it = by_room_.find(room_key(network, room));
  if (it == by_room_.end()) return nullptr;
  const Link& link = links_.at(it->second);
  return link.state == Link::State::kActive ? &link : nullptr;
}

std::vector<RoomWanted> Links::wanted(const std::string& network) const {
  std::vector<RoomWanted> rooms;
  for (const auto& [id, link] : links_)
    for (const auto& end : link.ends)
      if (end.network == network)
        rooms.push_back({end.network, end.room, link.state == Link::State::kActive ? Presence::kBridged : Presence::kListening});
  return rooms;
}

void Links::tell(const Link& link, bool gone) {
  for (const auto& end : link.ends)
    wanted_({end.network, end.room, gone ? Presence::kGone : link.state == Link::State::kActive ? Presence::kBridged : Presence::kListening});
}

void Links::store(Link link, std::function<void(Result<void>)> done) {
  link.changed_at_ms = parts_.clock.wall_ms();
  std::string id = link.id;
  std::string bytes = codec::encode_link(to_stored(link));
  parts_.key_value.put("links", id, std::move(bytes), std::nullopt,
                       [this, link = std::move(link), done = std::move(done), life = std::weak_ptr<int>(life_)](Result<store::Revision> result) mutable {
                         if (life.expired()) return;
                         if (!result) {
                           ++stats_.store_failures;
                           done(std::unexpected(result.error()));
                           return;
                         }
                         put_in_force(link);
                         tell(link, false);
                         done({});
                       });
}

LinkView Links::view(const Link& link) const {
  LinkView view;
  view.id = link.id;
  view.state = state_text(link.state);
  view.note = link.note;
  view.from_configuration = link.from_configuration;
  for (const auto& end : link.ends) {
    LinkEndView shown{end.network, end.room, {}, false};
    if (const auto* known = rooms_.find(end.network, end.room)) {
      shown.joined = known->state.joined;
      shown.problem = known->state.problem;
    } else {
      shown.problem = "nothing known of this room yet";
    }
    if (end.proven_by.empty()) shown.problem = "no admin of this room has asked for the link yet";
    view.ends.push_back(std::move(shown));
  }
  return view;
}

std::vector<LinkView> Links::views() const {
  std::vector<LinkView> all;
  for (const auto& [id, link] : links_) all.push_back(view(link));
  return all;
}

void Links::set(const std::string& id, const std::string& state, std::function<void(Result<LinkView>)> done) {
  auto it = links_.find(id);
  if (it == links_.end()) return done(make_error(ErrorKind::kNotFound, "no link has the id " + id));
  if (state == "deleted") {
    if (it->second.from_configuration) return done(make_error(ErrorKind::kForbidden, "link " + id + " is in the configuration; remove it there, or suspend it"));
    parts_.key_value.erase("links", id, [this, id, done = std::move(done), life = std::weak_ptr<int>(life_)](Result<store::Revision> result) {
      if (life.expired()) return;
      if (!result) return done(std::unexpected(result.error()));
      auto entry = links_.find(id);
      if (entry == links_.end()) return done(make_error(ErrorKind::kNotFound, "no link has the id " + id));
      LinkView last = view(entry->second);
      last.state = "deleted";
      tell(entry->second, true);
      std::erase_if(by_room_, [&](const auto& room) { return room.second == id; });
      links_.erase(entry);
      done(std::move(last));
    });
    return;
  }
  if (state != "active" && state != "suspended") return done(make_error(ErrorKind::kInvalid, "a link's state is active, suspended or deleted"));
  Link link = it->second;
  link.state = state == "active" ? Link::State::kActive : Link::State::kSuspended;
  for (const auto& end : link.ends)
    if (Link* other = find(end.network, end.room); other && other->id != id)
      return done(make_error(ErrorKind::kConflict, "room " + end.room + " belongs to link " + other->id));
  link.note = state + " by the operator";
  store(link, [this, id, done = std::move(done)](Result<void> result) {
    if (!result) return done(std::unexpected(result.error()));
    done(view(links_.at(id)));
  });
}

}  // namespace fedgate::pipeline
