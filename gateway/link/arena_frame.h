// ArenaFrame: one frame of the link with everything in it on one arena, because a frame of many envelopes is hundreds of small objects that live and end together.
//
// A value that is held by pointer; no threads of its own.
#pragma once

#include <google/protobuf/arena.h>

namespace fedgate::link {

template <class Message>
class ArenaFrame {
 public:
  ArenaFrame() : message_(google::protobuf::Arena::CreateMessage<Message>(&arena_)) {}
  ArenaFrame(const ArenaFrame&) = delete;
  ArenaFrame& operator=(const ArenaFrame&) = delete;

  Message& operator*() { return *message_; }
  Message* operator->() { return message_; }
  // Empty again; what was read from it is gone.
  void reset() {
    arena_.Reset();
    message_ = google::protobuf::Arena::CreateMessage<Message>(&arena_);
  }

 private:
  google::protobuf::Arena arena_;
  Message* message_;
};

}  // namespace fedgate::link
