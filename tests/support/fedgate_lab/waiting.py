"""Waiting for a condition, never for a time."""
import asyncio
import inspect
import time


class TimedOut(AssertionError):
    """The condition did not become true in time; says which condition and what was seen instead."""


async def until(condition, timeout_s, what, every_s=0.02, seen=None):
    """Polls condition (plain or async) until it returns something true, and returns that.

    what: the condition in words. seen: called on failure, returns what there was instead.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() >= deadline:
            detail = f"; seen: {seen()}" if seen else ""
            raise TimedOut(f"waited {timeout_s:g} s for: {what}{detail}")
        await asyncio.sleep(every_s)


class Arrivals:
    """An append-only list that people wait on: whatever a client saw, in the order in which it saw it."""

    def __init__(self):
        self.items = []
        self._changed = asyncio.Event()

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        return iter(self.items)

    def add(self, item):
        self.items.append(item)
        self._changed.set()

    async def wait(self, match, timeout_s, what, after=0):
        """The first item from position `after` on for which match(item) is true."""
        deadline = time.monotonic() + timeout_s
        position = after
        while True:
            while position < len(self.items):
                if match(self.items[position]):
                    return self.items[position]
                position += 1
            await self._more(deadline, timeout_s, what, after)

    async def wait_all(self, enough, timeout_s, what):
        """Waits until enough(items) is true; looks again only when something arrived."""
        deadline = time.monotonic() + timeout_s
        while not enough(self.items):
            await self._more(deadline, timeout_s, what, max(0, len(self.items) - 5))
        return self.items

    async def _more(self, deadline, timeout_s, what, shown_from):
        self._changed.clear()
        try:
            await asyncio.wait_for(self._changed.wait(), max(0.0, deadline - time.monotonic()))
        except asyncio.TimeoutError:
            last = [str(item)[:200] for item in self.items[shown_from:][-8:]]
            raise TimedOut(f"waited {timeout_s:g} s for: {what}; seen: {last}") from None
