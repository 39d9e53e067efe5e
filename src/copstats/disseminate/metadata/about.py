"""What is said of a release as a whole: title, description, date, licence, places of its files."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from copstats.disseminate.published import Published, Publisher
from copstats.framework.export.markup import phrases, wordings
from copstats.framework.structure import load_structure
from copstats.language import N_

_TITLE = N_("{title}, release {label}")
_ABOUT = N_(
    "Estimates from national surveys of children, with their precision and comparability. Values that could "
    "tell something of a single child are withheld; a code says why."
)
KEYWORDS = (N_("child online protection"), N_("children"), N_("internet use"), N_("official statistics"))
_SPDX = re.compile(r"[A-Za-z0-9.+-]+")


def titles(published: Published) -> dict[str, str]:
    """Return language -> title of the release, for the languages that have one."""
    framework, title = published.framework, load_structure(published.framework.id).title
    return phrases(
        wordings(framework.id),
        lambda words: words.text(_TITLE, title=words.text(title), label=published.label),
        _TITLE,
        title,
    )


def descriptions(published: Published) -> dict[str, str]:
    """Return language -> what the release holds, for the languages that have it."""
    return phrases(wordings(published.framework.id), lambda words: words.text(_ABOUT), _ABOUT)


def issued(published: Published) -> str | None:
    """Return the day of the release (ISO 8601): that of its calendar; None for a label without a quarter."""
    for row in published.tables["release_calendar"].to_pylist():
        if row["label"] == published.label:
            return dt.datetime.fromisoformat(row["scheduled_at"]).date().isoformat()
    return None


def licence_address(publisher: Publisher) -> str | None:
    """Return the address of the licence; None where it is not stated or is no SPDX identifier."""
    if "://" in publisher.licence:
        return publisher.licence
    known = _SPDX.fullmatch(publisher.licence)
    return f"https://spdx.org/licenses/{publisher.licence}" if known else None


def place(published: Published, path: str, *, below: str = "") -> str:
    """Return the address of a file of the release; a relative one where no address is stated.

    Args:
        published: the release.
        path: of the file in the release.
        below: how the folder of the describing file leads to that of the release, ``../``.
    """
    address = published.publisher.address.rstrip("/")
    return f"{address}/{published.label}/{path}" if address else f"{below}{path}"


def shown_indicators(published: Published) -> Mapping[str, str]:
    """Return code -> title of the indicators that the release has rows of."""
    present = set(published.tables["indicator_value"]["indicator"].unique().to_pylist())
    table = published.tables["indicator"].select(["indicator", "title"])
    return {code: title for code, title in zip(*table.to_pydict().values(), strict=True) if code in present}
