"""What people say to the gateway itself: !start and !link."""
from fedgate_lab.waiting import until
from fedgate_lab.world import BOT


async def talk_to_bot(person):
    room = await person.start_direct(BOT)
    await person.wait_member(room, BOT)
    return room


async def said(person, room, line):
    """Sends a line to the gateway and returns its answer."""
    before = len(person.events)
    await person.send(room, line)
    answer = await person.events.wait(lambda event: event["type"] == "m.room.message" and event["room_id"] == room and event["sender"] == BOT, 30,
                                      f"an answer to {line}", before)
    return answer["content"]["body"]


async def test_start_opens_a_chat_with_somebody_elsewhere(world):
    room = await talk_to_bot(world.bob)
    ghost = world.ghost_on_matrix("ben@polizei.example")
    for candidate in list(world.bob.joined):  # other tests may have opened one
        if ghost in await world.bob.members(candidate):
            await world.bob.leave(candidate)
    joined = set(world.bob.joined)
    answer = await said(world.bob, room, "!start ben@polizei.example")

    async def new_chat():
        for candidate in world.bob.joined - joined:
            if ghost in await world.bob.members(candidate):
                return candidate
        return None
    chat = await until(new_chat, 30, f"a chat with Ben after the answer {answer!r}")
    await world.bob.send(chat, "Ben, über den Bot")
    await world.ben.wait_message(30, body="Ben, über den Bot")
    assert chat in await said(world.bob, room, "!start ben@polizei.example"), "who asks again is shown the chat that there is"


async def test_start_with_a_wrong_address_says_what_is_wrong(world):
    room = await talk_to_bot(world.bob)
    for line in ("!start", "!start nobody", "!start @@@", "!nonsense"):
        answer = await said(world.bob, room, line)
        assert answer.strip(), line
    assert (await world.gateway.metric("fedgate_link_up", network="bund")) == 1


async def test_link_needs_power_on_both_sides(world):
    """A room admin on Matrix and the owner of the MUC both ask for it; then the rooms are one, and stay so over a restart."""
    alice, bob, anna, ben = world.alice, world.bob, world.anna, world.ben
    muc = "uebung@rooms.polizei.example"
    await anna.join(muc)   # the first to come owns it
    await ben.join(muc)
    room = await alice.create_room(preset="public_chat", room_alias_name="uebung", name="Übung", invite=[BOT])
    await alice.wait_member(room, BOT)
    await bob.join(room)
    refusal = await said(bob, room, f"!link bpol {muc}")
    assert refusal.strip()
    assert not [link for link in await world.gateway.links() if link["state"] == "active" and any(end["room"] == muc for end in link["ends"])], refusal

    answer = await said(alice, room, f"!link bpol {muc}")
    print("Matrix admin was answered:", answer)
    await anna.wait_occupant(muc, "fedgate")
    for person, is_enough in ((ben, False), (anna, True)):
        before = len(person.messages)
        person.say(muc, f"!link bund {room}")
        reply = await person.messages.wait(lambda message: message.bare == muc and message.body and not message.body.startswith("!link") and message.nick == "fedgate",
                                           30, "the gateway's answer in the MUC", before)
        print(person.jid, "was answered:", reply.body)
        active = [link for link in await world.gateway.links() if link["state"] == "active" and any(end["room"] == muc for end in link["ends"])]
        assert bool(active) == is_enough, (person.jid, reply.body)

    async def talk(word):
        await alice.send(room, f"{word} von Matrix")
        await anna.wait_message(30, body=f"{word} von Matrix", type="groupchat")
        anna.say(muc, f"{word} aus dem MUC")
        await alice.wait_message(30, room=room, body=f"{word} aus dem MUC")
    await talk("Übung")
    dead = world.gateway.kill("fedgate-core")
    await world.gateway.back("fedgate-core", dead)
    await talk("Danach")
