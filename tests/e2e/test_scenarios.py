"""Runs scenarios/*.json: conversations as data, "this one does that, that one sees this". README.md describes the steps."""
import asyncio
import json
import pathlib
import unicodedata
import uuid

import pytest

from fedgate_lab.matrix_client import MatrixClient
from fedgate_lab.waiting import until
from fedgate_lab.world import INCIDENT_MUC

FOLDER = pathlib.Path(__file__).parent / "scenarios"


def cases():
    for file in sorted(FOLDER.glob("*.json")):
        scenario = json.loads(file.read_text())
        for server in scenario.get("servers", ["prosody"]):
            yield pytest.param(server, scenario, id=f"{file.stem}-{server}")


def text_of(step):
    body = step.get("body", step.get("contains"))
    if isinstance(body, dict):
        body = body["repeat"] * body["times"]
    return unicodedata.normalize("NFC", body) if body is not None else None


def raw_text_of(step):
    body = step["body"]
    return body["repeat"] * body["times"] if isinstance(body, dict) else body


class Play:
    """One run of one scenario. Positions keep a step from seeing what was there before the scenario began."""

    def __init__(self, world):
        self.world = world
        self.start = {name: len(self._arrivals(person)) for name, person in world.people.items()}
        self.last = {}  # actor: id of what was sent last

    @staticmethod
    def _arrivals(person):
        return person.events if isinstance(person, MatrixClient) else person.messages

    def on_matrix(self, name):
        return isinstance(self.world.people[name], MatrixClient)

    def address(self, name):
        person = self.world.people[name]
        return person.mxid if self.on_matrix(name) else person.jid

    def ghost_for(self, reader, of):
        """How `of` appears to `reader`."""
        if self.on_matrix(reader) == self.on_matrix(of):
            return self.address(of)
        return self.world.ghost_on_matrix(self.address(of)) if self.on_matrix(reader) else self.world.ghost_on_xmpp(self.address(of))

    async def send(self, actor, step):
        person, text = self.world.people[actor], raw_text_of(step)
        if self.on_matrix(actor):
            room = await self.direct_room(actor, step["to"])
            self.last[actor] = await person.send(room, text, msgtype="m.emote" if step.get("emote") else "m.text", content=step.get("content"),
                                                 kind=step.get("kind", "m.room.message"))
        else:
            self.last[actor] = person.send(self.ghost_for(actor, step["to"]), ("/me " if step.get("emote") else "") + text)

    async def direct_room(self, actor, other):
        """Where the other one wrote last, else a new chat."""
        person, ghost = self.world.people[actor], self.ghost_for(actor, other)
        for event in reversed(person.events.items):
            if event["type"] == "m.room.message" and event["sender"] == ghost and event["room_id"] != self.world.incident_room:
                return event["room_id"]
        return await self.world.direct_room(actor, other)

    async def say(self, actor, step):
        person, text = self.world.people[actor], raw_text_of(step)
        if self.on_matrix(actor):
            self.last[actor] = await person.send(self.world.incident_room, text, msgtype="m.emote" if step.get("emote") else "m.text")
        else:
            if INCIDENT_MUC not in person.rooms:
                await person.join(INCIDENT_MUC)
            self.last[actor] = person.say(INCIDENT_MUC, ("/me " if step.get("emote") else "") + text)

    async def see(self, actor, step):
        """Sees exactly this text from that person, as a message of the right kind with the right name on it."""
        person, text = self.world.people[actor], text_of(step)
        sender = self.ghost_for(actor, step["from"])
        in_room = "room" in step
        if self.on_matrix(actor):
            room = self.world.incident_room if in_room else None
            event = await person.events.wait(
                lambda event: event["type"] == "m.room.message" and event["sender"] == sender and (room is None or event["room_id"] == room)
                and _same(event["content"].get("body"), text, "contains" in step),
                step.get("within_s", 30), f"{actor} to see {text[:80]!r} from {sender}", self.start[actor])
            assert event["content"]["msgtype"] == ("m.emote" if step.get("emote") else "m.text")
            if "name" in step:
                assert (await person.members(event["room_id"]))[sender] == step["name"]
        else:
            wanted = ("/me " if step.get("emote") else "") + text
            message = await person.messages.wait(
                lambda message: message.type == ("groupchat" if in_room else "chat") and _same(message.body, wanted, "contains" in step)
                and (in_room or message.bare == sender),
                step.get("within_s", 30), f"{actor} to see {text[:80]!r} from {step['from']}", self.start[actor])
            if in_room and self.on_matrix(step["from"]):
                display_name = (await self.world.people[step["from"]].members(self.world.incident_room))[self.address(step["from"])]
                assert display_name in message.nick, f"said by {message.nick}, not by {display_name}"

    async def see_whole(self, actor, step):
        """Sees the text in one or more messages that, put together in order, are it exactly."""
        person, text = self.world.people[actor], text_of(step)
        sender = self.ghost_for(actor, step["from"])

        def bodies():
            if self.on_matrix(actor):
                return [event["content"]["body"] for event in person.events.items[self.start[actor]:]
                        if event["type"] == "m.room.message" and event["sender"] == sender]
            return [message.body for message in person.messages.items[self.start[actor]:] if message.body and message.bare == sender and message.type != "error"]

        def whole():
            return unicodedata.normalize("NFC", "".join(bodies())) == text
        await until(whole, step.get("within_s", 60), f"{actor} to see {len(text)} characters in parts",
                    seen=lambda: f"{len(bodies())} parts with {sum(map(len, bodies()))} characters; lengths {[len(body) for body in bodies()][:20]}")
        assert len(bodies()) >= step.get("parts_min", 1), f"came in {len(bodies())} parts"

    async def told(self, actor, step):
        """The sender of the last message learns that it was refused."""
        person = self.world.people[actor]
        if self.on_matrix(actor):
            status = await person.wait_status(self.last[actor], 30)
            assert status["content"]["status"].startswith("FAIL"), status["content"]
            notice = await person.events.wait(
                lambda event: event["type"] == "m.room.message" and event["content"].get("msgtype") == "m.notice" and _mentions(event["content"]["body"], step),
                30, f"{actor} to read a notice with {step.get('mentions')}", self.start[actor])
            assert notice["sender"] != person.mxid
        else:
            answer = await person.messages.wait(
                lambda message: (message.type == "error" and message.id == self.last[actor]) or (message.type != "error" and message.body and _mentions(message.body, step)),
                30, f"{actor} to get an error or a notice about {self.last[actor]}", self.start[actor])
            assert _mentions((answer.error_text or "") + answer.body, step), str(answer)
            if answer.type == "error" and "condition" in step:
                assert answer.condition in step["condition"], str(answer)

    async def never_sees(self, actor, step):
        """Nothing with that text has arrived. Write it behind a step that sees something later from the same conversation."""
        text, person = text_of(step), self.world.people[actor]
        if self.on_matrix(actor):
            found = [event for event in person.messages() if text in event["content"]["body"]]
        else:
            found = [message for message in person.bodies() if text in message.body]
        assert not found, f"{actor} saw {found}"

    async def once(self, actor, step):
        """That text was seen exactly once."""
        text, person = text_of(step), self.world.people[actor]
        bodies = [event["content"]["body"] for event in person.messages()] if self.on_matrix(actor) else [message.body for message in person.bodies()]
        assert bodies.count(text) == 1, f"{actor} saw it {bodies.count(text)} times"

    async def raw(self, actor, step):
        """A stanza as written; {ghost:alice} stands for the JID of Alice's ghost, {id} for a fresh id."""
        self.last[actor] = str(uuid.uuid4())
        text = step["xml"].replace("{id}", self.last[actor])
        for name in self.world.people:
            text = text.replace("{ghost:" + name + "}", self.ghost_for(actor, name))
        self.world.people[actor].send_raw(text)


def _same(seen, wanted, part):
    if seen is None:
        return False
    seen = unicodedata.normalize("NFC", seen)
    return wanted in seen if part else seen == wanted


def _mentions(text, step):
    return all(word in text for word in step.get("mentions", []))


@pytest.mark.parametrize("server, scenario", list(cases()))
def test_scenario(server, scenario, world_of, loop):
    world = world_of(server)  # starts servers, so the loop must be free: a plain function

    async def play():
        run = Play(world)
        for number, step in enumerate(scenario["steps"], 1):
            try:
                await getattr(run, step["action"])(step["actor"], step)
            except AssertionError as error:
                raise AssertionError(f"step {number} ({step['actor']} {step['action']}): {error}") from None
    loop.run_until_complete(asyncio.wait_for(play(), 300))
