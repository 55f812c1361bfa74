#include "adapters/matrix/ghosts.h"

#include "adapters/matrix/ids.h"
#include "gateway/base/logger.h"

namespace fedgate::matrix {

namespace asio = boost::asio;

std::optional<Remote> Ghosts::remote_of(const std::string& user_id) const {
  auto name = parse_ghost_id(config_, user_id);
  if (!name || name->network == config_.network || !link_.is_peer(name->network)) return std::nullopt;
  if (name->hashed.empty()) return Remote{name->network, name->native_id};
  auto kept = link_.recall(config_.network, "ghost/" + name->hashed);
  if (!kept) return std::nullopt;
  return Remote{name->network, *kept};
}

asio::awaitable<Answer<std::string>> Ghosts::ensure(std::string network, std::string native_id, std::string display_name) {
  std::string ghost = ghost_id(config_, network, native_id);
  if (!registered_.contains(ghost)) {
    auto name = parse_ghost_id(config_, ghost);
    if (name && !name->hashed.empty()) {
      auto kept = co_await link_.remember(config_.network, "ghost/" + name->hashed, native_id);
      if (!kept) co_return std::unexpected(Failure{false, 0, "", kept.error().message, 0});
    }
    auto registered = co_await homeserver_.register_user(local_part(ghost));
    if (!registered) co_return std::unexpected(registered.error());
    registered_.insert(ghost);
  }
  if (!display_name.empty() && names_[ghost] != display_name) {
    auto named = co_await homeserver_.set_display_name(ghost, display_name);
    if (!named && named.error().unreachable) co_return std::unexpected(named.error());
    // A name is decoration: that it could not be set delays nobody's message.
    if (named) names_[ghost] = display_name;
    else log::warn("matrix", "display name of a ghost not set", {{"network", config_.network}, {"why", named.error().words}});
  }
  co_return ghost;
}

asio::awaitable<Answer<void>> Ghosts::ensure_joined(std::string room, std::string ghost, std::string inviter) {
  if (joined_.contains(room + "\n" + ghost)) co_return Answer<void>{};
  auto entered = co_await homeserver_.join(room, ghost);
  if (!entered && entered.error().status == 403) {
    auto invited = co_await homeserver_.invite(room, ghost, inviter);
    if (!invited) co_return std::unexpected(invited.error());
    entered = co_await homeserver_.join(room, ghost);
  }
  if (!entered) co_return std::unexpected(entered.error());
  joined(room, ghost);
  co_return Answer<void>{};
}

}  // namespace fedgate::matrix
