"""Numbered messages through a conversation while things die, and the count at the other end: lost, doubled, out of order."""
import asyncio
import collections
import dataclasses
import re
import time
import xml.etree.ElementTree as ET

from .waiting import TimedOut


def body(tag, number):
    return f"{tag} #{number:05d}"


def numbers(bodies, tag):
    """The numbers of this tag in the order in which they were seen."""
    pattern = re.compile(re.escape(tag) + r" #(\d{5})\Z")
    return [int(found[1]) for found in map(pattern.match, bodies) if found]


@dataclasses.dataclass
class Count:
    expected: int
    seen: list

    @property
    def lost(self):
        return sorted(set(range(1, self.expected + 1)) - set(self.seen))

    @property
    def doubled(self):
        return sorted(number for number, times in collections.Counter(self.seen).items() if times > 1)

    def misplaced(self, may_be_late=()):
        """Numbers that came after a bigger one; those in may_be_late (sent again by the sender itself) do not count."""
        late = set(may_be_late)
        biggest, wrong, had = 0, [], set()
        for number in self.seen:
            if number in had:
                continue
            had.add(number)
            if number in late:
                continue
            if number < biggest:
                wrong.append(number)
            biggest = max(biggest, number)
        return wrong

    def problems(self, may_be_late=(), doubles_allowed=False):
        found = []
        if self.lost:
            found.append(f"{len(self.lost)} lost: {self.lost[:20]}")
        if self.doubled and not doubles_allowed:
            found.append(f"{len(self.doubled)} doubled: {self.doubled[:20]}")
        if self.misplaced(may_be_late):
            found.append(f"{len(self.misplaced(may_be_late))} out of order: {self.misplaced(may_be_late)[:20]}")
        return "; ".join(found)


class Progress:
    """How many messages of a burst were sent; tests strike at chosen numbers."""

    def __init__(self):
        self.sent = 0
        self._waiting = []

    def one_more(self):
        self.sent += 1
        for at, event in self._waiting:
            if self.sent >= at:
                event.set()

    async def reaches(self, number):
        event = asyncio.Event()
        self._waiting.append((number, event))
        if self.sent >= number:
            event.set()
        await event.wait()


async def send_on_matrix(client, room, tag, count, progress=None):
    """One after the other, each repeated under one transaction id until the homeserver has it."""
    for number in range(1, count + 1):
        await client.send(room, body(tag, number))
        if progress:
            progress.one_more()


class XmppSender:
    """Sends a numbered burst to one bare JID the way a careful client does where the server gives no acknowledgement:

    every message asks for a delivery receipt (XEP-0184), at most `window` are without one, and when nothing was acknowledged for
    `patience_s`, all that are without one are sent again in order with the same ids.
    """

    def __init__(self, client, to, tag, count, progress=None, window=50, patience_s=4):
        self.client, self.to, self.tag, self.count = client, to, tag, count
        self.progress = progress
        self.window, self.patience_s = window, patience_s
        self.again = set()   # numbers that were sent more than once
        self._acknowledged = set()
        self._position = 0   # in client.messages

    def _id(self, number):
        return f"{self.tag}-{number}"

    def _look(self):
        items = self.client.messages.items
        before = len(self._acknowledged)
        while self._position < len(items):
            receipt = items[self._position].receipt
            if receipt.startswith(self.tag + "-"):
                self._acknowledged.add(int(receipt.rsplit("-", 1)[1]))
            self._position += 1
        return len(self._acknowledged) > before

    async def run(self, timeout_s):
        deadline = time.monotonic() + timeout_s
        next_number, quiet_since = 1, time.monotonic()
        while len(self._acknowledged) < self.count:
            if self._look():
                quiet_since = time.monotonic()
            now = time.monotonic()
            if now > deadline:
                raise TimedOut(f"{self.client.jid}: {len(self._acknowledged)} of {self.count} messages have a receipt after {timeout_s:g} s")
            open_numbers = [number for number in range(1, next_number) if number not in self._acknowledged]
            try:
                if now - quiet_since > self.patience_s and open_numbers and self.client.connected():
                    for number in open_numbers:
                        self.again.add(number)
                        self.client.send(self.to, body(self.tag, number), id=self._id(number), receipt=True)
                    quiet_since = now
                elif next_number <= self.count and len(open_numbers) < self.window and self.client.connected():
                    self.client.send(self.to, body(self.tag, next_number), id=self._id(next_number), receipt=True)
                    next_number += 1
                    if self.progress:
                        self.progress.one_more()
                    await asyncio.sleep(0)
                    continue
            except ConnectionError:
                pass
            await asyncio.sleep(0.02)


def once_by_id(messages):
    """What a client shows: a message that came twice with one id (XEP-0359 origin-id) is shown once. Returns (shown, number of repeats)."""
    shown, ids, repeats = [], set(), 0
    for message in messages:
        origin = message.element.find("{urn:xmpp:sid:0}origin-id")
        key = (message.bare if message.type != "groupchat" else message.sender, origin.get("id") if isinstance(origin, ET.Element) else message.id)
        if key in ids:
            repeats += 1
            continue
        ids.add(key)
        shown.append(message)
    return shown, repeats
