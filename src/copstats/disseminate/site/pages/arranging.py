"""How rows of a page are put in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from copstats.disseminate.site.names import DOMAINS
from copstats.disseminate.site.reading import Content

T = TypeVar("T")


def by_domain(
    content: Content, rows: Iterable[T], indicator: Callable[[T], str]
) -> list[tuple[str, list[T]]]:
    """Return domain -> rows, in the order of the site; indicators of a domain in the order of the framework.

    Args:
        content: the release.
        rows: rows of an indicator each; of one that the framework does not have they are left out.
        indicator: tells the indicator of a row.
    """
    known = content.published.framework.indicators
    rank = {code: number for number, code in enumerate(known)}
    out: dict[str, list[T]] = {domain: [] for domain in DOMAINS}
    for row in sorted((row for row in rows if indicator(row) in known), key=lambda row: rank[indicator(row)]):
        out.setdefault(known[indicator(row)].definition.domain, []).append(row)
    return [(domain, of_domain) for domain, of_domain in out.items() if of_domain]


def extent(limits: Sequence[float | None]) -> float:
    """Return how far an axis with zero in its middle must reach for these limits, in steps of ten."""
    reach = max((abs(limit) for limit in limits if limit is not None), default=10.0)
    return 10.0 * -(-reach // 10)
