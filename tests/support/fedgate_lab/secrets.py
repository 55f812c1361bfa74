"""Random secrets, and files that only their owner reads."""
import os
import pathlib
import secrets


def token(bytes_of_chance=32):
    return secrets.token_hex(bytes_of_chance)


def password():
    """Long enough to be a secret, short enough to be typed."""
    return secrets.token_hex(6)


def write_private(path, text):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.chmod(path, 0o600)
    return path
