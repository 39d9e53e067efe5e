"""What the forms of a release are made from: the published tables and what explains them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from copstats.disclose import DisclosureProfile, load_profile
from copstats.disseminate.tables import dictionary
from copstats.errors import ReleaseError
from copstats.framework import Area, Framework, load_framework


@dataclass(frozen=True)
class Publisher:
    """Who publishes the releases; an empty text is not stated.

    Attributes:
        name: of the organisation.
        contact: electronic address or page for questions.
        address: where releases stand on the web, without a slash at the end.
        licence: under which they may be used, for example ``CC-BY-4.0``.
    """

    name: str = ""
    contact: str = ""
    address: str = ""
    licence: str = ""


NOBODY = Publisher()


@dataclass(frozen=True)
class Published:
    """A release as its forms see it: nothing but what is published.

    Attributes:
        label: for example ``2026-Q4``.
        tables: name -> rows in their final order; the tables of ``tables.yaml``.
        framework: gives definitions and their texts.
        profile: rules of disclosure by which values were withheld.
        areas: by code.
        publisher: whose release it is.
        received: submissions that came, one row each: ``ref_area, survey, kind, state, quarter``; None where
            that is not told.
    """

    label: str
    tables: Mapping[str, pa.Table]
    framework: Framework
    profile: DisclosureProfile
    areas: Mapping[str, Area]
    publisher: Publisher = NOBODY
    received: pa.Table | None = None


@dataclass(frozen=True)
class Reading:
    """What a release is read back with.

    Attributes:
        areas: by code.
        publisher: whose release it is.
        received: submissions that came, see `Published`.
        disclosure_profile: named profile that the gate used; None if none was added to the framework's.
    """

    areas: Mapping[str, Area]
    publisher: Publisher = NOBODY
    received: pa.Table | None = None
    disclosure_profile: str | None = None


def read_published(folder: Path, reading: Reading) -> Published:
    """Read a release, published or prepared, back from its Parquet files.

    Raises:
        ReleaseError: R100, one of its tables is missing or has other columns.
    """
    try:
        tables = {name: pq.read_table(folder / "parquet" / f"{name}.parquet") for name in dictionary().tables}
        (row,) = tables["release"].to_pylist()
    except (OSError, ValueError, pa.ArrowException):
        raise ReleaseError("R100", where=folder.name) from None
    framework = load_framework(row["framework"])
    profile = load_profile(framework.id, named=reading.disclosure_profile)
    return Published(
        row["label"], tables, framework, profile, reading.areas, reading.publisher, reading.received
    )
