"""A fedgate of our own: generated configuration and secrets, `fedgate up`, and the operator's tool."""
import asyncio
import json
import os
import pathlib
import re
import signal
import tempfile

import aiohttp

from . import secrets
from .children import Child, descendants, free_port
from .waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROCESSES = ("fedgate-core", "fedgate-matrix", "fedgate-xmpp")


def binaries():
    """The folder of the programs: FEDGATE_BIN, else the release build, else the development build."""
    given = os.environ.get("FEDGATE_BIN")
    folders = [pathlib.Path(given).resolve()] if given else [ROOT / "build" / preset / "bin" for preset in ("release", "dev")]
    for folder in folders:
        if all((folder / program).exists() for program in ("fedgate", *PROCESSES)):
            return folder
    raise FileNotFoundError("fedgate is not built: no folder with " + ", ".join(("fedgate", *PROCESSES)) + " among " + ", ".join(map(str, folders)))


# What two agencies that trust each other would start with. "press" is a realm that no rule allows anything.
POLICY = {
    "fedgate_policy": 1, "id": "laboratory", "version": 1, "mode": "enforce",
    "gateway": {"accredited_max": "INTERNAL", "on_error": "deny"},
    "ranks": ["OPEN", "INTERNAL", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOPSECRET"],
    "realms": {
        "de-fed": {"nation": "DEU", "max": "INTERNAL", "unlabelled": "INTERNAL"},
        "de-state": {"nation": "DEU", "max": "INTERNAL", "unlabelled": "INTERNAL"},
        "press": {"nation": "DEU", "max": "INTERNAL", "unlabelled": "INTERNAL"},
    },
    "rules": [
        {"id": "A1-agencies", "effect": "allow",
         "when": {"src.realm": {"in": ["de-fed", "de-state"]}, "dst.realm": {"in": ["de-fed", "de-state"]},
                  "rank": {"le": "INTERNAL"}, "kind": {"in": ["text"]}}},
        {"id": "D0-cleartext", "effect": "deny", "reason": "PROTECTION_TOO_WEAK",
         "when": {"protection": {"eq": "none"}, "rank": {"ge": "INTERNAL"}}},
    ],
}


class Gateway:
    """Networks are added with add_matrix and add_xmpp; write() makes the files; start() runs it."""

    def __init__(self, folder, name="gw-lab"):
        self.folder = pathlib.Path(folder)
        self.bin = binaries()
        self.file = self.folder / "fedgate.json"
        self.metrics_port = free_port()
        self.tokens = {}         # network: {"as_token": …, "hs_token": …}
        self.listen_ports = {}   # Matrix network: port where its homeserver pushes
        self.policy = json.loads(json.dumps(POLICY))
        self.settings = {
            "gateway": {"name": name, "data_dir": "data", "link": "unix:" + self._socket("link.sock"), "admin": "unix:" + self._socket("admin.sock"),
                        "metrics": f"127.0.0.1:{self.metrics_port}"},
            "store": {"kind": "sqlite"},
            "networks": {}, "links": [], "policy": "policy.json", "limits": {}, "log": {"level": "info"},
        }
        self.child = None

    def _socket(self, name):
        """Beside the configuration, unless the path would be longer than a unix socket's may be."""
        if len(str(self.folder.resolve() / name)) < 100:
            return name
        return os.path.join(tempfile.mkdtemp(prefix="fedgate-"), name)

    def add_matrix(self, network, synapse, realm="de-fed", domains=None, **more):
        self.tokens[network] = {"as_token": secrets.token(), "hs_token": secrets.token()}
        self.listen_ports[network] = free_port()
        self.settings["networks"][network] = {
            "adapter": "matrix", "realm": realm, "domains": domains or {synapse.domain: realm}, "protection": "tls", "default_level": "INTERNAL",
            "matrix": {
                "domain": synapse.domain, "homeserver": synapse.url, "listen": f"127.0.0.1:{self.listen_ports[network]}",
                "as_token": {"file": f"secrets/{network}.as_token"}, "hs_token": {"file": f"secrets/{network}.hs_token"}, "bot": "fedgate"},
            **more}
        synapse.registrations.append(self.registration_file(network))

    def add_xmpp(self, network, server, realm="de-fed", domains=None, **more):
        self.tokens[network] = {"secret": server.component_secret}
        self.settings["networks"][network] = {
            "adapter": "xmpp", "realm": realm, "domains": domains or {server.domain: realm}, "protection": "tls", "default_level": "INTERNAL",
            "xmpp": {
                "component": server.component, "server": f"127.0.0.1:{server.component_port}", "server_domain": server.domain,
                "secret": {"file": f"secrets/{network}.secret"}, "nick": "fedgate"},
            **more}

    def add_link(self, id, *rooms):
        self.settings["links"].append({"id": id, "rooms": [{"network": network, "room": room} for network, room in rooms]})

    def registration_file(self, network):
        return self.folder / f"registration-{network}.yaml"

    def write(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for network, values in self.tokens.items():
            for name, value in values.items():
                secrets.write_private(self.folder / "secrets" / f"{network}.{name}", value + "\n")
        (self.folder / "data").mkdir(mode=0o700, exist_ok=True)
        secrets.write_private(self.folder / "policy.json", json.dumps(self.policy, indent=2) + "\n")
        secrets.write_private(self.file, json.dumps(self.settings, indent=2) + "\n")

    async def write_registrations(self):
        for network, settings in self.settings["networks"].items():
            if settings["adapter"] == "matrix":
                status, out, error = await self.run("registration", network)
                if status != 0:
                    raise RuntimeError(f"fedgate registration {network} ended with {status}: {error or out}")
                secrets.write_private(self.registration_file(network), out)

    # ---- running ----

    async def start(self, timeout_s=60):
        if self.child is None:
            self.child = Child("fedgate", [self.bin / "fedgate", "up", "-c", self.file], self.folder, stdout=self.folder / "fedgate.out")
        said = self.folder / "fedgate.out"
        said.write_text("")
        self.child.start()

        def is_ready():
            self.child.require_running()
            return "ready" in said.read_text().split()
        try:
            await until(is_ready, timeout_s, "fedgate up to say ready", every_s=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}; the end of its log:\n{self.child.log_tail()}") from None

    def stop(self):
        if self.child is not None:
            return self.child.stop(20)

    async def restart(self):
        self.stop()
        await self.start()

    def pid(self, program):
        """Pid of a running child of `fedgate up`, or None."""
        if self.child is None or not self.child.running():
            return None
        return next((pid for pid, name in descendants(self.child.pid) if name == program), None)

    def kill(self, program):
        """SIGKILL for one of its processes; `fedgate up` starts it again. Returns the dead pid."""
        pid = self.pid(program)
        assert pid, f"{program} does not run"
        os.kill(pid, signal.SIGKILL)
        return pid

    async def back(self, program, dead_pid, timeout_s=60):
        """Waits until a killed process has a successor and the gateway is ready again."""
        await until(lambda: self.pid(program) not in (None, dead_pid), timeout_s, f"fedgate up to start {program} again")
        await until(self.is_ready, timeout_s, f"/readyz to say yes after {program} was killed", every_s=0.1)

    # ---- asking ----

    async def run(self, *arguments, file=None, timeout_s=30):
        """The operator's tool: (exit status, stdout, stderr)."""
        process = await asyncio.create_subprocess_exec(
            str(self.bin / "fedgate"), *arguments, "-c", str(file or self.file), stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        try:
            out, error = await asyncio.wait_for(process.communicate(), timeout_s)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"fedgate {' '.join(arguments)} did not end within {timeout_s} s") from None
        return process.returncode, out.decode(), error.decode()

    async def ask(self, *arguments):
        """The same with --json, parsed; raises when it fails."""
        status, out, error = await self.run(*arguments, "--json")
        if status != 0:
            raise RuntimeError(f"fedgate {' '.join(arguments)} ended with {status}: {error or out}")
        return json.loads(out)

    async def queue(self, network):
        """The numbers of `fedgate queue --json` for one network."""
        answer = await self.ask("queue")
        entry = next(entry for entry in answer["networks"] if entry["network"] == network)
        numbers = ("waiting", "in_flight", "retrying", "dead", "oldest_ms")
        return {**{name: 0 for name in numbers}, **entry, **{name: int(entry.get(name, 0)) for name in numbers}}

    async def links(self):
        return (await self.ask("links"))["links"]

    async def wait_linked(self, id, timeout_s=60):
        async def linked():
            try:
                link = next((link for link in await self.links() if link["id"] == id), None)
            except RuntimeError:
                return False
            return link if link and link["state"] == "active" and all(end.get("joined") for end in link["ends"]) else False
        return await until(linked, timeout_s, f"both ends of the link {id} to be joined", every_s=0.2)

    async def _get(self, path):
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{self.metrics_port}{path}", timeout=aiohttp.ClientTimeout(total=5)) as reply:
                return reply.status, await reply.text()

    async def ready(self):
        """Status and text of /readyz."""
        return await self._get("/readyz")

    async def is_ready(self):
        try:
            return (await self.ready())[0] == 200
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return False

    async def metrics(self):
        """[(name, {label: value}, number)]"""
        status, text = await self._get("/metrics")
        assert status == 200, f"/metrics answered {status}"
        found = []
        for line in text.splitlines():
            parsed = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", line)
            if parsed:
                found.append((parsed[1], dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', parsed[2] or "")), float(parsed[3])))
        return found

    async def metric(self, name, **labels):
        """The sum over all series of that name whose labels fit."""
        return sum(value for series, have, value in await self.metrics()
                   if series == name and all(have.get(label) == wanted for label, wanted in labels.items()))
