"""Sealed files of a small survey, and both sides' keys."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from copstats.store.custody.public import ReceivingKeyPublic, SigningKeyPublic
from copstats.store.home import Home
from copstats.store.keys import KeyStore
from copstats.store.parcel import ParcelHead, parcel_name, write_parcel

ANSWER = "zqkanari-answer"
TABLES = {
    "child": pa.table({"child_id": [f"{n:032x}" for n in range(40)], "answer": [ANSWER] * 40}),
    "parent": pa.table({"child_id": [f"{n:032x}" for n in range(40)], "answer": [ANSWER] * 40}),
}
ON = dt.date(2026, 11, 2)


def head(area: str = "KEN", **changes: Any) -> ParcelHead:
    year, version = changes.get("reference_year", 2026), changes.get("version", 1)
    said: dict[str, Any] = {
        "submission_id": f"{area}_{year}_COPS_v{version:02d}_M",
        "ref_area": area,
        "survey": "COPS",
        "reference_year": year,
        "version": version,
        "framework": "cop-2026",
        "framework_fingerprint": "f" * 64,
        "code_version": "0.1",
        "content_hash": "c" * 64,
        "linkage": "wave",
        "key_id": "0" * 16,
        "manifest": {},
        "crosswalk": None,
        "summary": "{}",
        "risk": {},
    }
    return ParcelHead(**(said | changes))


@dataclass(frozen=True)
class Sides:
    """A receiving home in which two countries are registered, and the keys of their offices."""

    home: Home
    offices: dict[str, KeyStore]
    folder: Path

    @property
    def recipient(self) -> ReceivingKeyPublic:
        public = self.home.keys.export_public("receiving")
        assert isinstance(public, ReceivingKeyPublic)
        return public

    def public(self, area: str) -> SigningKeyPublic:
        public = self.offices[area].export_public(area)
        assert isinstance(public, SigningKeyPublic)
        return public

    def sealed(self, area: str = "KEN", *, signed_by: str = "", **said: Any) -> Path:
        """What an office sends, or would send if it signed for another."""
        described = head(area, **said)
        path = self.folder / parcel_name(described.submission_id)
        key = self.offices[signed_by or area].national_signing_key(signed_by or area)
        write_parcel(path, described, TABLES, key, self.recipient)
        return path


def sides(folder: Path, *areas: str) -> Sides:
    """Make the keys of both sides; XAA is an office that nobody has registered."""
    home = Home.open(folder / "receiving", create=True)
    home.keys.create("receiving")
    offices = {}
    for area in (*areas, "XAA"):
        place = folder / area
        place.mkdir(mode=0o700)
        offices[area] = KeyStore(place)
        offices[area].create(f"{area}.national-signing")
    made = Sides(home, offices, folder)
    for area in areas:
        home.keys.registered.register(made.public(area), ON)
    return made
