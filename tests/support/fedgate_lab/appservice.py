"""Playing the homeserver towards the application service."""
import aiohttp


async def push(world, body, txn="forged-1", token=None, method="PUT", path=None, raw=None):
    """What a homeserver does to the application service; returns (status, errcode)."""
    url = f"http://127.0.0.1:{world.gateway.listen_ports['bund']}" + (path or f"/_matrix/app/v1/transactions/{txn}")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession() as session:
        keywords = {"data": raw} if raw is not None else {"json": body}
        async with session.request(method, url, headers=headers, timeout=aiohttp.ClientTimeout(total=30), **keywords) as reply:
            try:
                return reply.status, (await reply.json(content_type=None) or {}).get("errcode")
            except ValueError:
                return reply.status, None


def hs_token(world):
    return world.gateway.tokens["bund"]["hs_token"]
