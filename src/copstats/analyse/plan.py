"""What is run for a wave: for each record kind its query, design, measures and domains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from copstats.analyse.cells import Measure, cells_sql
from copstats.analyse.design import DESIGN_COLUMNS, SinglePsu, design_sql
from copstats.analyse.domains import (
    AgeBand,
    Dimensions,
    Disaggregation,
    common_age,
    common_age_disaggregation,
    levels_sql,
    text_dimensions,
)
from copstats.analyse.indicators import Absence, absence, is_median, measure, records_of
from copstats.analyse.medians import explained
from copstats.analyse.variance import variance_sql
from copstats.errors import EstimationError, UsageError
from copstats.framework.loader import Framework, ParsedIndicator
from copstats.framework.manifest import SurveyManifest

KINDS = ("child", "parent", "dyad")


@dataclass(frozen=True)
class Tables:
    """Column names of a wave's tables; ``parent`` is None where there is no such file."""

    child: frozenset[str]
    parent: frozenset[str] | None

    def of(self, kind: str) -> frozenset[str] | None:
        """Return the columns of the records of a kind."""
        if kind == "child" or self.parent is None:
            return self.child if kind == "child" else None
        return self.parent if kind == "parent" else self.child | self.parent


@dataclass(frozen=True)
class Plan:
    """What is run for the records of one kind.

    Attributes:
        kind: ``child``, ``parent`` or ``dyad``.
        present: framework variables that the records have.
        wave: query of the records with ``weight``, ``stratum`` and ``psu``.
        design: SQL that makes ``psu_design``.
        skips: column ``NAME__no`` -> SQL.
        measures: the indicators that can be estimated, as SQL: those that average answers.
        medians: those whose answers' median is taken.
        indicators: both by code.
        absent: those that cannot be estimated, with the reason.
        common_ages: indicator code -> ages common to indicator and survey, where they need an own domain.
    """

    kind: str
    present: frozenset[str] = frozenset()
    wave: str = ""
    design: str = ""
    skips: Mapping[str, str] = field(default_factory=dict)
    measures: Sequence[Measure] = ()
    medians: Sequence[Measure] = ()
    indicators: Mapping[str, ParsedIndicator] = field(default_factory=dict)
    absent: Mapping[str, Absence] = field(default_factory=dict)
    common_ages: Mapping[str, AgeBand] = field(default_factory=dict)

    def disaggregations(
        self, framework: Framework, texts: Mapping[str, Sequence[str]]
    ) -> list[Disaggregation]:
        """Return the union of the indicators' disaggregations, and the common ages.

        Args:
            framework: that the wave follows.
            texts: text variable -> its categories in order.
        """
        names = {name for i in self.indicators.values() for name in wanted_disaggregations(i, framework)}
        found = Dimensions(framework, self.kind, self.present, texts).disaggregations(names)
        bands = sorted(set(self.common_ages.values()), key=lambda band: band.code)
        return [*found, *(common_age_disaggregation(band) for band in bands)]


def wanted_disaggregations(indicator: ParsedIndicator, framework: Framework) -> list[str]:
    """Return the disaggregations of an indicator: its own, or the framework's standard ones."""
    own = indicator.definition.disaggregations
    return framework.head.standard_disaggregations if own is None else own


def plan(
    kind: str,
    tables: Tables,
    manifest: SurveyManifest,
    framework: Framework,
    only: str | None = None,
) -> Plan:
    """Plan the estimation of the indicators of a record kind.

    Args:
        kind: ``child``, ``parent`` or ``dyad``.
        tables: columns of the wave's tables.
        manifest: of the wave.
        framework: that the wave follows.
        only: code of the one indicator to plan for; all by default.

    Raises:
        EstimationError: E001, a table lacks design columns.
    """
    own = {
        code: i
        for code, i in framework.indicators.items()
        if i.definition.record == kind and only in (None, code)
    }
    columns = tables.of(kind)
    if columns is None:
        return Plan(kind, absent=dict.fromkeys(own, Absence("no_parent_file")))
    records = records_of(framework, kind, columns, manifest, own.values())
    reasons = {code: absence(i, framework, manifest, records) for code, i in own.items()}
    present = {code: i for code, i in own.items() if reasons[code] is None}
    bands = {code: common_age(i, manifest) for code, i in present.items() if "age" in records.present}
    return Plan(
        kind=kind,
        present=records.present,
        wave=wave_sql(kind, tables) if present else "",
        design=_design(kind, tables, manifest),
        skips=records.skips,
        measures=[measure(i, records) for i in present.values() if not is_median(i)],
        medians=[measure(i, records) for i in present.values() if is_median(i)],
        indicators=present,
        absent={code: why for code, why in reasons.items() if why is not None},
        common_ages={code: band for code, band in bands.items() if band is not None},
    )


def wave_sql(kind: str, tables: Tables) -> str:
    """Return the query of the records of a kind.

    Dyads are children with the parents who answered for them, joined on ``child_id``, in the child's place of
    the design. Parents and dyads carry ``weight_parent``; where the file has none, a parent carries its
    ``weight`` and a dyad that of the child.

    Raises:
        EstimationError: E001, design columns are missing.
    """
    if lacking := set(DESIGN_COLUMNS) - tables.child:
        raise EstimationError("E001", columns=", ".join(sorted(lacking)))
    if kind == "child" or tables.parent is None:
        return "SELECT * FROM child"
    lacking = {"stratum", "psu"} - tables.parent if kind == "parent" else {"child_id"} - tables.parent
    weighted = "weight_parent" in tables.parent
    if kind == "parent" and not weighted:
        lacking |= {"weight"} - tables.parent
    if lacking:
        raise EstimationError("E001", columns=", ".join(sorted(lacking)))
    if kind == "parent":
        columns = sorted(tables.parent - {"weight"})
        weight = "weight_parent" if weighted else "weight"
        return f"SELECT {', '.join(columns)}, {weight} AS weight FROM parent"  # noqa: S608
    child = [f"child.{name}" for name in sorted(tables.child - {"weight"})]
    parent = [f"parent.{name}" for name in sorted(tables.parent - tables.child)]
    weight = "parent.weight_parent" if weighted else "child.weight"
    return (
        f"SELECT {', '.join([*child, *parent])}, {weight} AS weight\n"  # noqa: S608
        "  FROM child JOIN parent USING (child_id)\n"
        "  ORDER BY child.rowid, parent.rowid"
    )


def _design(kind: str, tables: Tables, manifest: SurveyManifest) -> str:
    """All PSUs of the wave, in whichever file they are.

    Where children were drawn without clusters, a PSU is a record of one file and means nothing in the other.
    """
    sources = ["parent"] if kind == "parent" else ["child"]
    both = tables.parent is not None and {"stratum", "psu"} <= tables.parent
    if manifest.design.psu is not None and both:
        sources = ["child", "parent"]
    with_fpc = all("fpc_psu" in (tables.of(source) or ()) for source in sources)
    return design_sql(sources, with_fpc=with_fpc)


def explain_sql(
    indicator: str,
    manifest: SurveyManifest,
    framework: Framework,
    child_columns: Iterable[str],
    parent_columns: Iterable[str] | None = None,
    *,
    single_psu: SinglePsu = "adjust",
) -> str:
    """Return SQL that makes an indicator's estimates of a wave.

    What is read from the records, answers and levels, is what `copstats.analyse.wave.estimate_wave` reads,
    reduced to one indicator. The sums by PSU and the variance say in SQL what it computes from there; the
    numbers agree but for the last digits, as sums are taken in another order. Confidence limits, reliability
    and comparability are computed from its rows.

    Args:
        indicator: code, for example ``RCD4``.
        manifest: of the wave.
        framework: of the wave.
        child_columns: columns of the table ``child``.
        parent_columns: columns of the table ``parent``, if there is one.
        single_psu: what a stratum with one PSU contributes.

    Raises:
        UsageError: E007, unknown indicator; E008, the indicator is absent from this wave.
        EstimationError: E001, the table lacks design columns.
    """
    if indicator not in framework.indicators:
        raise UsageError("E007", indicator=indicator)
    tables = Tables(frozenset(child_columns), None if parent_columns is None else frozenset(parent_columns))
    kind = framework.indicators[indicator].definition.record
    steps = plan(kind, tables, manifest, framework, only=indicator)
    for why in steps.absent.values():
        raise UsageError("E008", indicator=indicator, reason=why.reason)
    texts = text_dimensions(framework, kind, steps.present)
    domains = steps.disaggregations(framework, {name: () for name in texts})
    parts = [steps.design, *(levels_sql(name, source_of(kind)) for name in texts)]
    for median in steps.medians:
        parts += explained(steps.wave, median, domains, skips=steps.skips, single_psu=single_psu)
    if steps.measures:
        parts.append(cells_sql(steps.wave, steps.measures, domains, skips=steps.skips))
        parts.append(variance_sql(steps.measures, single_psu))
    return ";\n\n".join(parts) + ";\n"


def source_of(kind: str) -> str:
    """Return the table in which the dimensions of a record kind stand."""
    return "parent" if kind == "parent" else "child"
