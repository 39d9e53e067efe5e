"""``copstats.toml``: the settings of a home."""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
import zoneinfo
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import structs

from copstats.errors import UsageError
from copstats.store.releases import SAFE_LABEL

Acceptance = Literal["by_hand", "without_errors"]
Approval = Literal["by_hand", "on_schedule"]
Form = Literal["sdmx", "metadata", "site", "reports"]
FORMS: tuple[Form, ...] = ("sdmx", "metadata", "site", "reports")
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

# Days for which each country may look at its new and revised values before they are published; 0: no review.
review_days = 15

# Who puts a release that the calendar has prepared in its place?
#   "by_hand"      a person (copstats release LABEL)
#   "on_schedule"  the calendar itself, once all countries have answered or their time is over
approve_releases = "by_hand"

# The release calendar: day of the last month of each quarter, and time in the time zone above.
release_day = 15
release_time = "09:00"

# What a release holds besides the database, Parquet and CSV.
release_forms = ["sdmx", "metadata", "site", "reports"]

# Program that is told, on its standard input, what failed or waits for a person, for example
#   ["mail", "-s", "copstats", "team@example.org"]
# It hears labels, submission ids and error codes, never data.
notify_command = []

# Disclosure profile whose thresholds are added to those of the framework: "mics", "nchs" or "who_gshs".
# Empty: the framework's alone. None takes anything away; docs/disclosure.md compares them.
disclosure_profile = ""

# Where the registry is; empty: registry.sqlite in this folder. For several workers on several machines:
#   registry_url = "postgresql+psycopg://copstats@db.example.org/copstats"
# Leave the password out of it: libpq reads it from ~/.pgpass.
registry_url = ""

# Whose releases these are: shown on the pages and in the metadata. Empty: not stated.
# `address` is the place of the releases on the web, `licence` for example "CC-BY-4.0" (SPDX).
[publisher]
name = ""
contact = ""
address = ""
licence = ""

# The portal (copstats serve).
[portal]
# Address under which it is reached, for example "https://cop.example.org".
# Without https it serves this machine alone.
public_url = ""
# Addresses of the TLS proxies in front of it, for example ["10.0.0.4"]:
# what they say of the client is believed.
trusted_proxies = []
# What countries may send: sealed files, and raw zips, which protect less.
accepts = ["sealed", "raw"]
# Largest upload, and how many unfinished ones a country may have.
upload_megabytes = 4096
open_uploads = 20
# How many different persons have to accept a submission in the portal.
approvals = 2
# Days for which a new token is valid unless it says otherwise.
token_days = 180
"""


class PublisherConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose releases these are; an empty text is not stated."""

    name: str = ""
    contact: str = ""
    address: str = ""
    licence: str = ""


class PortalConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the portal, as ``copstats.toml`` documents them."""

    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    accepts: tuple[Literal["sealed", "raw"], ...] = ("sealed", "raw")
    upload_megabytes: Annotated[int, msgspec.Meta(ge=1, le=65_536)] = 4096
    open_uploads: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    approvals: Annotated[int, msgspec.Meta(ge=1, le=5)] = 2
    token_days: Annotated[int, msgspec.Meta(ge=1, le=1096)] = 180


class HomeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a home, as ``copstats.toml`` documents them."""

    layout: int
    accept: Acceptance = "by_hand"
    time_zone: str = "UTC"
    release_label: str = SAFE_LABEL
    disclosure_profile: Annotated[str, msgspec.Meta(pattern=r"^([a-z]+(_[a-z]+)*)?$")] = ""
    registry_url: str = ""
    quarantine_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30
    review_days: Annotated[int, msgspec.Meta(ge=0, le=90)] = 15
    approve_releases: Approval = "by_hand"
    release_day: Annotated[int, msgspec.Meta(ge=1, le=28)] = 15
    release_time: Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "09:00"
    release_forms: tuple[Form, ...] = FORMS
    notify_command: tuple[str, ...] = ()
    publisher: PublisherConfig = PublisherConfig()
    portal: PortalConfig = PortalConfig()

    @property
    def calendar(self) -> tuple[int, str, str]:
        """Day of the last month of a quarter, time, and time zone of releases."""
        return self.release_day, self.release_time, self.time_zone

    @property
    def cron(self) -> str:
        """The release calendar as a cron expression in the home's time zone."""
        hour, minute = map(int, self.release_time.split(":"))
        return f"{minute} {hour} {self.release_day} 3,6,9,12 *"

    def of_releases(self) -> tuple[str, ...]:
        """Return the settings that change what a release holds, as texts."""
        words = (*map(str, self.calendar), *self.release_forms, *structs.astuple(self.publisher))
        return (self.disclosure_profile, *words)

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


def with_settings(text: str, **values: str | int | Sequence[str]) -> str:
    """Return the settings' text with other values; everything else stays as it was written.

    Args:
        text: of ``copstats.toml``.
        **values: name -> value, of settings outside of ``[publisher]``.
    """
    for name, value in values.items():
        line = f"{name} = {json.dumps(list(value) if isinstance(value, tuple) else value)}"
        pattern = re.compile(rf"^{name}\s*=.*$", re.MULTILINE)
        if pattern.search(text):
            text = pattern.sub(lambda _, line=line: line, text, count=1)  # type: ignore[misc]
        else:
            head, table, rest = text.partition("\n[")
            text = f"{head.rstrip()}\n{line}\n{table}{rest}"
    return text
