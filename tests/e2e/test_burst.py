"""Bursts in both directions while processes are killed with SIGKILL at random points: nothing lost, nothing doubled, order kept.

Where XMPP has no acknowledgement (README, "What is promised"), the sender's client does what such clients do: it sends what has no receipt
again under the same id, and the reader's client shows one id once.
"""
import asyncio
import os
import time

import pytest

from fedgate_lab import burst
from fedgate_lab.waiting import until
from fedgate_lab.world import INCIDENT_MUC

TOTAL = int(os.environ.get("FEDGATE_BURST", "2000"))
PAIRS = [("alice", "anna"), ("alice", "ben"), ("bob", "anna"), ("bob", "ben")]
# After these died, stanzas are gone that neither server nor gateway can know of; only the sender's own repetition brings them back, late.
MAY_BE_LATE = ("fedgate-xmpp", "prosody")


async def strike(world, victim):
    """Kills it, and waits until it works again."""
    if victim == "prosody":
        world.xmpp.kill()
        await world.xmpp.restart()
        await world.people_back()
    elif victim == "synapse":
        world.synapse.kill()
        await world.synapse.restart()
    else:
        await world.gateway.back(victim, world.gateway.kill(victim))


async def strikes(world, victim, progress, points):
    for point in points:
        await progress.reaches(point)
        print(f"kill -9 {victim} after {progress.sent} messages")
        await strike(world, victim)


async def poll_count(read, tag, expected, timeout_s):
    """Reads until all numbers are there or the time is over; returns the last Count."""
    deadline = time.monotonic() + timeout_s
    while True:
        count = burst.Count(expected, burst.numbers(await read(), tag))
        if not count.lost or time.monotonic() > deadline:
            return count
        await asyncio.sleep(1)


async def conserved(world):
    await world.settled()
    assert await world.gateway.metric("fedgate_conservation_difference") == 0
    assert await world.gateway.metric("fedgate_dead") == 0


@pytest.mark.limit(900)
@pytest.mark.parametrize("victim", ["fedgate-core", "fedgate-matrix", "fedgate-xmpp", "prosody", "synapse"])
async def test_burst_survives_kill_of(victim, world, chance):
    each = TOTAL // (2 * len(PAIRS))
    tag = f"{victim}-{chance.randrange(10000)}"
    progress = burst.Progress()
    rooms = {pair: await world.direct_room(*pair) for pair in PAIRS}
    senders, tasks = {}, []
    for user, person in PAIRS:
        tasks.append(burst.send_on_matrix(world.people[user], rooms[user, person], f"{tag}>{user}{person}", each, progress))
        ghost = world.ghost_on_xmpp(world.people[user].mxid)
        senders[user, person] = burst.XmppSender(world.people[person], ghost, f"{tag}<{user}{person}", each, progress)
        tasks.append(senders[user, person].run(700))
    points = sorted(chance.sample(range(TOTAL // 20, TOTAL * 9 // 10), 2))
    print(f"{TOTAL} messages in {2 * len(PAIRS)} directions, kills after {points}")
    began = time.monotonic()
    await asyncio.gather(strikes(world, victim, progress, points), *tasks)
    print(f"sent within {time.monotonic() - began:.0f} s")

    problems = []
    for user, person in PAIRS:
        ghost_x = world.ghost_on_xmpp(world.people[user].mxid)
        ghost_m = world.ghost_on_matrix(world.people[person].jid)
        repeats = 0

        async def on_xmpp():
            nonlocal repeats
            archive = [message for message in await world.people[person].archive() if message.bare == ghost_x and message.body]
            shown, repeats = burst.once_by_id(archive)
            return [message.body for message in shown]

        async def on_matrix():
            events = await world.people[user].history(rooms[user, person])
            return [event["content"]["body"] for event in events if event["sender"] == ghost_m and "body" in event["content"]]

        to_xmpp = await poll_count(on_xmpp, f"{tag}>{user}{person}", each, 120)
        if to_xmpp.problems():
            problems.append(f"{user} to {person}: {to_xmpp.problems()}")
        if repeats and victim not in MAY_BE_LATE:
            problems.append(f"{user} to {person}: {repeats} came twice on XMPP although only {victim} was killed")
        to_matrix = await poll_count(on_matrix, f"{tag}<{user}{person}", each, 120)
        again = senders[user, person].again
        late = again if victim in MAY_BE_LATE else ()
        if to_matrix.problems(late):
            problems.append(f"{person} to {user}: {to_matrix.problems(late)} (the client had sent {len(again)} again)")
        print(f"{user}/{person}: {len(to_xmpp.seen)} to XMPP ({repeats} repeated ids), {len(to_matrix.seen)} to Matrix ({len(again)} sent again by the client)")
    assert not problems, "\n".join(problems)
    await conserved(world)


@pytest.mark.limit(600)
@pytest.mark.parametrize("victim", ["fedgate-core", "fedgate-matrix", "fedgate-xmpp"])
async def test_room_burst_survives_kill_of(victim, world, chance):
    each = TOTAL // 8
    tag = f"room-{victim}-{chance.randrange(10000)}"
    progress = burst.Progress()
    room, anna = world.incident_room, world.anna

    async def say_all():
        """One after the other, each when the room has shown the one before."""
        for number in range(1, each + 1):
            id = anna.say(INCIDENT_MUC, burst.body(f"{tag}<", number))
            await anna.messages.wait(lambda message: message.id == id and message.type == "groupchat", 30, "the room to show Anna's own message",
                                     max(0, len(anna.messages) - 200))
            progress.one_more()
    points = sorted(chance.sample(range(each // 5, each * 9 // 5), 2))
    print(f"{2 * each} messages, kills after {points}")
    await asyncio.gather(burst.send_on_matrix(world.alice, room, f"{tag}>", each, progress), say_all(), strikes(world, victim, progress, points))

    async def on_xmpp():
        return [message.body for message in await anna.archive(INCIDENT_MUC) if message.body]

    async def on_matrix():
        return [event["content"]["body"] for event in await world.alice.history(room) if event["type"] == "m.room.message" and "body" in event["content"]]
    problems = []
    to_xmpp = await poll_count(on_xmpp, f"{tag}>", each, 120)
    if to_xmpp.problems():
        problems.append(f"Matrix to MUC: {to_xmpp.problems()}")
    to_matrix = await poll_count(on_matrix, f"{tag}<", each, 120)
    if to_matrix.problems():
        problems.append(f"MUC to Matrix: {to_matrix.problems()}")
    assert not problems, "\n".join(problems)
    await conserved(world)


@pytest.mark.limit(300)
async def test_burst_both_directions_undisturbed(world):
    """The same without a kill: not even an id may come twice."""
    each = 100
    room = await world.direct_room("alice", "anna")
    ghost_x, ghost_m = world.ghost_on_xmpp("@alice:bund.example"), world.ghost_on_matrix("anna@polizei.example")
    sender = burst.XmppSender(world.anna, ghost_x, "calm<", each, patience_s=30)
    await asyncio.gather(burst.send_on_matrix(world.alice, room, "calm>", each), sender.run(200))
    seen_x = lambda: burst.numbers([message.body for message in world.anna.bodies(sender=ghost_x)], "calm>")
    seen_m = lambda: burst.numbers([event["content"]["body"] for event in world.alice.messages(sender=ghost_m)], "calm<")
    await until(lambda: len(seen_x()) >= each and len(seen_m()) >= each, 60, "both sides to have seen all", seen=lambda: (len(seen_x()), len(seen_m())))
    await world.settled()
    assert not burst.Count(each, seen_x()).problems()
    assert not burst.Count(each, seen_m()).problems()
    assert not sender.again
