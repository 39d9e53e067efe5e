"""Serves a home for the tests: prints the address once it listens. Arguments: home, settings as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

from copstats.portal.server import run
from copstats.portal.settings import Limits, PortalSettings
from copstats.store.config import read_config

if __name__ == "__main__":
    home, given = Path(sys.argv[1]), json.loads(sys.argv[2])
    limits = Limits(**given.pop("limits", {}))
    config = read_config(home / "copstats.toml").portal
    config = msgspec.structs.replace(config, **given.pop("config", {}))
    settings = PortalSettings(port=0, config=config, limits=limits, **given)
    run(home, settings, ready=lambda url: print(url, flush=True))  # noqa: T201
