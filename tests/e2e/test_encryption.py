"""Encrypted rooms: ciphertext is refused visibly, and nothing in plain text is ever written into such a room."""

from fedgate_lab.waiting import until

ENCRYPTED = [{"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}]
MEGOLM = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgAEnACgAkLmt6qF84IK++J7UDH2Za1YVchHyprqTqsg", "session_id": "X3lUlvLELLYxeTx4yOVu6UDpasGEVO0Jbu+QFnm0cKQ",
          "sender_key": "RlaPbfLIJLYlGCGLAZvfYa", "device_id": "LAB"}


async def test_megolm_is_refused_and_the_sender_is_told(world):
    """Either the ghost does not come into an encrypted room at all, or what is said there is answered with a failure."""
    alice, ben = world.alice, world.ben
    ghost = world.ghost_on_matrix("ben@polizei.example")
    before = len(ben.messages)
    room = await alice.start_direct(ghost, initial_state=ENCRYPTED)

    async def decided():
        members = (await alice.call("GET", f"/v3/rooms/{room}/members"))["chunk"]
        return next((event["content"]["membership"] for event in members
                     if event["state_key"] == ghost and event["content"]["membership"] in ("join", "leave")), None)
    if await until(decided, 30, "Ben's ghost to join or to decline", every_s=0.1) == "join":
        event_id = await alice.send(room, None, kind="m.room.encrypted", content=MEGOLM)
        status = await alice.wait_status(event_id, 60)
        assert status["content"]["status"].startswith("FAIL"), status["content"]
    assert not [message for message in ben.messages.items[before:] if message.body]
    await alice.leave(room)  # the next message of the two opens another


async def test_no_plain_text_into_an_encrypted_room(world):
    """Anna's chat with Bob turns encrypted; what she writes then is not written into it, and she or Bob gets to know."""
    bob, anna = world.bob, world.anna
    ghost_m, ghost_x = world.ghost_on_matrix("anna@polizei.example"), world.ghost_on_xmpp("@bob:bund.example")
    room = await bob.start_direct(ghost_m)
    await bob.wait_member(room, ghost_m)
    await bob.send(room, "noch offen")
    await anna.wait_message(30, body="noch offen")
    await bob.set_state(room, "m.room.encryption", ENCRYPTED[0]["content"])
    # The homeserver has told the gateway of the encryption before it tells it of this message: order within a room.
    event_id = await bob.send(room, None, kind="m.room.encrypted", content=MEGOLM)
    await bob.wait_status(event_id, 60)
    id = anna.send(ghost_x, "das darf nicht offen dort stehen", receipt=True)

    def outcome():
        error = [message for message in anna.messages if message.type == "error" and message.id == id]
        elsewhere = [event for event in bob.messages() if event["content"]["body"] == "das darf nicht offen dort stehen" and event["room_id"] != room]
        return error or elsewhere
    await until(outcome, 60, "an error for Anna, or her message in another, open room")
    in_room = [event for event in await bob.history(room) if event["type"] == "m.room.message" and event["sender"] == ghost_m]
    assert not in_room, in_room
    await bob.leave(room)
