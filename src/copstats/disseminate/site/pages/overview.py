"""The start page of a language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow.compute as pc

from copstats.disseminate.site.names import Names
from copstats.disseminate.site.page import Page
from copstats.disseminate.site.pages.indicator import by_domain, counts
from copstats.disseminate.site.reading import Content
from copstats.language import Translations


class Source(NamedTuple):
    """A row of ``source``: a survey that values come from."""

    ref_area: str
    survey: str
    time_period: str
    title: str | None
    organisation: str | None
    source: str


_NEWEST_SOURCES = "FROM source ORDER BY time_period DESC, ref_area, source LIMIT 10"


def pages(content: Content, words: Translations) -> Iterator[Page]:
    """Yield the overview."""
    names = Names(content, words)
    yield Page(
        path="index.html",
        title=words.text("Overview"),
        template="overview.html.jinja",
        context={
            "notice": words.text(content.published.framework.head.notice),
            "numbers": _numbers(content, words, names),
            "domains": by_domain(content, words),
            "counts": counts(content),
            "areas": frozenset(content.areas),
            "newest": content.rows(_NEWEST_SOURCES, Source),
            "revised": names.number(_revised(content)),
            "citation": _citation(content, words),
        },
        section="index.html",
    )


def _numbers(content: Content, words: Translations, names: Names) -> Mapping[str, str]:
    """Return what the release holds, in a few numbers: name -> number."""
    newest = [value for values in content.newest.values() for value in values if value.value is not None]
    periods = [value.time_period for value in newest]
    figures: dict[str, Any] = {
        words.text("countries and areas"): len({value.ref_area for value in newest}),
        words.text("indicators with a value"): len({value.indicator for value in newest}),
        words.text("rounds of surveys"): content.published.tables["source"].num_rows,
    }
    told = {name: names.number(figure) for name, figure in figures.items()}
    return told | ({words.text("newest survey"): max(periods)} if periods else {})


def _revised(content: Content) -> int:
    """Return how many values this release revises."""
    if not content.has("revision"):
        return 0
    revisions = content.published.tables["revision"]
    return int(pc.sum(pc.equal(revisions["release_to"], content.published.label)).as_py())


def _citation(content: Content, words: Translations) -> str:
    """Return how the release is cited; what its publisher does not state is left out."""
    published = content.published
    title = words.text("Child online protection: indicators by country")
    release = words.text(
        "Release {label}, framework {framework} {version}",
        label=published.label,
        framework=published.framework.id,
        version=published.framework.head.version,
    )
    parts = (published.publisher.name, title, release, published.publisher.address)
    return ". ".join(part for part in parts if part)
