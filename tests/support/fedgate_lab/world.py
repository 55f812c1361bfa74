"""Two agencies and their gateway: what the quickstart shows and most tests start from.

  agency A   bund.example      Matrix, Synapse              network "bund"    Alice, Bob
  agency B   polizei.example   XMPP, Prosody or ejabberd    network "bpol"    Anna, Ben; rooms at rooms.polizei.example
             presse.example    on the same server, realm "press", which the policy allows nothing
  agency C   zoll.example      XMPP, only on request        network "zoll"    Carl
"""
import asyncio
import contextlib
import os
import pathlib
import shutil

from . import names, secrets
from .ejabberd import Ejabberd
from .gateway import Gateway
from .matrix_client import MatrixClient
from .prosody import Prosody
from .synapse import Synapse
from .waiting import until
from .xmpp_client import XmppClient

BOT = "@fedgate:bund.example"
INCIDENT_ALIAS = "#incident:bund.example"
INCIDENT_MUC = "incident@rooms.polizei.example"
FORGER = "forger.polizei.example"  # another component on the server of agency B, not ours

MATRIX_PEOPLE = {"alice": "Alice Adler", "bob": "Bob Brandt"}
XMPP_PEOPLE = {"anna": "polizei.example", "ben": "polizei.example", "redaktion": "presse.example"}


class World:
    """start() brings everything up and bridges #incident with incident@rooms; stop() ends it. Data is fresh each time."""

    def __init__(self, folder, xmpp="prosody", third_agency=False, links=True, limits=None):
        self.folder = pathlib.Path(folder).resolve()
        self.links_wanted = links
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        os.chmod(self.folder, 0o700)
        kind = {"prosody": Prosody, "ejabberd": Ejabberd}[xmpp]
        self.forger_secret = secrets.token()
        self.synapse = Synapse(self.folder / "synapse", "bund.example")
        self.xmpp = kind(self.folder / xmpp, ["polizei.example", "presse.example"], rooms="rooms.polizei.example", component="fedgate.polizei.example",
                         more_components={FORGER: self.forger_secret})
        self.third = Prosody(self.folder / "zoll", ["zoll.example"], rooms="rooms.zoll.example", component="fedgate.zoll.example") if third_agency else None
        self.gateway = Gateway(self.folder / "fedgate")
        self.gateway.add_matrix("bund", self.synapse)
        self.gateway.add_xmpp("bpol", self.xmpp, domains={"polizei.example": "de-fed", "presse.example": "press"})
        if self.third:
            self.gateway.add_xmpp("zoll", self.third)
        if links:
            self.gateway.add_link("incident", ("bund", INCIDENT_ALIAS), ("bpol", INCIDENT_MUC))
        self.gateway.settings["limits"].update(limits or {})
        self.passwords = {}
        self.people = {}
        self.incident_room = None

    # ---- names ----

    def ghost_on_matrix(self, native_id, network="bpol"):
        return names.matrix_ghost(network, native_id, "bund.example")

    def ghost_on_xmpp(self, native_id, network="bund", component="fedgate.polizei.example"):
        return names.xmpp_ghost(network, native_id, component)

    # ---- life ----

    async def start(self, say=lambda text: None):
        self.gateway.write()
        await self.gateway.write_registrations()
        say("starting the servers")
        await asyncio.gather(self.synapse.start(), self.xmpp.start(), *([self.third.start()] if self.third else []))
        for user, display_name in MATRIX_PEOPLE.items():
            self.passwords[user] = secrets.password()
            await self.synapse.register(user, self.passwords[user], display_name)
        for user, domain in XMPP_PEOPLE.items():
            self.passwords[user] = secrets.password()
            await self.xmpp.register(user, self.passwords[user], domain)
        if self.third:
            self.passwords["carl"] = secrets.password()
            await self.third.register("carl", self.passwords["carl"])
        say("logging people in")
        for user in MATRIX_PEOPLE:
            self.people[user] = MatrixClient(self.synapse.url, user, self.passwords[user], "bund.example")
            await self.people[user].login()
        for user, domain in XMPP_PEOPLE.items():
            self.people[user] = XmppClient(self.xmpp, user, self.passwords[user], domain, nick=user.capitalize())
            await self.people[user].connect()
        if self.third:
            self.people["carl"] = XmppClient(self.third, "carl", self.passwords["carl"], nick="Carl")
            await self.people["carl"].connect()
        if self.links_wanted:
            say("making the two rooms that will be bridged")
            alice, anna = self.people["alice"], self.people["anna"]
            self.incident_room = await alice.create_room(preset="public_chat", room_alias_name="incident", name="Incident 7", invite=[BOT])
            await self.people["bob"].join(INCIDENT_ALIAS)
            await anna.join(INCIDENT_MUC)
        say("starting fedgate")
        await self.gateway.start()
        if self.links_wanted:
            await self.gateway.wait_linked("incident")

    async def stop(self):
        for person in self.people.values():
            with contextlib.suppress(Exception):
                await asyncio.wait_for(person.close(), 5)
        with contextlib.suppress(Exception):
            self.gateway.stop()
        for server in (self.synapse, self.xmpp, self.third):
            if server is not None:
                with contextlib.suppress(Exception):
                    server.stop()

    def __getattr__(self, name):
        people = self.__dict__.get("people", {})
        if name in people:
            return people[name]
        raise AttributeError(name)

    # ---- frequent steps ----

    async def direct_room(self, matrix_user="alice", xmpp_user="anna", network="bpol", timeout_s=30):
        """The Matrix user's direct chat with an XMPP user's ghost; made by inviting the ghost, once."""
        key = (matrix_user, xmpp_user, network)
        rooms = self.__dict__.setdefault("_direct", {})
        if key not in rooms:
            person = self.people[matrix_user]
            ghost = self.ghost_on_matrix(self.people[xmpp_user].jid, network)
            room = await person.start_direct(ghost)
            await person.wait_member(room, ghost, timeout_s)
            rooms[key] = room
        return rooms[key]

    async def people_back(self):
        """Connects the XMPP people again whose server had died."""
        for person in self.people.values():
            if isinstance(person, XmppClient) and not person.connected():
                await person.reconnect()

    async def settled(self, timeout_s=120):
        """Waits until no delivery waits on any network."""
        async def idle():
            try:
                return all(int(entry.get("waiting", 0)) == 0 for entry in (await self.gateway.ask("queue"))["networks"])
            except RuntimeError:
                return False
        await until(idle, timeout_s, "every queue to be empty", every_s=0.2)
