"""``copstats.toml``: the settings of a home."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import zoneinfo
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from copstats.errors import UsageError
from copstats.store.releases import SAFE_LABEL

Acceptance = Literal["by_hand", "without_errors"]
CONFIG_FILE = "copstats.toml"
LAYOUT = 1
TEMPLATE = f"""\
# Settings of this copstats home. Restart long-running processes after a change.

# Version of the folder's layout. Written by copstats; do not change it.
layout = {LAYOUT}

# When is a checked submission accepted?
#   "by_hand"         a person accepts or declines each (copstats accept, copstats reject)
#   "without_errors"  at once, if no rule of severity "error" failed
accept = "by_hand"

# Time zone in which dates are shown and schedules run (IANA name). Times are stored in UTC.
time_zone = "UTC"

# Form of a release's label (regular expression). This default takes letters, digits and dashes;
# '[0-9]{{4}}-Q[1-4](-[a-z0-9]+)?' takes quarters only (2026-Q4, 2026-Q4-r1).
release_label = '{SAFE_LABEL}'

# Days after which a raw upload in the quarantine is destroyed, accepted or not (1 to 366).
quarantine_days = 30

# Disclosure profile whose thresholds are added to those of the framework: "mics", "nchs" or "who_gshs".
# Empty: the framework's alone. None takes anything away; docs/disclosure.md compares them.
disclosure_profile = ""

# Where the registry is; empty: registry.sqlite in this folder. For several workers on several machines:
#   registry_url = "postgresql+psycopg://copstats@db.example.org/copstats"
# Leave the password out of it: libpq reads it from ~/.pgpass.
registry_url = ""
"""


class HomeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a home, as ``copstats.toml`` documents them."""

    layout: int
    accept: Acceptance = "by_hand"
    time_zone: str = "UTC"
    release_label: str = SAFE_LABEL
    disclosure_profile: Annotated[str, msgspec.Meta(pattern=r"^([a-z]+(_[a-z]+)*)?$")] = ""
    registry_url: str = ""
    quarantine_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30

    @property
    def zone(self) -> dt.tzinfo:
        """The time zone; UTC needs no time zone database on the machine."""
        return dt.UTC if self.time_zone == "UTC" else zoneinfo.ZoneInfo(self.time_zone)


def read_config(path: Path) -> HomeConfig:
    """Read and check a home's settings.

    Raises:
        UsageError: U003, the home's layout is newer than this version of copstats; U004, a setting is wrong.
    """
    try:
        settings = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UsageError("U004", where=path.name, problem=str(problem)) from None
    layout = settings.get("layout")
    if isinstance(layout, int) and layout > LAYOUT:
        raise UsageError("U003", where=path.name, found=layout, known=LAYOUT)
    try:
        config = msgspec.convert(settings, HomeConfig)
        re.compile(config.release_label)
        _ = config.zone
    except msgspec.ValidationError as problem:
        raise UsageError("U004", where=path.name, problem=str(problem)) from None
    except re.error:
        raise UsageError("U004", where=path.name, problem="release_label is no regular expression") from None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise UsageError("U004", where=path.name, problem="time_zone is unknown on this machine") from None
    return config


def with_acceptance(text: str, accept: Acceptance) -> str:
    """Return the settings' text with another ``accept``; everything else stays as it was written."""
    line = f'accept = "{accept}"'
    changed, found = re.subn(r"^accept\s*=.*$", line, text, count=1, flags=re.MULTILINE)
    return changed if found else f"{text.rstrip()}\n{line}\n"
