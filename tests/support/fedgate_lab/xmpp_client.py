"""An XMPP client of our own on slixmpp: what a person's Gajim or Conversations would do, and what it would see.

One XmppClient outlives many connections: after a server's death it connects again, joins its rooms again and, like real clients,
fetches from the archive (XEP-0313) what it missed.
"""
import asyncio
import contextlib
import dataclasses
import uuid
import xml.etree.ElementTree as ET

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from .children import listens
from .waiting import Arrivals, until

CLIENT = "{jabber:client}"
MUC_USER = "{http://jabber.org/protocol/muc#user}"
MAM = "{urn:xmpp:mam:2}"
ERRORS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


@dataclasses.dataclass
class Message:
    """One message stanza as the client saw it."""
    type: str
    sender: str          # full JID; in a room: room/nick
    id: str
    body: str
    element: ET.Element
    delayed: bool = False
    receipt: str = ""    # id of the message that this is a receipt for
    condition: str = ""  # of an error
    error_text: str = ""
    archived: bool = False

    @property
    def bare(self):
        return self.sender.split("/", 1)[0]

    @property
    def nick(self):
        return self.sender.split("/", 1)[1] if "/" in self.sender else ""

    def __str__(self):
        extra = f" error={self.condition} {self.error_text!r}" if self.condition else ""
        return f"{self.type} {self.sender} id={self.id} {self.body[:80]!r}{extra}{' receipt=' + self.receipt if self.receipt else ''}"


@dataclasses.dataclass
class Presence:
    type: str
    sender: str
    statuses: tuple
    condition: str = ""
    real_jid: str = ""


class XmppClient:
    def __init__(self, server, user, password, domain=None, nick=None):
        self.server = server
        self.jid = f"{user}@{domain or server.domain}"
        self.password = password
        self.nick = nick or user
        self.messages = Arrivals()   # Message
        self.presences = Arrivals()  # Presence
        self.rooms = {}              # room: nick, joined again after a reconnect
        self.resource = "lab-" + uuid.uuid4().hex[:6]
        self._stream = None
        self._pages = {}

    async def __aenter__(self):
        await self.connect()
        return self

    async def __aexit__(self, *_):
        await self.close()

    # ---- connection ----

    def connected(self):
        return self._stream is not None and self._stream.online

    async def connect(self, timeout_s=30):
        await until(lambda: listens(self.server.client_port), timeout_s, f"{self.server.domain} to listen", every_s=0.05)
        self._stream = _Stream(f"{self.jid}/{self.resource}", self.password, self)
        self._stream.connect("127.0.0.1", self.server.client_port)
        await until(lambda: self._stream.online or self._stream.refused, timeout_s, f"{self.jid} to log in")
        if self._stream.refused:
            raise RuntimeError(f"{self.jid} could not log in: {self._stream.refused}")
        self.send_raw("<presence/>")
        for room, nick in list(self.rooms.items()):
            await self.join(room, nick)

    async def reconnect(self, timeout_s=30):
        await self._drop()
        await self.connect(timeout_s)

    async def close(self):
        await self._drop()

    async def _drop(self):
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.online = False
            stream.owner = None
            with contextlib.suppress(Exception):
                await asyncio.wait_for(asyncio.ensure_future(stream.disconnect(wait=0.2)), 3)
            with contextlib.suppress(Exception):
                stream.abort()
            await stream.ended()

    # ---- sending ----

    def send_raw(self, text):
        if not self.connected():
            raise ConnectionError(f"{self.jid} is not connected")
        self._stream.send_raw(text)

    def send_element(self, element):
        self.send_raw(ET.tostring(element, encoding="unicode"))

    def send(self, to, body, type="chat", id=None, receipt=False, extra=()):
        """Returns the id. receipt: ask for a delivery receipt (XEP-0184). extra: further child elements."""
        id = id or str(uuid.uuid4())
        element = ET.Element("message", {"to": to, "type": type, "id": id})
        if body is not None:
            ET.SubElement(element, "body").text = body
        ET.SubElement(element, "{urn:xmpp:sid:0}origin-id", {"id": id})
        if receipt:
            ET.SubElement(element, "{urn:xmpp:receipts}request")
        for child in extra:
            element.append(child)
        self.send_element(element)
        return id

    def say(self, room, body, id=None):
        return self.send(room, body, type="groupchat", id=id)

    async def ask(self, to, payload, type="get", timeout_s=30):
        """One iq; returns the answer's element (result or error)."""
        iq = self._stream.make_iq(ito=to, itype=type)
        iq.append(payload)
        try:
            answer = await iq.send(timeout=timeout_s)
        except slixmpp.exceptions.IqError as error:
            answer = error.iq
        return answer.xml

    # ---- rooms ----

    async def join(self, room, nick=None, timeout_s=30):
        nick = nick or self.nick
        before = len(self.presences)
        self.send_raw(f"<presence to='{room}/{nick}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>")

        def answered(presence):
            return presence.sender.split("/", 1)[0] == room and ("110" in presence.statuses or presence.type == "error")
        answer = await self.presences.wait(answered, timeout_s, f"{self.jid} to join {room}", before)
        if answer.type == "error":
            raise RuntimeError(f"{self.jid} could not join {room}: {answer.condition}")
        self.rooms[room] = nick

    async def wait_occupant(self, room, nick_contains, timeout_s=30):
        def there(presence):
            return presence.sender.startswith(room + "/") and nick_contains in presence.sender.split("/", 1)[1] and presence.type == ""
        return await self.presences.wait(there, timeout_s, f"an occupant like {nick_contains!r} in {room}")

    # ---- seeing ----

    async def wait_message(self, timeout_s=30, sender=None, body=None, contains=None, type=None, after=0, what=None):
        """The first message with a body that fits. sender: bare JID or room/nick or just the beginning of it."""
        def fits(message):
            return (bool(message.body) and message.type != "error"
                    and (sender is None or message.sender == sender or message.bare == sender)
                    and (body is None or message.body == body) and (contains is None or contains in message.body)
                    and (type is None or message.type == type))
        wanted = what or f"{self.jid} to see a message from {sender or 'somebody'}: {body or contains or 'any'!r:.100}"
        return await self.messages.wait(fits, timeout_s, wanted, after)

    async def wait_error(self, id, timeout_s=30):
        return await self.messages.wait(lambda message: message.type == "error" and message.id == id, timeout_s, f"an error about message {id}")

    async def wait_receipt(self, id, timeout_s=30):
        return await self.messages.wait(lambda message: message.receipt == id, timeout_s, f"a delivery receipt for {id}")

    def bodies(self, sender=None, type=None):
        return [message for message in self.messages if message.body and message.type != "error"
                and (sender is None or message.bare == sender) and (type is None or message.type == type)]

    async def archive(self, room=None):
        """Every archived message of one's own account or of a room, oldest first."""
        found, after = [], None
        while True:
            query_id = uuid.uuid4().hex
            self._pages[query_id] = []
            query = ET.Element(MAM + "query", {"queryid": query_id})
            limits = ET.SubElement(query, "{http://jabber.org/protocol/rsm}set")
            ET.SubElement(limits, "{http://jabber.org/protocol/rsm}max").text = "250"
            if after:
                ET.SubElement(limits, "{http://jabber.org/protocol/rsm}after").text = after
            answer = await self.ask(room or self.jid, query, "set", 60)
            page = self._pages.pop(query_id)
            finished = answer.find(MAM + "fin")
            if finished is None:
                raise RuntimeError(f"{self.jid}: the archive of {room or 'the account'} did not answer: {ET.tostring(answer)[:300]}")
            found += [message for _, message in page]
            last = finished.find(".//{http://jabber.org/protocol/rsm}last")
            if finished.get("complete") in ("true", "1") or not page or last is None:
                return found
            after = last.text

    def _message(self, element):
        page = element.find(MAM + "result")
        if page is not None:
            inner = page.find("{urn:xmpp:forward:0}forwarded/" + CLIENT + "message")
            if inner is not None and page.get("queryid") in self._pages:
                message = _read(inner)
                message.archived = True
                self._pages[page.get("queryid")].append((page.get("id"), message))
            return
        self.messages.add(_read(element))

    def _presence(self, element):
        statuses = tuple(status.get("code") for status in element.iter(MUC_USER + "status"))
        item = element.find(f"{MUC_USER}x/{MUC_USER}item")
        self.presences.add(Presence(element.get("type", ""), element.get("from", ""), statuses, _condition(element)[0],
                                    item.get("jid", "") if item is not None else ""))


def _condition(element):
    error = element.find(CLIENT + "error")
    if error is None:
        return "", ""
    condition, text = "", ""
    for child in error:
        if child.tag == ERRORS + "text":
            text = child.text or ""
        elif child.tag.startswith(ERRORS):
            condition = child.tag[len(ERRORS):]
    return condition, text


def _read(element):
    body = element.find(CLIENT + "body")
    receipt = element.find("{urn:xmpp:receipts}received")
    condition, text = _condition(element)
    return Message(element.get("type", "normal"), element.get("from", ""), element.get("id", ""), body.text or "" if body is not None else "", element,
                   element.find("{urn:xmpp:delay}delay") is not None, receipt.get("id", "") if receipt is not None else "", condition, text)


class _Stream(slixmpp.ClientXMPP):
    """One connection."""

    def __init__(self, jid, password, owner):
        super().__init__(jid, password, plugin_config={"feature_mechanisms": {"unencrypted_plain": True, "encrypted_plain": True}})
        self.owner = owner
        self.online = False
        self.refused = None
        self.enable_plaintext = True
        self.enable_starttls = False
        self.enable_direct_tls = False
        self.use_aiodns = False
        self.use_ipv6 = False
        self.add_event_handler("session_start", self._started)
        self.add_event_handler("disconnected", self._ended)
        self.add_event_handler("failed_all_auth", self._failed)
        self.register_handler(Callback("lab message", MatchXPath(CLIENT + "message"), self._on_message))
        self.register_handler(Callback("lab presence", MatchXPath(CLIENT + "presence"), self._on_presence))

    async def ended(self):
        """slixmpp leaves a task behind that otherwise complains when the loop closes."""
        task = getattr(self, "_run_out_filters", None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _started(self, _):
        self.online = True

    def _ended(self, _):
        self.online = False

    def _failed(self, why):
        self.refused = str(why)

    def _on_message(self, stanza):
        if self.owner:
            self.owner._message(stanza.xml)

    def _on_presence(self, stanza):
        if self.owner:
            self.owner._presence(stanza.xml)
