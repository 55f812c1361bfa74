"""A Matrix client of our own over the client-server API: what a person's Element would do, and what it would see.

It survives a homeserver that goes away: requests are repeated with the same transaction id, /sync goes on from the same token,
and gaps in a timeline are filled from /messages.
"""
import asyncio
import contextlib
import itertools
import json
import urllib.parse

import aiohttp

from . import secrets
from .waiting import Arrivals, until


class MatrixError(RuntimeError):
    def __init__(self, status, body):
        super().__init__(f"HTTP {status}: {body}")
        self.status = status
        self.code = body.get("errcode", "") if isinstance(body, dict) else ""


def _quoted(text):
    return urllib.parse.quote(text, safe="")


class MatrixClient:
    """events: every timeline event of every joined room, in the order in which /sync told it, each once."""

    def __init__(self, url, user, password, domain, patient=True):
        self.url = url
        self.user = user
        self.password = password
        self.mxid = f"@{user}:{domain}"
        self.patient = patient  # repeat requests while the homeserver is away
        self.events = Arrivals()
        self.invites = {}       # room: who invited
        self.joined = set()
        self.auto_join = True
        self._token = None
        self._since = None
        self._known = set()
        self._numbers = itertools.count(1)
        self._prefix = secrets.token(4)
        self._session = None
        self._sync_task = None
        self.sync_problem = None

    async def __aenter__(self):
        await self.login()
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def login(self):
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        answer = await self.call("POST", "/v3/login", {
            "type": "m.login.password", "identifier": {"type": "m.id.user", "user": self.user}, "password": self.password})
        self._token = answer["access_token"]
        first = await self.call("GET", "/v3/sync", query={"timeout": "0", "filter": json.dumps(_FILTER)})
        await self._take(first)
        self._sync_task = asyncio.get_running_loop().create_task(self._sync_for_ever())

    async def close(self):
        if self._sync_task:
            self._sync_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sync_task
        if self._session:
            await self._session.close()

    async def call(self, method, path, body=None, query=None, timeout_s=30, patient=None):
        patient = self.patient if patient is None else patient
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        while True:
            try:
                async with self._session.request(method, self.url + "/_matrix/client" + path, json=body, params=query, headers=headers,
                                                 timeout=aiohttp.ClientTimeout(total=timeout_s)) as reply:
                    text = await reply.text()
                    try:
                        answer = json.loads(text)
                    except ValueError:
                        answer = {"error": text[:200]}
                    if reply.status == 200:
                        return answer
                    if not (patient and reply.status in (429, 500, 502, 503, 504)):
                        raise MatrixError(reply.status, answer)
            except (aiohttp.ClientError, asyncio.TimeoutError):
                if not patient:
                    raise
            await asyncio.sleep(0.2)  # the server is away or busy; the same request again

    # ---- rooms ----

    async def create_room(self, **options):
        room = (await self.call("POST", "/v3/createRoom", options, patient=False))["room_id"]
        await until(lambda: room in self.joined, 30, f"own room {room} in /sync")
        return room

    async def start_direct(self, other, **options):
        return await self.create_room(is_direct=True, preset="trusted_private_chat", invite=[other], **options)

    async def join(self, room_or_alias):
        room = (await self.call("POST", f"/v3/join/{_quoted(room_or_alias)}", {}))["room_id"]
        await until(lambda: room in self.joined, 30, f"joined room {room} in /sync")
        return room

    async def leave(self, room):
        await self.call("POST", f"/v3/rooms/{_quoted(room)}/leave", {})

    async def invite(self, room, other):
        await self.call("POST", f"/v3/rooms/{_quoted(room)}/invite", {"user_id": other})

    async def resolve(self, alias):
        try:
            return (await self.call("GET", f"/v3/directory/room/{_quoted(alias)}"))["room_id"]
        except MatrixError as error:
            if error.status == 404:
                return None
            raise

    async def set_state(self, room, kind, content, key=""):
        await self.call("PUT", f"/v3/rooms/{_quoted(room)}/state/{kind}/{_quoted(key)}", content)

    async def members(self, room):
        """{user: display name} of the joined members."""
        joined = (await self.call("GET", f"/v3/rooms/{_quoted(room)}/joined_members"))["joined"]
        return {user: member.get("display_name") for user, member in joined.items()}

    async def wait_member(self, room, user, timeout_s=30):
        async def there():
            return user in await self.members(room)
        await until(there, timeout_s, f"{user} to be in {room}", every_s=0.1)

    # ---- messages ----

    async def send(self, room, body, msgtype="m.text", txn=None, content=None, kind="m.room.message"):
        """Returns the event id. Repeated with one transaction id until the homeserver took it."""
        txn = txn or f"{self._prefix}-{next(self._numbers)}"
        content = content or {"msgtype": msgtype, "body": body}
        path = f"/v3/rooms/{_quoted(room)}/send/{_quoted(kind)}/{_quoted(txn)}"
        return (await self.call("PUT", path, content))["event_id"]

    async def wait_message(self, timeout_s=30, room=None, sender=None, body=None, contains=None, msgtype=None, after=0, what=None):
        """The first m.room.message that fits; sender "" means anybody but oneself."""
        def fits(event):
            content = event["content"]
            if event["type"] != "m.room.message" or "body" not in content:
                return False
            return ((room is None or event["room_id"] == room)
                    and (event["sender"] == sender if sender else event["sender"] != self.mxid)
                    and (body is None or content["body"] == body)
                    and (contains is None or contains in content["body"])
                    and (msgtype is None or content["msgtype"] == msgtype))
        wanted = what or f"{self.mxid} to see a message from {sender or 'somebody'}: {body or contains or msgtype or 'any'!r:.100}"
        return await self.events.wait(fits, timeout_s, wanted, after)

    async def wait_status(self, event_id, timeout_s=30, status=None):
        """com.beeper.message_send_status about an event."""
        def fits(event):
            return (event["type"] == "com.beeper.message_send_status"
                    and event["content"].get("m.relates_to", {}).get("event_id") == event_id
                    and (status is None or event["content"].get("status") == status))
        return await self.events.wait(fits, timeout_s, f"a send status {status or ''} about {event_id}")

    def messages(self, room=None, sender=None):
        """What has been seen so far: bodies are under ["content"]["body"]."""
        return [event for event in self.events if event["type"] == "m.room.message" and "body" in event["content"]
                and (room is None or event["room_id"] == room) and (sender is None or event["sender"] == sender)]

    async def history(self, room):
        """Every event of the room from its beginning, read from the homeserver: the truth, whatever /sync told."""
        events, token = [], None
        while True:
            query = {"dir": "f", "limit": "1000"}
            if token:
                query["from"] = token
            page = await self.call("GET", f"/v3/rooms/{_quoted(room)}/messages", query=query)
            events += page["chunk"]
            token = page.get("end")
            if not page["chunk"] or not token:
                return events

    # ---- /sync ----

    async def _sync_for_ever(self):
        while True:
            # At most seven answers a second: each costs Synapse as much as a message, and a burst would be mostly /sync.
            started = asyncio.get_running_loop().time()
            try:
                query = {"timeout": "20000", "filter": json.dumps(_FILTER), "since": self._since}
                await self._take(await self.call("GET", "/v3/sync", query=query, timeout_s=40, patient=False))
                self.sync_problem = None
                await asyncio.sleep(max(0.0, started + 0.15 - asyncio.get_running_loop().time()))
            except asyncio.CancelledError:
                raise
            except Exception as error:  # the homeserver is away: the same token again
                self.sync_problem = repr(error)
                await asyncio.sleep(0.2)

    async def _take(self, sync):
        rooms = sync.get("rooms", {})
        for room, part in rooms.get("join", {}).items():
            timeline = part.get("timeline", {})
            events = timeline.get("events", [])
            if timeline.get("limited") and self._since and room in self.joined:
                events = await self._gap(room, timeline["prev_batch"]) + events
            for event in events:
                if event["event_id"] not in self._known:
                    self._known.add(event["event_id"])
                    self.events.add({**event, "room_id": room})
            self.joined.add(room)
            self.invites.pop(room, None)
        for room in rooms.get("leave", {}):
            self.joined.discard(room)
            self.invites.pop(room, None)
        self._since = sync["next_batch"]
        for room, part in rooms.get("invite", {}).items():
            if room in self.invites:
                continue
            inviter = next((event["sender"] for event in part["invite_state"]["events"]
                            if event["type"] == "m.room.member" and event.get("state_key") == self.mxid), None)
            self.invites[room] = inviter
            if self.auto_join:
                await self.call("POST", f"/v3/join/{_quoted(room)}", {})

    async def _gap(self, room, before):
        missing, token = [], before
        while True:
            page = await self.call("GET", f"/v3/rooms/{_quoted(room)}/messages", query={"dir": "b", "from": token, "to": self._since, "limit": "1000"})
            missing += page["chunk"]
            token = page.get("end")
            if not page["chunk"] or not token:
                return list(reversed(missing))


_FILTER = {
    "presence": {"types": []}, "account_data": {"types": []},
    "room": {"timeline": {"limit": 5000}, "ephemeral": {"types": []}, "account_data": {"types": []}, "state": {"lazy_load_members": True}},
}
