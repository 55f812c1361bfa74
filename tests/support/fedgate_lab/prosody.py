"""A Prosody of our own: plain text on loopback, accounts as files, message archives for people and rooms."""
import asyncio
import pathlib
import shutil

from . import secrets
from .children import Child, free_port, listens
from .waiting import until


def _encoded(name):
    """How Prosody writes a host or user into a file name."""
    return "".join(c if c.isascii() and c.isalnum() else "".join(f"%{byte:02x}" for byte in c.encode()) for c in name)


class Prosody:
    """domains: virtual hosts, the first is the main one. component: domain that an external component (fedgate) speaks for."""

    kind = "prosody"

    def __init__(self, folder, domains, rooms=None, component=None, more_components=None, user="fedgate"):
        self.folder = pathlib.Path(folder)
        self.domains = list(domains)
        self.domain = self.domains[0]
        self.rooms = rooms
        self.component = component
        self.component_secret = secrets.token()
        self.more_components = dict(more_components or {})  # domain: secret; for tests that play another component
        self.client_port = free_port()
        self.component_port = free_port()
        self.child = Child(f"prosody-{self.domain}", [shutil.which("prosody") or "/usr/bin/prosody", "-F", "--config", "prosody.cfg.lua"], self.folder)

    def configure(self):
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        lines = [
            "run_as_root = true",
            f'pidfile = "{self.folder}/prosody.pid"',
            f'data_path = "{data}"',
            f'log = {{ warn = "{self.folder}/prosody-warn.log" }}',
            'modules_enabled = { "roster", "saslauth", "disco", "ping", "pep", "vcard4", "vcard_legacy", "mam", "offline", "time", "version" }',
            'modules_disabled = { "s2s", "tls", "limits", "posix" }',
            "c2s_require_encryption = false",
            "s2s_require_encryption = false",
            "allow_unencrypted_plain_auth = true",
            'authentication = "internal_plain"',
            'storage = "internal"',
            "storage_archive_item_limit = 200000",
            "max_archive_query_results = 1000",
            'archive_expires_after = "never"',
            "default_archive_policy = true",
            'interfaces = { "127.0.0.1" }',
            f"c2s_ports = {{ {self.client_port} }}",
            "s2s_ports = {}",
            f"component_ports = {{ {self.component_port} }}",
            'component_interfaces = { "127.0.0.1" }',
            # A new stream of the gateway replaces a dead one instead of being refused.
            'component_conflict_resolve = "kick_old"',
            "c2s_stanza_size_limit = 1024 * 1024",
            "component_stanza_size_limit = 1024 * 1024",
        ]
        for domain in self.domains:
            lines.append(f'VirtualHost "{domain}"')
        if self.rooms:
            lines += [
                f'Component "{self.rooms}" "muc"',
                '    modules_enabled = { "muc_mam" }',
                "    muc_room_locking = false",
                "    muc_room_default_public = true",
                "    muc_room_default_persistent = true",
                # Everybody sees who everybody is: a gateway can only speak for people whose address it knows.
                "    muc_room_default_public_jids = true",
                "    muc_room_default_history_length = 20",
                "    muc_log_by_default = true",
                '    muc_log_expires_after = "never"',
            ]
        components = dict(self.more_components)
        if self.component:
            components[self.component] = self.component_secret
        for domain, secret in components.items():
            lines += [f'Component "{domain}"', f'    component_secret = "{secret}"']
        secrets.write_private(self.folder / "prosody.cfg.lua", "\n".join(lines) + "\n")

    async def start(self):
        self.configure()
        self.child.start()
        await self.ready()

    async def restart(self):
        self.child.start()
        await self.ready()

    async def ready(self, timeout_s=30):
        def answers():
            self.child.require_running()
            return listens(self.client_port) and (not (self.component or self.more_components) or listens(self.component_port))
        await until(answers, timeout_s, f"Prosody of {self.domain} to listen", every_s=0.05)

    def kill(self):
        self.child.kill()

    def stop(self):
        self.child.stop()

    async def register(self, user, password, domain=None):
        folder = self.folder / "data" / _encoded(domain or self.domain) / "accounts"
        secrets.write_private(folder / f"{_encoded(user)}.dat", f'return {{ ["password"] = "{password}" }};\n')
        await asyncio.sleep(0)
