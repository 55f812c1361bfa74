// Telling systemd how the program is doing (sd_notify(3) protocol): one datagram to $NOTIFY_SOCKET. Does nothing where there is none. Any thread.
#pragma once

#include <string_view>

namespace fedgate::app {

// state: lines as in sd_notify(3), for example "READY=1\nSTATUS=…". True if it was sent.
bool notify_service_manager(std::string_view state);

}  // namespace fedgate::app
