// What the link client remembers between sessions: unanswered submissions, deliveries being worked on, results, the adapter's memory. No I/O: fills frames and reads frames.
//
// One thread. link_client.cc owns it and moves the frames.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fedgate/v1/link.pb.h"
#include "gateway/base/result.h"

namespace fedgate::sdk {

class LinkState {
 public:
  using VerdictDone = std::move_only_function<void(v1::Verdict)>;
  using WriteDone = std::move_only_function<void(Result<void>)>;
  using ReplyDone = std::move_only_function<void(std::optional<v1::CommandReply>)>;

  static constexpr int kEnvelopesPerFrame = 128;
  static constexpr std::size_t kFrameBytes = 256u << 10;
  static constexpr std::size_t kResultsRemembered = 16384;

  explicit LinkState(std::uint32_t deliver_window) : deliver_window_(deliver_window) {}

  // ---- what the adapter says
  void submit(v1::Envelope envelope, VerdictDone done);
  void result(v1::DeliveryResult result);
  void status(v1::NetworkStatus status);
  void room_state(v1::RoomState state);
  std::uint64_t command(v1::Command command, ReplyDone done);
  void give_up_command(std::uint64_t ref);
  void write(v1::StateEntry entry, bool erase, WriteDone done);

  // For credit or for the next frame.
  bool submissions_wait() const { return !unsent_.empty(); }
  std::size_t unanswered_submissions() const { return submissions_.size(); }
  const std::map<std::pair<std::string, std::string>, std::string>& memory() const { return memory_; }

  // ---- sessions
  // Everything of the last session that was not answered is to be said again; first frame apart from Hello.
  void begin_session(const v1::Welcome& welcome);
  std::uint32_t deliver_window() const { return deliver_window_; }
  // Takes what may be sent now; false if nothing is.
  bool fill(v1::AdapterFrame& frame);

  // ---- what the core says. true: to be worked on; false: answered from memory or being worked on already.
  bool deliver(const v1::Deliver& delivery);
  void credit(std::uint32_t submit_credit) { submit_credit_ += submit_credit; }
  // WAIT: returns after how many milliseconds retry(ref) is due; otherwise the verdict has been told.
  std::optional<std::uint32_t> verdict(v1::Verdict verdict);
  void retry(std::uint64_t ref);
  void written(const v1::StateWritten& written);
  void reply(v1::CommandReply reply);

 private:
  struct Submission {
    v1::Envelope envelope;
    VerdictDone done;
  };
  struct Write {
    v1::StateEntry entry;
    bool erase = false;
    WriteDone done;
    bool sent = false;
  };

  void remember_result(const v1::DeliveryResult& result);

  std::uint32_t deliver_window_;
  std::uint64_t session_ = 0;
  std::uint64_t last_ref_ = 0;
  std::uint64_t submit_credit_ = 0;

  std::map<std::uint64_t, Submission> submissions_;  // by ref, which is the order of submission
  std::deque<std::uint64_t> unsent_;
  std::unordered_map<std::string, std::uint64_t> working_;  // delivery id -> session in which it was last given
  std::unordered_map<std::string, v1::DeliveryResult> remembered_;
  std::deque<std::string> remembered_order_;
  std::vector<v1::DeliveryResult> results_;
  std::uint32_t deliver_credit_ = 0;
  std::map<std::string, v1::NetworkStatus> statuses_;
  std::map<std::pair<std::string, std::string>, v1::RoomState> rooms_;
  std::vector<v1::NetworkStatus> unsent_statuses_;
  std::vector<v1::RoomState> unsent_rooms_;
  std::map<std::uint64_t, Write> writes_;
  std::map<std::uint64_t, ReplyDone> commands_;
  std::vector<v1::Command> unsent_commands_;
  std::map<std::pair<std::string, std::string>, std::string> memory_;
};

}  // namespace fedgate::sdk
