"""What leaves the country of a checked submission, and how well the children in it are hidden.

Columns that the framework does not name stay behind, quasi-identifiers become coarser, identifiers become
pseudonyms; then the risk of the result is measured. A file above the limits of a restricted file is not
refused: it goes, encrypted, to one receiver who may not publish a record, regional samples of children hardly
ever meet them, and withholding single answers would bias the estimates. The office is told before it seals.
"""

# ruff: noqa: S608 - every name in the SQL is one of the framework, checked when it was loaded

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from copstats.errors import SubmissionError
from copstats.framework import Framework
from copstats.framework import manifest as says
from copstats.framework.definitions import RecordKind, Variable
from copstats.language import Translations
from copstats.process.coarsen import Note, coarsen
from copstats.process.file_risk import LARGEST_RISK, LEAST_GROUP, FileRisk, file_risk
from copstats.process.leaving import contents
from copstats.process.pseudonymise import allowed_columns, pseudonymise, second_pseudonym
from copstats.process.records import (
    AGE,
    CHILD_KEY,
    PSU,
    STRATUM,
    WEIGHTS,
    Harmonised,
    HarmonisedRecord,
)

__all__ = [
    "Prepared",
    "PseudonymKeys",
    "contents",
    "prepare",
    "pseudonymised_again",
    "quasi_identifiers",
]

AGE_BAND = "age_band"
GATE = ("sex", "adm1", "area")
"""With the age band, what anybody knows of a child; the country is that of the file."""
_TABLE, _VIEW = "prepared_child", "prepared_child_banded"


class PseudonymKeys(Protocol):
    """Where the keys of pseudonyms come from, see `copstats.store.keys.KeyStore`."""

    def root_id(self, area: str) -> str:
        """Return a name of the country's root; refuse if there is none."""

    def pseudonym_key(self, area: str, scope: str, field: str, *, permitted: bool = False) -> bytes:
        """Return the key of one field in a wave or a panel."""


@dataclass(frozen=True)
class Prepared:
    """A submission as it may be sealed.

    Attributes:
        tables: record kind -> table, in the order of the child's pseudonym.
        stay: record kind -> columns of the office's own file that stay behind.
        notes: what was done to the variables.
        risk: of the child file, towards somebody who knows all its quasi-identifiers.
        gate: of the child file, towards somebody who knows age band, sex, region and residence; see
            `FileRisk.acceptable`.
        linkage: ``wave`` or ``panel``: how far the pseudonyms of children reach.
        labelled: columns of the design that hold labels of this wave alone; they are pseudonyms in a panel.
        key_id: name of the country's root under which they were made.
        framework: whose variables the columns are.
    """

    tables: Mapping[RecordKind, pa.Table]
    stay: Mapping[RecordKind, tuple[str, ...]]
    notes: tuple[Note, ...]
    risk: FileRisk
    gate: FileRisk
    linkage: str
    labelled: tuple[str, ...]
    key_id: str
    framework: Framework

    def in_words(self, words: Translations) -> tuple[str, ...]:
        """Say what was done and what it means for the children, one sentence a line; for the office alone."""
        variables = self.framework.variables("child")
        labels = {name: words.text(variable.label) for name, variable in variables.items()}
        labels[AGE_BAND] = words.text("Age group")
        done = (note.in_words(words) for note in self.notes)
        return (*done, *self.risk.in_words(words, labels), _verdict(self.gate, labels, words))


def _verdict(gate: FileRisk, labels: Mapping[str, str], words: Translations) -> str:
    told = {
        "key": words.listing([labels.get(name, name) for name in gate.keys]),
        "group": words.number(LEAST_GROUP),
        "risk": words.number(100 * LARGEST_RISK),
    }
    if gate.acceptable:
        return words.text(
            "By {key}, every child shares all with {group} children or more, itself counted, and none is "
            "picked out with a chance above {risk} %.",
            **told,
        )
    counts = {"few": words.number(gate.below_3), "at_risk": words.number(gate.at_risk)}
    return words.text(
        "Warning. By {key}, children in groups of fewer than {group}: {few}; children whom somebody picks "
        "out with a chance above {risk} %: {at_risk}. Larger regions or fewer categories make them safer.",
        **told,
        **counts,
    )


def prepare(
    connection: duckdb.DuckDBPyConnection,
    harmonised: Harmonised,
    framework: Framework,
    manifest: says.SurveyManifest,
    keys: PseudonymKeys,
) -> Prepared:
    """Make of a checked submission what may leave the country, and measure its risk.

    Pseudonyms and labels are of the wave alone. Where the manifest records that the samples of two rounds
    overlap (``design: overlap``) and that the consent covers linkage (``ethics: panel_linkage``), those of
    strata and PSUs, and of children if they were interviewed again, are made under the key of the panel.

    Args:
        connection: holds the harmonised tables ``child`` and, if delivered, ``parent``.
        harmonised: what they hold.
        framework: the framework version that the manifest names.
        manifest: the submission's manifest.
        keys: of the statistics office.

    Raises:
        ConfidentialityError: the country has no key, or it is unfit.
        SubmissionError: two children would have one pseudonym, or a child none (S230).
    """
    key_id = keys.root_id(manifest.ref_area)
    coarsened = coarsen(connection, harmonised, framework)
    tables = pseudonymise(
        connection,
        harmonised,
        framework,
        _keys(harmonised, framework, manifest, keys),
        coarsened=coarsened,
        labels=not _panel(manifest, design=True),
    )
    _check_unique(tables["child"])
    risk, gate = _risks(connection, framework, tables["child"])
    return Prepared(
        tables=tables,
        stay={
            record: _staying(held, framework.variables(record)) for record, held in harmonised.records.items()
        },
        notes=(*_dropped(harmonised, framework), *coarsened.notes, *_not_permitted(manifest)),
        risk=risk,
        gate=gate,
        linkage="panel" if _panel(manifest, design=False) else "wave",
        labelled=() if _panel(manifest, design=True) else (STRATUM, PSU),
        key_id=key_id,
        framework=framework,
    )


def pseudonymised_again(
    tables: Mapping[str, pa.Table],
    framework: Framework,
    manifest: says.SurveyManifest,
    keys: PseudonymKeys,
) -> dict[str, pa.Table]:
    """Return the records of a sealed file with the receiving side's pseudonyms in place of the office's.

    Args:
        tables: record kind -> table, as `prepare` made it at the office.
        framework: the framework version that the manifest names.
        manifest: the submission's manifest.
        keys: of the receiving side.

    Raises:
        ConfidentialityError: the receiving side's key of the country is unfit.
    """
    fields: dict[str, bool] = {}
    for record, table in tables.items():
        variables = framework.variables(record)
        for name in table.column_names:
            variable = variables.get(name)
            if variable is not None and variable.privacy == "pseudonymise":
                fields[name] = variable.role == "design"
    # Labels of strata and PSUs are drawn for the wave and say nothing; only those of a panel are pseudonyms.
    linked = {name: design for name, design in fields.items() if not design or _panel(manifest, design=True)}
    again = _keys_of(linked, manifest, keys)
    return {record: second_pseudonym(table, again) for record, table in tables.items()}


def _panel(manifest: says.SurveyManifest, *, design: bool) -> bool:
    """Whether a field of the design, or one of persons, is linked between waves."""
    overlap = manifest.design.overlap
    return manifest.ethics.panel_linkage and (overlap == "children" or (design and overlap == "psus"))


def _keys(
    harmonised: Harmonised, framework: Framework, manifest: says.SurveyManifest, keys: PseudonymKeys
) -> dict[str, bytes]:
    fields = {PSU: True, STRATUM: True}
    for record, held in harmonised.records.items():
        for name, variable in allowed_columns(framework, record, held).items():
            if variable.privacy == "pseudonymise":
                fields[name] = variable.role == "design"
    return _keys_of(fields, manifest, keys)


def _keys_of(
    fields: Mapping[str, bool], manifest: says.SurveyManifest, keys: PseudonymKeys
) -> dict[str, bytes]:
    """Return field -> key; a field is given with whether it is of the design."""
    area, out = manifest.ref_area, {}
    for field, design in fields.items():
        if _panel(manifest, design=design):
            out[field] = keys.pseudonym_key(area, f"panel:{area}_{manifest.survey}", field, permitted=True)
        else:
            out[field] = keys.pseudonym_key(area, f"wave:{manifest.wave}", field)
    return out


def _check_unique(child: pa.Table) -> None:
    different = pc.count_distinct(child[CHILD_KEY], mode="only_valid").as_py()
    if different < child.num_rows:
        raise SubmissionError("S230", count=child.num_rows - different)


def _staying(held: HarmonisedRecord, variables: Mapping[str, Variable]) -> tuple[str, ...]:
    dropped = (held.source_columns.get(name, name) for name in held.variables if _drops(variables, name))
    return (*held.not_taken_over, *dropped)


def _drops(variables: Mapping[str, Variable], name: str) -> bool:
    variable = variables.get(name) or variables.get(name.rpartition("_")[0])
    return variable is None or variable.privacy == "drop"


def _dropped(harmonised: Harmonised, framework: Framework) -> Iterator[Note]:
    for record, held in harmonised.records.items():
        for name, variable in framework.variables(record).items():
            if variable.privacy == "drop" and name in held.variables:
                yield Note(record, name, "dropped", held.rows)


def _not_permitted(manifest: says.SurveyManifest) -> Iterator[Note]:
    if manifest.design.overlap != "none" and not manifest.ethics.panel_linkage:
        yield Note("child", PSU, "overlap_not_permitted")


def quasi_identifiers(framework: Framework, columns: Sequence[str]) -> list[str]:
    """Return the columns of the child file by which somebody could recognise a child.

    Age and sex, and what the framework calls a quasi-identifier, but nothing of the interview, such as its
    month, that an acquaintance hardly knows.
    """
    known = framework.variables("child")
    return [
        name
        for name in columns
        if name in known
        and (name in (AGE, *GATE) or known[name].sensitivity == "quasi_identifier")
        and known[name].role != "paradata"
    ]


def _risks(
    connection: duckdb.DuckDBPyConnection, framework: Framework, child: pa.Table
) -> tuple[FileRisk, FileRisk]:
    variables = framework.variables("child")
    keys = quasi_identifiers(framework, child.column_names)
    tier_b = [name for name in child.column_names if name in variables and variables[name].tier == "B"]
    gate = [AGE_BAND, *(name for name in GATE if name in keys)]
    weight = WEIGHTS["child"]
    connection.register(_TABLE, child)
    try:
        banded = f"SELECT *, {_age_band(framework)} AS {AGE_BAND} FROM {_TABLE}"
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {_VIEW} AS {banded}")
        return (
            file_risk(connection, _VIEW, keys, weight, tier_b, cluster=PSU),
            file_risk(connection, _VIEW, gate, weight, tier_b, cluster=PSU),
        )
    finally:
        connection.execute(f"DROP VIEW IF EXISTS {_VIEW}")
        connection.unregister(_TABLE)


def _age_band(framework: Framework) -> str:
    bands = framework.head.ages.bands
    inside = (f"WHEN {AGE} BETWEEN {band.minimum} AND {band.maximum} THEN {band.minimum}" for band in bands)
    return f"CASE {' '.join(inside)} ELSE {AGE} END" if bands else AGE
