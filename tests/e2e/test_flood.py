"""Messages to people who do not exist: each gets its answer, cheaply, and nobody else waits."""
import asyncio
import time

import pytest

from conftest import LONG
from fedgate_lab.waiting import until

UNKNOWN_NETWORK = 100_000 if LONG else 1_200
UNKNOWN_USER = 2_000 if LONG else 300


@pytest.mark.limit(1800 if LONG else 240)
async def test_unknown_recipients_cost_little_and_disturb_nobody(world):
    room = await world.direct_room("alice", "anna")
    ben = world.ben
    before = len(ben.messages)
    slowest = 0.0
    sending = True

    async def others():
        nonlocal slowest
        number = 0
        while sending:
            number += 1
            began = time.monotonic()
            await world.alice.send(room, f"flood check {number}")
            await world.anna.wait_message(30, body=f"flood check {number}")
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(0.2)
    checking = asyncio.ensure_future(others())
    began = time.monotonic()
    ids = set()
    for number in range(UNKNOWN_NETWORK):
        ids.add(ben.send(f"nowhere.u{number}=40x.example@fedgate.polizei.example", "anybody?", id=f"flood-n{number}"))
        if number % 200 == 0:
            await asyncio.sleep(0.01)
    for number in range(UNKNOWN_USER):
        ids.add(ben.send(world.ghost_on_xmpp(f"@nobody{number}:bund.example"), "anybody?", id=f"flood-u{number}"))
        await asyncio.sleep(0)

    def answered():
        return {message.id for message in ben.messages.items[before:] if message.type == "error"} & ids
    try:
        await until(lambda: len(answered()) == len(ids), 0.05 * len(ids) + 60, "an error for each unknown recipient", every_s=0.2,
                    seen=lambda: f"{len(answered())} of {len(ids)}")
    finally:
        sending = False
    took = time.monotonic() - began
    await checking
    print(f"{len(ids)} unknown recipients in {took:.1f} s, {1000 * took / len(ids):.1f} ms each; slowest message of others meanwhile {slowest:.1f} s")
    assert took / len(ids) < 0.05
    assert slowest < 10
