"""A server is away for a while: its messages wait, in order; everybody else is served as before."""
import asyncio
import os
import resource
import signal
import time

import aiohttp
import pytest

from conftest import LONG
from fedgate_lab.appservice import hs_token, push
from fedgate_lab import burst
from fedgate_lab.waiting import until

AWAY_S = 60 if LONG else 20
COUNT = 50


async def away(seconds, meanwhile):
    """Repeats `meanwhile` for the length of the outage; returns how long each round took."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        await meanwhile(len(took))
        took.append(time.monotonic() - began)
        await asyncio.sleep(0.5)
    return took


@pytest.mark.limit(300)
async def test_xmpp_server_down_then_everything_arrives_in_order(three):
    world = three
    room = await world.direct_room("alice", "anna")
    carls_room = await world.direct_room("alice", "carl", network="zoll")
    await world.alice.send(room, "before the outage")
    await world.anna.wait_message(body="before the outage")
    await world.alice.send(carls_room, "hello Carl")
    await world.carl.wait_message(body="hello Carl")

    world.xmpp.kill()
    try:
        await burst.send_on_matrix(world.alice, room, "outage", COUNT)

        async def waits():
            queue = await world.gateway.queue("bpol")
            return queue if queue["waiting"] == COUNT and queue["oldest_ms"] > 0 else None
        await until(waits, 30, f"fedgate queue to show {COUNT} waiting for bpol")

        async def to_carl(number):
            await world.alice.send(carls_room, f"still here {number}")
            await world.carl.wait_message(10, body=f"still here {number}")
        took = await away(AWAY_S, to_carl)
        assert max(took) < 5, f"the third agency was slowed: {max(took):.1f} s"
        queue = await world.gateway.queue("bpol")
        assert queue["waiting"] == COUNT and not queue.get("up"), queue
        assert queue["oldest_ms"] > AWAY_S * 500, queue
        assert (await world.gateway.queue("zoll"))["waiting"] == 0
    finally:
        await world.xmpp.restart()
    back = time.monotonic()
    await world.people_back()
    ghost = world.ghost_on_xmpp("@alice:bund.example")

    async def all_there():
        return not burst.Count(COUNT, burst.numbers([message.body for message in await world.anna.archive() if message.bare == ghost], "outage")).lost
    await until(all_there, 60, "everything that waited to arrive", every_s=0.5)
    print(f"all there {time.monotonic() - back:.1f} s after the server was back")
    shown, _ = burst.once_by_id([message for message in await world.anna.archive() if message.bare == ghost and message.body])
    assert not burst.Count(COUNT, burst.numbers([message.body for message in shown], "outage")).problems()
    await world.settled()


@pytest.mark.limit(300)
async def test_homeserver_down_then_everything_arrives_in_order(three):
    world = three
    room = await world.direct_room("alice", "anna")
    await world.alice.send(room, "before the outage of the homeserver")
    await world.anna.wait_message(body="before the outage of the homeserver")
    ghost_x = world.ghost_on_xmpp("@alice:bund.example")
    to_carl = world.ghost_on_xmpp("carl@zoll.example", network="zoll")

    world.synapse.kill()
    try:
        for number in range(1, COUNT + 1):
            world.anna.send(ghost_x, burst.body("night", number))

        async def waits():
            return (await world.gateway.queue("bund"))["waiting"] == COUNT
        await until(waits, 30, f"fedgate queue to show {COUNT} waiting for bund")

        async def anna_to_carl(number):
            world.anna.send(to_carl, f"Matrix is down {number}")
            await world.carl.wait_message(10, body=f"Matrix is down {number}")
        took = await away(AWAY_S, anna_to_carl)
        assert max(took) < 5, f"the two other agencies were slowed: {max(took):.1f} s"
    finally:
        await world.synapse.restart()
    ghost_m = world.ghost_on_matrix("anna@polizei.example")
    seen = lambda: burst.numbers([event["content"]["body"] for event in world.alice.messages(sender=ghost_m)], "night")
    await until(lambda: len(set(seen())) == COUNT, 90, "everything that waited to arrive", seen=seen)
    await world.settled()
    assert not burst.Count(COUNT, seen()).problems()


@pytest.mark.limit(120)
async def test_two_xmpp_agencies_reach_each_other(three):
    """XMPP to XMPP through the gateway, both ways."""
    world = three
    to_carl = world.ghost_on_xmpp("carl@zoll.example", network="zoll")
    world.anna.send(to_carl, "Guten Tag, Zoll")
    seen = await world.carl.wait_message(body="Guten Tag, Zoll")
    assert seen.bare == world.ghost_on_xmpp("anna@polizei.example", network="bpol", component="fedgate.zoll.example")
    world.carl.send(seen.bare, "Guten Tag, Polizei")
    assert (await world.anna.wait_message(body="Guten Tag, Polizei")).bare == to_carl


@pytest.mark.limit(120)
async def test_whole_gateway_restarted_between_messages(three):
    """fedgate up is ended and started again: chats go on where they were, in the same rooms."""
    world = three
    room = await world.direct_room("alice", "anna")
    await world.alice.send(room, "before the restart")
    ghost = (await world.anna.wait_message(body="before the restart")).bare
    await world.gateway.restart()
    world.anna.send(ghost, "after the restart")
    assert (await world.alice.wait_message(60, body="after the restart"))["room_id"] == room
    await world.alice.send(room, "welcome back")
    await world.anna.wait_message(60, body="welcome back")


@pytest.mark.limit(120)
async def test_an_event_pushed_while_the_core_is_silent_waits(world):
    """fedgate-matrix has started and fedgate-core has not answered it yet: it cannot know which rooms are bridged and which are chats, so the event must wait, not pass as a stranger's."""
    room = await world.direct_room("alice", "anna")
    dead = world.gateway.kill("fedgate-matrix")
    core = world.gateway.pid("fedgate-core")
    os.kill(core, signal.SIGSTOP)
    try:
        await until(lambda: world.gateway.pid("fedgate-matrix") not in (None, dead), 30, "fedgate up to start fedgate-matrix again")
        events = [{"type": "m.room.message", "event_id": f"$early-{number}-{dead}", "room_id": where, "sender": world.alice.mxid, "origin_server_ts": 1,
                   "content": {"msgtype": "m.text", "body": f"early {number} {dead}"}} for number, where in enumerate((room, world.incident_room))]

        async def pushed():
            while True:
                try:
                    return await push(world, {"events": events}, txn=f"early-{dead}", token=hs_token(world))
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)  # it does not listen yet
        push_task = asyncio.ensure_future(pushed())
        await asyncio.sleep(1)
        assert not push_task.done(), f"the homeserver heard {push_task.result()} although nothing is durable"
    finally:
        os.kill(core, signal.SIGCONT)
    assert (await push_task)[0] == 200
    for number in range(2):
        await world.anna.wait_message(30, body=f"early {number} {dead}")


@pytest.mark.limit(180)
async def test_events_that_the_homeserver_lost_in_a_crash_are_read(world):
    """What waits behind a transaction stands in Synapse's memory only: after its crash nobody pushes it, so fedgate reads the rooms itself."""
    room = await world.direct_room("alice", "anna")
    adapter = world.gateway.pid("fedgate-matrix")
    tag = f"lost {adapter}"
    os.kill(adapter, signal.SIGSTOP)
    try:
        for number in range(6):
            await world.alice.send(room if number % 2 else world.incident_room, f"{tag} {number}")
        await asyncio.sleep(1)
        world.synapse.kill()
        await world.synapse.restart()
    finally:
        os.kill(adapter, signal.SIGCONT)

    def seen():
        return [message.body for message in world.anna.bodies() if message.body.startswith(tag)]
    await until(lambda: len(seen()) >= 6, 60, "Anna to see all six messages", seen=seen)
    await world.alice.send(room, f"{tag} end")
    await world.anna.wait_message(30, body=f"{tag} end")
    assert sorted(seen()[:-1]) == [f"{tag} {number}" for number in range(6)], seen()
    assert [body for body in seen() if int(body.split()[-1].replace("end", "7")) % 2] == [f"{tag} {number}" for number in (1, 3, 5)] + [f"{tag} end"], seen()


@pytest.mark.limit(120)
async def test_a_full_disk_makes_the_networks_wait_and_loses_nothing(world):
    """No byte can be added to a file of the core: what is accepted stays durable, nothing more is accepted, the operator sees it, and afterwards everything arrives."""
    room = await world.direct_room("alice", "anna")
    core = world.gateway.pid("fedgate-core")
    ghost = world.ghost_on_xmpp("@alice:bund.example")
    failures = await world.gateway.metric("fedgate_store_failures_total")
    before_x, before_m = len(world.anna.messages), len(world.alice.events)
    _, hard = resource.prlimit(core, resource.RLIMIT_FSIZE)
    resource.prlimit(core, resource.RLIMIT_FSIZE, (4096, hard))
    try:
        for number in range(5):
            await world.alice.send(room, f"full disk {number}")
            world.anna.send(ghost, f"full disk {number}")

        async def told():
            status, text = await world.gateway.ready()
            return status == 503 and "store is not writing" in text
        await until(told, 30, "/readyz to say that the store does not write")
        assert await world.gateway.metric("fedgate_store_failures_total") > failures
        await asyncio.sleep(2)
        assert not [message for message in world.anna.bodies() if message.body.startswith("full disk")], "delivered although not durable"
    finally:
        resource.prlimit(core, resource.RLIMIT_FSIZE, (hard, hard))
    assert world.gateway.pid("fedgate-core") == core, "the core died of a full disk"
    for number in range(5):
        await world.anna.wait_message(60, body=f"full disk {number}", after=before_x)
        await world.alice.wait_message(60, body=f"full disk {number}", after=before_m)
    await until(world.gateway.is_ready, 30, "/readyz to say yes again")
    await world.settled()
    assert [message.body for message in world.anna.bodies() if message.body.startswith("full disk")] == [f"full disk {number}" for number in range(5)]
