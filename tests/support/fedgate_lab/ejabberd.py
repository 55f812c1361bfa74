"""An ejabberd of our own, for the same scenarios as Prosody.

The Erlang machine is started directly: ejabberdctl insists on a system user. Without a node name it needs no epmd either.
"""
import json
import os
import pathlib
import shutil

import aiohttp
import yaml

from . import secrets
from .children import Child, free_port, listens
from .waiting import until


class Ejabberd:
    kind = "ejabberd"

    def __init__(self, folder, domains, rooms=None, component=None, more_components=None):
        self.folder = pathlib.Path(folder)
        self.domains = list(domains)
        self.domain = self.domains[0]
        self.rooms = rooms
        self.component = component
        self.component_secret = secrets.token()
        self.more_components = dict(more_components or {})
        self.client_port = free_port()
        self.component_port = free_port()
        self._http_port = free_port()
        libraries = _libraries()
        environment = {
            "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.folder / "ejabberd.log"),
            "ERL_CRASH_DUMP": str(self.folder / "erl_crash.dump"),
            "ERL_LIBS": libraries,
            "HOME": str(self.folder),
        }
        command = [shutil.which("erl") or "/usr/bin/erl", "-noinput", "+K", "true", "+S", "2:2", "-mnesia", "dir", json.dumps(str(self.folder / "spool")),
                   "-s", "ejabberd"]
        self.child = Child(f"ejabberd-{self.domain}", command, self.folder, environment)

    def configure(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        plenty = {"max_users": 1000, "max_user_conferences": 1000, "history_size": 20, "default_room_options": {
            "persistent": True, "public": True, "moderated": False, "members_by_default": True, "mam": True, "anonymous": False}}
        settings = {
            "hosts": self.domains,
            "loglevel": "warning",
            "listen": [
                {"port": self.client_port, "ip": "127.0.0.1", "module": "ejabberd_c2s", "starttls": False, "max_stanza_size": 1048576,
                 "shaper": "none", "access": "all"},
                {"port": self._http_port, "ip": "127.0.0.1", "module": "ejabberd_http", "request_handlers": {"/api": "mod_http_api"}},
                {"port": self.component_port, "ip": "127.0.0.1", "module": "ejabberd_service", "access": "all", "shaper": "none",
                 "max_stanza_size": 1048576, "max_fsm_queue": 10000, "global_routes": False,
                 "hosts": {domain: {"password": secret} for domain, secret in {self.component: self.component_secret, **self.more_components}.items()}},
            ],
            "s2s_access": "none",
            "auth_method": "internal",
            "acl": {"loopback": {"ip": ["127.0.0.0/8"]}},
            "api_permissions": {"accounts": {"from": ["mod_http_api"], "who": {"access": {"allow": {"acl": "loopback"}}}, "what": ["register", "status"]}},
            "modules": {
                "mod_roster": {}, "mod_disco": {}, "mod_ping": {}, "mod_offline": {}, "mod_vcard": {}, "mod_http_api": {}, "mod_admin_extra": {},
                "mod_mam": {"default": "always", "assume_mam_usage": True},
                "mod_muc": {"host": self.rooms, "access": "all", "access_create": "all", "access_persistent": "all", **plenty},
            },
        }
        secrets.write_private(self.folder / "ejabberd.yml", yaml.safe_dump(settings, sort_keys=False))

    async def start(self):
        self.configure()
        self.child.start()
        await self.ready()

    async def restart(self):
        self.child.start()
        await self.ready()

    async def ready(self, timeout_s=60):
        def answers():
            self.child.require_running()
            return listens(self.client_port) and listens(self.component_port) and listens(self._http_port)
        await until(answers, timeout_s, f"ejabberd of {self.domain} to listen", every_s=0.1)

    def kill(self):
        self.child.kill()

    def stop(self):
        self.child.stop()

    async def register(self, user, password, domain=None):
        body = {"user": user, "host": domain or self.domain, "password": password}
        async with aiohttp.ClientSession() as session:
            async with session.post(f"http://127.0.0.1:{self._http_port}/api/register", json=body) as reply:
                text = await reply.text()
                if reply.status != 200 and "already registered" not in text:
                    raise RuntimeError(f"ejabberd did not register {user}: {reply.status} {text}")


def _libraries():
    """Debian keeps ejabberd's applications under the multiarch folder."""
    for folder in pathlib.Path("/usr/lib").glob("*-linux-gnu*"):
        if any(folder.glob("ejabberd-*/ebin")):
            return os.fspath(folder)
    return "/usr/lib"
