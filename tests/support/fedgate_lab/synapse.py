"""A Synapse of our own: SQLite, loopback, no federation, no rate limits worth mentioning."""
import hashlib
import hmac
import pathlib
import sys

import aiohttp
import yaml

from . import secrets
from .children import Child, free_port
from .waiting import until

_PLENTY = {"per_second": 10000, "burst_count": 100000}


class Synapse:
    """registrations: paths of application-service files; they are read at start only."""

    def __init__(self, folder, domain, registrations=()):
        self.folder = pathlib.Path(folder)
        self.domain = domain
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.registrations = list(registrations)
        self._registration_secret = secrets.token()
        self.child = Child(f"synapse-{domain}", [sys.executable, "-m", "synapse.app.homeserver", "-c", "homeserver.yaml"], self.folder)

    def configure(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        key = self.folder / "signing.key"
        if not key.exists():
            from signedjson.key import generate_signing_key, write_signing_keys
            with open(key, "w") as file:
                write_signing_keys(file, [generate_signing_key("a_1")])
            key.chmod(0o600)
        log = {
            "version": 1, "disable_existing_loggers": False,
            "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
            "handlers": {"file": {"class": "logging.FileHandler", "filename": str(self.folder / "homeserver.log"), "formatter": "plain"}},
            "root": {"level": "WARNING", "handlers": ["file"]},
        }
        secrets.write_private(self.folder / "log.yaml", yaml.safe_dump(log))
        settings = {
            "server_name": self.domain,
            "public_baseurl": self.url + "/",
            "pid_file": str(self.folder / "homeserver.pid"),
            "listeners": [{"port": self.port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": False,
                           "resources": [{"names": ["client"], "compress": False}]}],
            "database": {"name": "sqlite3", "args": {"database": str(self.folder / "homeserver.db")}},
            "log_config": str(self.folder / "log.yaml"),
            "media_store_path": str(self.folder / "media"),
            "signing_key_path": str(key),
            "registration_shared_secret": self._registration_secret,
            "macaroon_secret_key": secrets.token(),
            "form_secret": secrets.token(),
            "report_stats": False,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "federation_domain_whitelist": [],
            "presence": {"enabled": False},
            "filter_timeline_limit": 10000,
            "app_service_config_files": [str(path) for path in self.registrations],
            "rc_message": _PLENTY, "rc_registration": _PLENTY, "rc_joins_per_room": _PLENTY, "rc_admin_redaction": _PLENTY,
            "rc_joins": {"local": _PLENTY, "remote": _PLENTY},
            "rc_login": {"address": _PLENTY, "account": _PLENTY, "failed_attempts": _PLENTY},
            "rc_invites": {"per_room": _PLENTY, "per_user": _PLENTY, "per_issuer": _PLENTY},
        }
        secrets.write_private(self.folder / "homeserver.yaml", yaml.safe_dump(settings, sort_keys=False))

    async def start(self):
        self.configure()
        self.child.start()
        await self.ready()

    async def restart(self):
        """On the same port and data, after kill() or stop()."""
        self.child.start()
        await self.ready()

    async def ready(self, timeout_s=60):
        async with aiohttp.ClientSession() as session:
            async def answers():
                self.child.require_running()
                try:
                    async with session.get(self.url + "/_matrix/client/versions", timeout=aiohttp.ClientTimeout(total=2)) as reply:
                        return reply.status == 200
                except (aiohttp.ClientError, TimeoutError):
                    return False
            await until(answers, timeout_s, f"Synapse of {self.domain} to answer on port {self.port}", every_s=0.1)

    def kill(self):
        self.child.kill()

    def stop(self):
        self.child.stop()

    async def register(self, user, password, display_name=None, admin=False):
        """Makes an account by the shared secret; an account that exists already is left as it is."""
        async with aiohttp.ClientSession() as session:
            url = self.url + "/_synapse/admin/v1/register"
            async with session.get(url) as reply:
                nonce = (await reply.json())["nonce"]
            parts = [nonce, user, password, "admin" if admin else "notadmin"]
            mac = hmac.new(self._registration_secret.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
            body = {"nonce": nonce, "username": user, "password": password, "admin": admin, "mac": mac}
            if display_name:
                body["displayname"] = display_name
            async with session.post(url, json=body) as reply:
                answer = await reply.json()
                if reply.status != 200 and answer.get("errcode") != "M_USER_IN_USE":
                    raise RuntimeError(f"Synapse did not register {user}: {answer}")
