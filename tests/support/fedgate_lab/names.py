"""How an address of one network is written inside another, after the table in the gateway's README: <network>.<escaped native id>."""

_PLAIN = set(b"abcdefghijklmnopqrstuvwxyz0123456789.-")


def escaped(native_id):
    return "".join(chr(byte) if byte in _PLAIN else f"={byte:02x}" for byte in native_id.encode())


def matrix_ghost(network, native_id, domain):
    return f"@_fedgate_{network}.{escaped(native_id)}:{domain}"


def xmpp_ghost(network, native_id, component):
    return f"{network}.{escaped(native_id)}@{component}"
