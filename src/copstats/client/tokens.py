"""Where the token of a portal comes from: never from the command line, which other programs can see."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from copstats.client.address import Address
from copstats.errors import ConfidentialityError, UsageError
from copstats.store.custody.keyring import KeyringProvider
from copstats.store.custody.passphrase import read_passphrase_file

VARIABLE = "COPSTATS_TOKEN"
_TOKEN = re.compile(r"cop_[A-Za-z0-9_-]{43}")
_SERVICE = "portal"


def token_for(address: Address, file: Path | None, asking: Callable[[], str] | None) -> str:
    """Return the token: of a file, else of the environment, else of the keyring, else as somebody types it.

    Args:
        address: of the portal.
        file: that only its owner can read; its first line is taken.
        asking: asks for it; None where nobody can type.

    Raises:
        UsageError: U313, the file cannot be read; U412, there is no token; U413, it is none.
        ConfidentialityError: C003, others can read the file.
    """
    if file is not None:
        return _checked(read_passphrase_file(file))
    if held := os.environ.get(VARIABLE) or _kept(address):
        return _checked(held)
    if asking is None:
        raise UsageError("U412", where=address.origin)
    return _checked(asking())


def keep_token(address: Address, token: str) -> None:
    """Keep a token in the keyring of the operating system.

    Raises:
        ConfidentialityError: C320, no keyring can be used here.
    """
    KeyringProvider(_SERVICE).put(address.name, token.encode(), new=False)


def _kept(address: Address) -> str:
    try:
        return (KeyringProvider(_SERVICE).get(address.name) or b"").decode("ascii", "replace")
    except ConfidentialityError:
        return ""  # without a keyring the token comes from elsewhere


def _checked(text: str) -> str:
    token = text.strip()
    if not _TOKEN.fullmatch(token):
        raise UsageError("U413")
    return token
