"""Who is not who they say they are, and what is not what it should be: a clear answer, and nobody else notices."""
import asyncio
import time

import pytest

from fedgate_lab.appservice import hs_token, push
from fedgate_lab.raw_xmpp import RawComponent
from fedgate_lab.waiting import until
from fedgate_lab.world import FORGER


async def chat_still_works(world, word):
    """A fence as well: what came before it in Anna's or Alice's streams has been handled."""
    room = await world.direct_room("alice", "anna")
    await world.alice.send(room, f"{word}, still here?")
    seen = await world.anna.wait_message(30, body=f"{word}, still here?")
    world.anna.send(seen.bare, f"{word}, still here")
    await world.alice.wait_message(30, body=f"{word}, still here")


def invented_event(world, number, body="invented"):
    return {"type": "m.room.message", "event_id": f"$invented{number}", "sender": "@alice:bund.example", "room_id": "!nowhere:bund.example",
            "origin_server_ts": 1, "content": {"msgtype": "m.text", "body": body}}


async def test_foreign_component_cannot_speak_for_anna(world):
    """Another component of the same server: its own domain is all it may use, and namespaced attributes do not help."""
    ghost = world.ghost_on_xmpp("@alice:bund.example")
    async with RawComponent(world.xmpp, FORGER, world.forger_secret) as forger:
        forger.send(f"<message xmlns:x='jabber:client' from='spy@{FORGER}' x:from='anna@polizei.example' to='{ghost}' type='chat' id='forged-1'>"
                    "<body>ich bin Anna</body></message>")
        await until(lambda: "forged-1" in forger.seen and "error" in forger.seen, 30, "the forger to be refused", seen=lambda: forger.seen[-400:])
    await chat_still_works(world, "forger")
    assert not [event for event in world.alice.messages() if event["content"]["body"] == "ich bin Anna"]
    assert not [message for message in world.anna.messages if message.type == "error" and message.id == "forged-1"], "Anna was told about a message that was not hers"


async def test_wrong_token_of_the_homeserver_is_403(world):
    transaction = {"events": [invented_event(world, 1)]}
    assert (await push(world, transaction))[0] == 401
    assert await push(world, transaction, token="0" * 64) == (403, "M_FORBIDDEN")
    assert await push(world, transaction, token=hs_token(world)[:-1]) == (403, "M_FORBIDDEN")
    assert (await push(world, transaction, token=world.gateway.tokens["bund"]["as_token"]))[0] == 403
    await chat_still_works(world, "wrong token")


async def test_malformed_requests_of_the_homeserver_get_clear_errors(world):
    token = hs_token(world)
    assert await push(world, None, token=token, raw=b"{not json") == (400, "M_NOT_JSON")
    assert (await push(world, [1, 2], token=token))[1] == "M_BAD_JSON"
    assert await push(world, {}, token=token, path="/_matrix/app/v1/nothing") == (404, "M_UNRECOGNIZED")
    assert await push(world, {}, token=token, method="POST", txn="7") == (405, "M_UNRECOGNIZED")
    began = time.monotonic()
    assert (await push(world, None, token=token, txn="deep", raw=b'{"events":' + b"[" * 100000 + b"]" * 100000 + b"}"))[0] == 400
    assert (await push(world, None, token=token, txn="bytes", raw=b'{"events":[{"type":"\xff\xfe"}]}'))[0] in (200, 400)
    assert time.monotonic() - began < 2
    # One event that nobody understands does not stop the others or the homeserver.
    odd = [None, 7, {}, {"type": 5}, {"type": "m.room.message", "content": None}, {**invented_event(world, 2), "content": {"body": 7, "msgtype": []}},
           {**invented_event(world, 3), "sender": "no-mxid"}, {**invented_event(world, 4), "room_id": "x" * 5000}]
    assert (await push(world, {"events": odd}, txn="odd", token=token))[0] == 200
    await chat_still_works(world, "malformed")


async def test_replayed_transactions_are_delivered_once(world):
    """The same transaction again, and the same event under other transaction ids."""
    room = await world.direct_room("alice", "anna")
    event_id = await world.alice.send(room, "nur einmal bitte")
    await world.anna.wait_message(30, body="nur einmal bitte")
    event = await world.alice.events.wait(lambda event: event["event_id"] == event_id, 30, "Alice's own message in /sync")
    for txn in ("replay-1", "replay-1", "replay-2", "replay-3"):
        status, _ = await push(world, {"events": [event, event]}, txn=txn, token=hs_token(world))
        assert status == 200
    dead = world.gateway.kill("fedgate-core")
    await world.gateway.back("fedgate-core", dead)
    status, _ = await push(world, {"events": [event]}, txn="replay-4", token=hs_token(world))
    assert status == 200
    await world.alice.send(room, "und noch etwas")
    await world.anna.wait_message(60, body="und noch etwas")
    assert [message.body for message in world.anna.bodies()].count("nur einmal bitte") == 1


async def test_the_same_stanza_twice_is_one_message_and_the_same_text_twice_is_two(world):
    room = await world.direct_room("alice", "anna")
    ghost = world.ghost_on_xmpp("@alice:bund.example")
    world.anna.send(ghost, "gleiche Kennung", id="same-id-1")
    world.anna.send(ghost, "gleiche Kennung", id="same-id-1")
    world.anna.send(ghost, "ok")
    world.anna.send(ghost, "ok")
    world.anna.send(ghost, "Ende der Doppelten")
    await world.alice.wait_message(30, body="Ende der Doppelten")
    bodies = [event["content"]["body"] for event in await world.alice.history(room) if "body" in event["content"]]
    seen = [event["content"]["body"] for event in world.alice.messages(sender=world.ghost_on_matrix("anna@polizei.example"))]
    assert bodies and seen.count("gleiche Kennung") == 1 and seen.count("ok") == 2, seen[-8:]


@pytest.mark.parametrize("what", ["deep", "wide", "large"])
async def test_hostile_stanzas_cost_one_answer(what, world):
    """Nesting, attributes and size over the limits: the sender is told or ignored, the component's stream lives."""
    ghost = world.ghost_on_xmpp("@alice:bund.example")
    inner = {
        "deep": "<a xmlns='urn:x'>" * 300 + "</a>" * 300,
        "wide": "<a xmlns='urn:x' " + " ".join(f"k{number}='v'" for number in range(2000)) + "/>",
        "large": "<body>" + "x" * 700_000 + "</body>",
    }[what]
    links = await world.gateway.metric("fedgate_link_up")
    began = time.monotonic()
    world.ben.send_raw(f"<message to='{ghost}' type='chat' id='hostile-{what}'><body>hostile {what}</body>{inner}</message>" if what != "large"
                       else f"<message to='{ghost}' type='chat' id='hostile-{what}'>{inner}</message>")
    await chat_still_works(world, f"hostile {what}")
    assert time.monotonic() - began < 10
    assert await world.gateway.metric("fedgate_link_up") == links
    if not world.ben.connected():
        await world.ben.reconnect()  # his own server may have thrown him out; nobody else


async def test_own_echo_and_ghosts_are_not_bridged_back(world):
    """Anna's message is on Matrix once; the homeserver's copy of it, pushed back by force, does not return to her."""
    room = await world.direct_room("alice", "anna")
    world.anna.send(world.ghost_on_xmpp("@alice:bund.example"), "kein Echo bitte")
    event = await world.alice.wait_message(30, body="kein Echo bitte")
    assert (await push(world, {"events": [event]}, txn="echo-1", token=hs_token(world)))[0] == 200
    await world.alice.send(room, "nach dem Echo")
    await world.anna.wait_message(30, body="nach dem Echo")
    assert not [message for message in world.anna.bodies() if message.body == "kein Echo bitte"]


async def test_a_transaction_id_that_comes_again_with_other_events_is_another_transaction(world):
    """A homeserver on SQLite counts its transactions from 1 again after a restart."""
    room = await world.direct_room("alice", "anna")
    before = len(world.anna.messages)
    for number in (1, 2):
        event = {"type": "m.room.message", "event_id": f"$reused-{number}-{before}", "room_id": room, "sender": world.alice.mxid,
                 "origin_server_ts": 1, "content": {"msgtype": "m.text", "body": f"reused id {number}"}}
        status, _ = await push(world, {"events": [event]}, txn="reused", token=hs_token(world))
        assert status == 200
    await world.anna.wait_message(30, body="reused id 2", after=before)
