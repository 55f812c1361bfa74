"""A component (XEP-0114) that sends whatever bytes a test wants: the other, hostile gateway on the same server."""
import asyncio
import hashlib
import re


class RawComponent:
    def __init__(self, server, domain, secret):
        self.server, self.domain, self.secret = server, domain, secret
        self.seen = ""

    async def __aenter__(self):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.server.component_port)
        self.send(f"<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='{self.domain}'>")
        header = await self.read_until(r"<stream:stream[^>]*\bid=['\"]([^'\"]+)['\"]")
        self.send(f"<handshake>{hashlib.sha1((header.group(1) + self.secret).encode()).hexdigest()}</handshake>")
        await self.read_until(r"<handshake ?/>|<handshake></handshake>")
        self._reading = asyncio.get_running_loop().create_task(self._read())
        return self

    async def __aexit__(self, *_):
        self._reading.cancel()
        self._writer.close()

    def send(self, text):
        self._writer.write(text.encode() if isinstance(text, str) else text)

    async def drain(self):
        await self._writer.drain()

    async def read_until(self, pattern, timeout_s=10):
        async def more():
            while True:
                found = re.search(pattern, self.seen)
                if found:
                    return found
                data = await self._reader.read(65536)
                if not data:
                    raise ConnectionError(f"the server closed the component stream after: {self.seen[-300:]}")
                self.seen += data.decode(errors="replace")
        return await asyncio.wait_for(more(), timeout_s)

    async def _read(self):
        while data := await self._reader.read(65536):
            self.seen += data.decode(errors="replace")
