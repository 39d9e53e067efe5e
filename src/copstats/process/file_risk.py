"""Disclosure risk of a file: whom could somebody recognise who knows a child's age, sex, region and the like?

A *key* is a combination of such variables. A missing code and an empty cell are categories of their own: that
an answer is missing can be known too. The figures are of single children: they stay in the country, but for
`FileRisk.coarse`, which tells bands of shares.

Sources: Benedetti and Franconi (1998), Statistical and technological solutions for controlled data
dissemination, NTTS 98, for the individual risk; Elliot, Manning and Ford (2002), A computational algorithm
for handling the special uniques problem, International Journal of Uncertainty, Fuzziness and Knowledge-Based
Systems 10(5), for SUDA; Machanavajjhala, Kifer, Gehrke and Venkitasubramaniam (2007), l-diversity, ACM TKDD
1(1); Templ (2017), Statistical Disclosure Control for Microdata, Springer, chapters 3 and 4. Frequencies,
individual risk, SUDA scores and l-diversity equal those of sdcMicro 5.8.
"""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations
from pathlib import Path
from string import Template

import duckdb

from copstats.language import N_, Translations
from copstats.process.makers.weights import usable

LEAST_GROUP = 3
"""Smallest number of records that may share a key in a restricted file (IHSN: 3 or 5)."""
LARGEST_RISK = 0.05
"""Largest individual risk of a record of a restricted file (IHSN, SDC Practice Guide, measuring risk)."""
EXPANDED = 2.0
"""Weights of this mean or more add up to a population; weights scaled to the sample have the mean 1."""
_BANDS = ((0.01, "<1%"), (0.05, "1-5%"), (0.2, "5-20%"), (0.5, "20-50%"))
_WIDEST = ">50%"


@dataclass(frozen=True, kw_only=True)
class FileRisk:
    """Disclosure risk of a file.

    Attributes:
        keys: variables of the key.
        records: number of records.
        smallest_group: smallest number of records that share a key (k).
        alone: records with a key of their own (k < 2).
        below_3: records that share their key with at most one other.
        below_5: records that share their key with at most three others.
        expected: expected number of records that somebody who knows the key of every person in the population
            attributes correctly: the sum of the individual risks.
        at_risk: records with an individual risk above `LARGEST_RISK`.
        largest_risk: the largest individual risk.
        special_uniques: records that a part of the key already tells from all others.
        suda_top: SUDA score that the one per cent of the records with the highest scores reach.
        smallest_diversity: smallest number of different answers to a question of tier B among the records
            of a key (distinct l-diversity); None if the file has no such question.
        same_answer: records of keys that gave one answer to some question of tier B (l < 2).
        alone_in_cluster: records whose key is their own within their school or place; None without clusters.
        expanded_weights: whether the weights add up to a population. If not, the individual risk is that
            towards somebody who knows that the child is in the file.
    """

    keys: tuple[str, ...]
    records: int
    smallest_group: int
    alone: int
    below_3: int
    below_5: int
    expected: float
    at_risk: int
    largest_risk: float
    special_uniques: int
    suda_top: float
    smallest_diversity: int | None
    same_answer: int | None
    alone_in_cluster: int | None
    expanded_weights: bool

    @property
    def acceptable(self) -> bool:
        """Whether at least `LEAST_GROUP` records share each key and no risk is above `LARGEST_RISK`."""
        return self.smallest_group >= LEAST_GROUP and not self.at_risk

    def coarse(self) -> dict[str, str]:
        """Return what may leave the country: shares of the records in bands, and whether it is acceptable."""
        told = {
            "keys": " ".join(self.keys),
            "acceptable": "yes" if self.acceptable else "no",
            "weights": "population" if self.expanded_weights else "sample",
        }
        counts = {
            "alone": self.alone,
            "below_3": self.below_3,
            "at_risk": self.at_risk,
            "special_uniques": self.special_uniques,
            "same_answer": self.same_answer,
            "alone_in_cluster": self.alone_in_cluster,
        }
        return told | {name: self._band(count) for name, count in counts.items() if count is not None}

    def in_words(self, words: Translations, labels: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """Say what the figures mean for a child, one sentence a line; for the statistics office alone.

        Args:
            words: language.
            labels: variable -> label in that language; where there is none, the variable's name stands.
        """
        key = words.listing([(labels or {}).get(name, name) for name in self.keys])
        lines = [
            words.text("What somebody who knows a child may know: {key}.", key=key),
            self._told(words, _ALONE, self.alone),
            self._told(words, _BELOW_3, self.below_3),
            self._told(words, _SPECIAL, self.special_uniques),
            self._expected(words),
            self._told(words, _AT_RISK, self.at_risk),
            # A child with a key of its own is counted above: here are those whom a group does not hide.
            self._told(
                words, _SAME_ANSWER, None if self.same_answer is None else self.same_answer - self.alone
            ),
            self._told(words, _IN_CLUSTER, self.alone_in_cluster),
        ]
        return tuple(line for line in lines if line)

    def _told(self, words: Translations, sentence: str, count: int | None) -> str:
        if count is None:
            return ""
        per_cent = words.number(100 * count / max(self.records, 1), 1)
        limit = words.number(100 * LARGEST_RISK)
        return words.text(sentence, count=words.number(count), per_cent=per_cent, limit=limit)

    def _expected(self, words: Translations) -> str:
        if self.expanded_weights:
            return words.text(
                "Children whom such a person is expected to pick out correctly, not knowing who was "
                "interviewed: {count}.",
                count=words.number(self.expected, 1),
            )
        return words.text(
            "The weights do not add up to a population. Children whom such a person is expected to pick out "
            "correctly, knowing who was interviewed: {count}.",
            count=words.number(self.expected, 1),
        )

    def _band(self, count: int) -> str:
        if not count:
            return "none"
        share = count / self.records
        return next((band for limit, band in _BANDS if share < limit), _WIDEST)


_ALONE = N_("Children who are the only ones in this file with all of that: {count} ({per_cent} %).")
_BELOW_3 = N_("Children who share all of that with one other at most: {count} ({per_cent} %).")
_SPECIAL = N_("Children whom already a part of that tells from all others: {count} ({per_cent} %).")
_AT_RISK = N_("Children whom such a person picks out with a chance above {limit} %: {count} ({per_cent} %).")
_SAME_ANSWER = N_(
    "Children of whom such a person learns an answer on sexual content, exploitation, abuse or self-harm "
    "without picking them out, because all who share all of that gave the same: {count} ({per_cent} %)."
)
_IN_CLUSTER = N_(
    "Children who are the only ones of their school or place with all of that, so that others who were there "
    "would recognise them: {count} ({per_cent} %)."
)


def file_risk(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    keys: Sequence[str],
    weight: str,
    sensitive: Sequence[str] = (),
    *,
    cluster: str | None = None,
) -> FileRisk:
    """Return the disclosure risk of a table.

    The individual risk of a record whose key occurs f times and stands for F persons is, with p = f / F,
    p / (1 - p) ln(1 / p) for f = 1, p / (1 - p) - (p / (1 - p))^2 ln(1 / p) for f = 2, p / (f - 1 + p) for
    more, and 1 / f where p is 1 or more (Benedetti and Franconi 1998). The SUDA score of a record adds
    (K - m)! for each minimal set of m of the K variables that tells it from all others (Elliot et al. 2002).

    Args:
        connection: holds the table.
        table: name of the table.
        keys: variables of the key, at least one; time doubles with each.
        weight: name of the weight; one that cannot be used counts as 1.
        sensitive: questions of tier B.
        cluster: column of the school or place in which respondents know each other.
    """
    by_key = key_risk_sql(table, keys, weight, sensitive)
    sql = _sql("file_risk", key_risk=by_key, limit=str(LARGEST_RISK), expanded=str(EXPANDED))
    result = connection.sql(sql)
    figures = dict(zip(result.columns, result.fetchall()[0], strict=True))
    if not sensitive:
        figures |= {"smallest_diversity": None, "same_answer": None}
    inside = _alone_in_cluster(connection, table, keys, cluster) if cluster else None
    return FileRisk(keys=tuple(keys), alone_in_cluster=inside, **figures)


def key_risk_sql(table: str, keys: Sequence[str], weight: str, sensitive: Sequence[str] = ()) -> str:
    """Return the query of the risk by key: one row for each combination of the keys that occurs.

    Columns: the keys, ``frequency`` (records), ``population`` (sum of the weights), ``risk`` (individual
    risk), ``suda`` (score), ``special`` (a part of the key tells the record from all others), ``diversity``
    (smallest number of different answers to a sensitive question; -1 if there is none).
    """
    subsets = chain.from_iterable(combinations(keys, size) for size in range(1, len(keys) + 1))
    # COUNT(DISTINCT) passes over NULL, which is an answer like any other here.
    diversities = [f"count(DISTINCT {item}) + max(({item} IS NULL)::INTEGER)" for item in sensitive]
    return _sql(
        "key_risk",
        table=table,
        keys=", ".join(keys),
        weight=weight,
        usable=usable(weight),
        sensitive=", ".join(sensitive) or "NULL AS nothing",
        diversities=", ".join(diversities) or "-1",
        subsets=", ".join(f"({', '.join(subset)})" for subset in subsets),
    )


def _alone_in_cluster(
    connection: duckdb.DuckDBPyConnection, table: str, keys: Sequence[str], cluster: str
) -> int:
    named = ", ".join((cluster, *keys))
    groups = f"SELECT count(*) AS frequency FROM {table} WHERE {cluster} IS NOT NULL GROUP BY {named}"
    return int(connection.sql(f"SELECT count(*) FROM ({groups}) WHERE frequency = 1").fetchall()[0][0])


def _sql(step: str, **parts: str) -> str:
    return Template(_text(step)).substitute(parts).strip()


@cache
def _text(step: str) -> str:
    return Path(__file__).with_name(f"{step}.sql").read_text("utf-8")
