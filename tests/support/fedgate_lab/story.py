"""The quickstart's story: two agencies on this machine, people who write to each other, and what happens on a bad day.

Every line that claims something is printed after a real client saw it. With --once the exit status is 0 only if all of it was seen.
"""
import argparse
import asyncio
import fcntl
import pathlib
import signal
import sys
import time

from . import burst, children
from .world import BOT, INCIDENT_ALIAS, INCIDENT_MUC, World


class Printer:
    def __init__(self):
        self.colour = sys.stdout.isatty()
        self.began = time.monotonic()

    def _paint(self, code, text):
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def title(self, text):
        print("\n" + self._paint("1", text), flush=True)

    def says(self, who, whom, text):
        print(f"   {self._paint('36', who)} → {self._paint('36', whom)}: {text}", flush=True)

    def sees(self, who, text):
        print(f"      {self._paint('32', 'seen by ' + who)}: {text}", flush=True)

    def note(self, text):
        print(f"   {text}", flush=True)


class Story:
    def __init__(self, world, out, size=200):
        self.world, self.out, self.size = world, out, size

    async def direct_chat(self):
        """Alice (Matrix) starts a direct chat with Anna (XMPP); Anna answers."""
        world, out = self.world, self.out
        ghost = world.ghost_on_matrix("anna@polizei.example")
        out.note(f"Alice invites {ghost}, which is how Anna appears on Matrix.")
        room = await world.direct_room("alice", "anna")
        text = "Guten Morgen Anna, die Lagebesprechung ist um 10 Uhr. 👋"
        out.says("Alice (Matrix)", "Anna (XMPP)", text)
        await world.alice.send(room, text)
        seen = await world.anna.wait_message(30, body=text)
        out.sees("Anna", f"\"{seen.body}\" from {seen.bare}")
        if seen.bare != world.ghost_on_xmpp("@alice:bund.example"):
            raise AssertionError(f"Anna saw the wrong sender: {seen.bare}")
        text = "Guten Morgen Alice, ich bringe die Zahlen aus Köln mit. ✅"
        out.says("Anna (XMPP)", "Alice (Matrix)", text)
        world.anna.send(seen.bare, text)
        event = await world.alice.wait_message(30, room=room, body=text)
        out.sees("Alice", f"\"{event['content']['body']}\" from {event['sender']}, in the same chat")
        if event["sender"] != ghost:
            raise AssertionError(f"Alice saw the wrong sender: {event['sender']}")

    async def bridged_room(self):
        """A Matrix room and an XMPP room are one: three people talk."""
        world, out = self.world, self.out
        out.note(f"{INCIDENT_ALIAS} (Matrix) and {INCIDENT_MUC} (XMPP) are linked in the configuration.")
        room = world.incident_room
        for who, text in (("alice", "Einsatz 7: wer ist vor Ort?"), ("anna", "Zwei Streifen, Ankunft in 5 Minuten."), ("bob", "Verstanden, das Lagezentrum schaltet sich zu.")):
            name = who.capitalize()
            out.says(name, "everybody", text)
            if who == "anna":
                world.anna.say(INCIDENT_MUC, text)
                for reader in ("alice", "bob"):
                    event = await world.people[reader].wait_message(30, room=room, body=text)
                    out.sees(reader.capitalize(), f"\"{text}\" from {event['sender']}")
                if event["sender"] != world.ghost_on_matrix("anna@polizei.example"):
                    raise AssertionError(f"the room shows the wrong sender: {event['sender']}")
            else:
                await world.people[who].send(room, text)
                seen = await world.anna.wait_message(30, body=text, type="groupchat")
                out.sees("Anna", f"\"{text}\" from {seen.nick}")
                other = "bob" if who == "alice" else "alice"
                await world.people[other].wait_message(30, room=room, body=text)
                out.sees(other.capitalize(), f"\"{text}\" (on the same homeserver)")

    async def refused(self):
        """A message that the policy forbids does not pass, and its sender is told why."""
        world, out = self.world, self.out
        out.note("The press office (presse.example, realm \"press\") is on the same XMPP server; no rule of the policy allows it anything.")
        room = await world.direct_room("alice", "redaktion")
        before = len(world.alice.events)
        text = "Interner Entwurf, bitte noch nicht veröffentlichen."
        out.says("Alice (Matrix)", "Redaktion (XMPP)", text)
        event_id = await world.alice.send(room, text)
        status = await world.alice.wait_status(event_id, 30)
        notice = await world.alice.wait_message(30, room=room, msgtype="m.notice", after=before)
        out.sees("Alice", f"\"{notice['content']['body']}\"")
        out.sees("Alice's client", f"send status {status['content'].get('status')}, reason {status['content'].get('reason')}")
        if not status["content"].get("status", "").startswith("FAIL"):
            raise AssertionError(f"the send status is not a failure: {status['content']}")
        denied = sum(value for name, labels, value in await world.gateway.metrics()
                     if name == "fedgate_decisions_total" and labels.get("target") == "press" and labels.get("verdict") == "deny")
        if denied < 1:
            raise AssertionError("fedgate_decisions_total does not count the denied message")
        # What comes after it on another conversation of the same server has arrived, so this one is not merely late.
        await world.alice.send(await world.direct_room("alice", "anna"), "Anna, dem Entwurf fehlt noch die Freigabe.")
        await world.anna.wait_message(30, body="Anna, dem Entwurf fehlt noch die Freigabe.")
        if world.redaktion.bodies():
            raise AssertionError("the press office received something that policy forbids")
        out.sees("Redaktion", "nothing")

    async def killed(self):
        """fedgate-core is killed with SIGKILL in the middle of a burst: every message arrives once, in order."""
        world, out, size = self.world, self.out, self.size
        room = await world.direct_room("alice", "anna")
        progress = burst.Progress()
        out.says("Alice (Matrix)", "Anna (XMPP)", f"{size} numbered messages, as fast as the homeserver takes them")
        sending = asyncio.ensure_future(burst.send_on_matrix(world.alice, room, "Meldung", size, progress))
        try:
            await asyncio.wait_for(progress.reaches(size // 2), 120)
            dead = world.gateway.kill("fedgate-core")
            out.note(f"after {progress.sent} of them: kill -9 {dead} (fedgate-core)")
            await world.gateway.back("fedgate-core", dead)
            out.note(f"fedgate up has started it again (pid {world.gateway.pid('fedgate-core')}); Alice has sent {progress.sent} by now")
            await asyncio.wait_for(sending, 300)
        finally:
            sending.cancel()

        def all_there(messages):
            return len(set(burst.numbers((message.body for message in messages), "Meldung"))) >= size
        await world.anna.messages.wait_all(all_there, 120, f"Anna to see all {size} messages")
        await world.settled()
        shown, repeats = burst.once_by_id(world.anna.bodies(sender=world.ghost_on_xmpp("@alice:bund.example")))
        count = burst.Count(size, burst.numbers((message.body for message in shown), "Meldung"))
        if count.problems():
            raise AssertionError(count.problems())
        note = f" ({repeats} came twice with the same id, which clients show once)" if repeats else ""
        out.sees("Anna", f"all {size}, each once, in order{note}")

    async def measured(self):
        """What the gateway says about itself."""
        world, out = self.world, self.out
        out.note(f"http://127.0.0.1:{world.gateway.metrics_port}/metrics, since fedgate-core was started again:")
        wanted = ("fedgate_accepted_total", "fedgate_decisions_total", "fedgate_deliveries_total", "fedgate_conservation_difference", "fedgate_link_up", "fedgate_dead")
        for name, labels, value in await world.gateway.metrics():
            if name in wanted and (value or name in ("fedgate_conservation_difference", "fedgate_dead")):
                inner = ",".join(f'{key}="{text}"' for key, text in labels.items())
                out.note(f"   {name}{'{' + inner + '}' if inner else ''} {value:g}")
        if await world.gateway.metric("fedgate_deliveries_total", network="bpol", outcome="delivered") < 1:
            raise AssertionError("fedgate_deliveries_total counts nothing delivered to bpol")
        if await world.gateway.metric("fedgate_conservation_difference") != 0:
            raise AssertionError("fedgate_conservation_difference is not 0: accepted and ended messages do not add up")


def how_to_join(world, out):
    out.title("It goes on running. Join with your own client:")
    out.note(f"Matrix   homeserver {world.synapse.url}   users alice, bob   passwords {world.passwords['alice']}, {world.passwords['bob']}")
    out.note("         (Element: \"Sign in\", edit the homeserver, enter this URL)")
    out.note(f"XMPP     JIDs anna@polizei.example, ben@polizei.example   passwords {world.passwords['anna']}, {world.passwords['ben']}")
    out.note(f"         server 127.0.0.1, port {world.xmpp.client_port}, no encryption (it is only on this machine; allow plain text in the client)")
    out.note(f"Rooms    {INCIDENT_ALIAS} on Matrix is {INCIDENT_MUC} on XMPP")
    out.note(f"Chats    from Matrix invite {world.ghost_on_matrix('ben@polizei.example')}, or write \"!start ben@polizei.example\" to {BOT}")
    out.note(f"         from XMPP write to {world.ghost_on_xmpp('@bob:bund.example')}")
    out.note("Ask it   " + str(world.gateway.bin / "fedgate") + " queue -c " + str(world.gateway.file) + "   (also: check, trace, links, dead list)")
    out.note(f"Watch    http://127.0.0.1:{world.gateway.metrics_port}/metrics")
    out.title("Ctrl-C ends everything.")


async def tell(arguments, out):
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()

    def on_signal():
        if stopped.is_set() or not hasattr(on_signal, "waiting"):
            main.cancel()
        stopped.set()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)

    out.title("fedgate quickstart: agency A writes Matrix, agency B writes XMPP, fedgate stands between them")
    world = World(arguments.folder)
    try:
        await world.start(out.note)
        out.note(f"Synapse for bund.example at {world.synapse.url}, Prosody for polizei.example at 127.0.0.1:{world.xmpp.client_port}, fedgate between them; data in {world.folder}")
        story = Story(world, out)
        for number, step in enumerate((story.direct_chat, story.bridged_room, story.refused, story.killed, story.measured), 1):
            out.title(f"{number}. {step.__doc__}")
            await step()
        out.title(f"All of it was seen to work ({time.monotonic() - out.began:.0f} s).")
        if not arguments.once:
            how_to_join(world, out)
            on_signal.waiting = True
            await stopped.wait()
            out.note("ending")
        return 0
    except asyncio.CancelledError:
        print("\ninterrupted; ending what was started", flush=True)
        return 130
    except (AssertionError, RuntimeError, OSError) as error:
        out.title("This step did not work:")
        print(f"   {error}\n   Logs: {world.folder}/fedgate/fedgate.log, {world.folder}/synapse/homeserver.log, {world.folder}/prosody/prosody-warn.log", flush=True)
        return 1
    finally:
        await world.stop()


def main():
    parser = argparse.ArgumentParser(prog="deploy/quickstart", description="Shows fedgate between a real Synapse and a real Prosody on this machine.")
    parser.add_argument("--once", action="store_true", help="end after the story; exit status 0 only if each step was seen to work")
    parser.add_argument("--folder", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    out = Printer()
    arguments.folder.parent.mkdir(parents=True, exist_ok=True)
    with open(arguments.folder.with_suffix(".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("quickstart: another quickstart is running from this clone; end it first (Ctrl-C in its terminal)", file=sys.stderr)
            return 75
        try:
            return asyncio.run(tell(arguments, out))
        except FileNotFoundError as error:
            print(f"quickstart: {error}", file=sys.stderr)
            return 69
        finally:
            children.end_all()


if __name__ == "__main__":
    sys.exit(main())
