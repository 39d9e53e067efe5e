"""The typed definitions of a framework: what ``schemas/`` and ``indicators/`` may say.

The JSON Schemas in ``schemas/json`` are generated from these classes (``make schemas``).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Severity = Literal["error", "warning", "information"]
RecordKind = Literal["child", "parent"]
MissingTreatment = Literal["drop", "zero", "keep"]
Privacy = Literal["drop", "pseudonymise", "coarsen", "keep"]

VariableName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=32)]
IndicatorCode = Annotated[str, Meta(pattern=r"^[A-Z]{3}[0-9]{1,2}$")]
Predicate = Annotated[str, Meta(description="SQL predicate over framework variables of the same record")]


class Definition(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all definitions: immutable, unknown keys refused."""


class Code(Definition, frozen=True, kw_only=True):
    """One code of a code list."""

    label: str
    sdmx: str | None = None
    """Identifier in the published code list, where the category is a published dimension."""


class CodeList(Definition, frozen=True, kw_only=True):
    """Answer categories of a coded variable, without the missing codes."""

    title: str
    codes: dict[int, Code]


class Merging(Definition, frozen=True, kw_only=True):
    """When a category is too rare to leave the country under its own name; any one limit is enough."""

    into: int | str
    """The category that takes it: a code of the code list, or a text that its pattern permits."""
    records: Annotated[int, Meta(ge=2)] | None = None
    """Fewer records of the file. What is merged must reach it too: the next category joins until it does."""
    share: Annotated[float, Meta(gt=0, lt=1)] | None = None
    """A smaller share of the records with an answer."""
    population: Annotated[float, Meta(gt=0)] | None = None
    """A smaller sum of the weights, where the weights add up to a population."""


class Coarsening(Definition, frozen=True, kw_only=True):
    """How sealing makes a variable coarser: exactly one way."""

    to: Literal["quarter"] | None = None
    """A month becomes the first one of its quarter."""
    top_code: int | None = None
    """A larger number becomes this one."""
    merge_below: Merging | None = None
    """Rare categories are merged into one."""

    def __post_init__(self) -> None:
        """Refuse an entry with no way, or with several."""
        if [self.to, self.top_code, self.merge_below].count(None) != len(self.__struct_fields__) - 1:
            raise ValueError("exactly one of `to`, `top_code` and `merge_below` is needed")


class Variable(Definition, frozen=True, kw_only=True):
    """A represented variable (GSIM) of a record kind."""

    label: str
    type: Literal["code", "integer", "number", "string", "month"]
    role: Literal["identifier", "design", "dimension", "measure", "paradata"] = "measure"
    status: Literal["required", "core", "optional"]
    """``required``: no wave without it. ``core``: missing only if the manifest says not asked."""
    privacy: Privacy
    """What sealing does with the column."""
    coarsen: Coarsening | None = None
    """How, where sealing makes the column coarser."""
    sensitivity: Literal["none", "quasi_identifier", "sensitive", "highly_sensitive", "design"] = "none"
    tier: Literal["A", "B"] = "A"
    """Tier of the disclosure profile."""
    definition: str | None = None
    codelist: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    universe: Predicate | None = None
    """Who is asked; absent means everyone."""
    skipped_elsewhere: bool = False
    """The filter question is in another file: -7 is a valid answer although no universe says so."""
    recall: str | None = None
    minimum_age: int | None = None
    """Age floor of a sensitive item, as its universe says; a national floor above it takes its place."""
    series: bool = False
    """A numbered series of columns: NAME_001, NAME_002, ..."""
    source: list[str] = field(default_factory=list)
    """Comparable sources; none of their wording is used."""

    def __post_init__(self) -> None:
        """Refuse ``privacy: coarsen`` that does not say how, and a way that is not taken."""
        if (self.privacy == "coarsen") != (self.coarsen is not None):
            raise ValueError("`coarsen` is needed with `privacy: coarsen`, and with nothing else")


class Module(Definition, frozen=True, kw_only=True):
    """A group of variables that a submission covers as a whole."""

    module: VariableName
    title: str
    record: RecordKind
    always: bool = False
    """Covered by every submission that delivers this kind of record."""
    variables: dict[VariableName, Variable]


class Message(Definition, frozen=True, kw_only=True):
    """What is wrong, why it matters and how to put it right; ``{variable}`` and ``{count}`` are filled in."""

    what: str
    why: str
    fix: str


class Rule(Definition, frozen=True, kw_only=True):
    """An edit rule that is written by hand (the others follow from variables, code lists and universes)."""

    record: RecordKind
    level: Annotated[int, Meta(ge=0, le=5, description="ESS validation level")]
    severity: Severity
    variable: VariableName
    """The variable at which the finding is shown."""
    violation: Predicate
    """True where a record breaks the rule; a missing code makes a comparison unknown."""
    message: Message


class RuleClass(Definition, frozen=True, kw_only=True):
    """A class of rules that is generated for every variable that it fits."""

    level: Annotated[int, Meta(ge=0, le=5, description="ESS validation level")]
    severity: Severity
    message: Message
    minimum: int | None = None
    """Number of answers from which on the rule applies, where it needs one."""
    share: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Share on which the rule turns, where it needs one."""
    of_source: bool = False
    """It looks at names, labels and keys of the office's own file, of which sealing leaves nothing."""


class RuleBook(Definition, frozen=True, kw_only=True):
    """``rules.yaml``: the generated classes and the rules written by hand."""

    classes: dict[str, RuleClass]
    rules: dict[str, Rule]


class MissingCode(Definition, frozen=True, kw_only=True):
    """A missing code, common to all variables."""

    label: str
    definition: str


class AgeBand(Definition, frozen=True, kw_only=True):
    """A published age group; both ends included."""

    code: Annotated[str, Meta(pattern=r"^Y[0-9]{1,2}T[0-9]{1,2}$")]
    minimum: int
    maximum: int
    standard_weight: float
    """Share of the standard population used for direct standardisation."""


class Ages(Definition, frozen=True, kw_only=True):
    """Reference ages of the framework, and the ages that a file may hold at all."""

    minimum: int
    maximum: int
    accepted_minimum: int
    accepted_maximum: int
    bands: list[AgeBand]


class Dimension(Definition, frozen=True, kw_only=True):
    """A published dimension and the variable behind it."""

    title: str
    variable: VariableName | None = None
    by_band: bool = False


class FrameworkHead(Definition, frozen=True, kw_only=True):
    """``framework.yaml``."""

    id: Annotated[str, Meta(pattern=r"^[a-z]+-[0-9]{4}(\.[0-9]+)?$")]
    version: Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    title: str
    notice: str
    missing: dict[int, MissingCode]
    ages: Ages
    dimensions: dict[str, Dimension]
    disaggregations: dict[str, list[str]]
    """Name -> dimensions that are crossed; ``total`` crosses none."""
    standard_disaggregations: list[str]


class AgeRange(Definition, frozen=True, kw_only=True):
    """Ages that an indicator speaks of; both ends included."""

    minimum: int
    maximum: int


class Deprecation(Definition, frozen=True, kw_only=True):
    """An indicator that is published on for a while, but should no longer be used."""

    since: Annotated[str, Meta(pattern=r"^[0-9]{4}-Q[1-4]$", description="first release that says so")]
    replaced_by: IndicatorCode | None
    """The indicator to use instead; null if there is none."""
    note: str
    """Why, in a sentence."""


class Indicator(Definition, frozen=True, kw_only=True):
    """One indicator: one file, named by its code."""

    code: IndicatorCode
    title: str
    domain: str
    unit: Literal["PERCENT", "YEARS", "RATE_100_000", "SCORE", "NUMBER"]
    statistic: Literal["proportion", "mean", "median", "rate", "score"]
    record: Literal["child", "parent", "dyad"]
    universe: Predicate
    """The reference population; ``TRUE`` for all children (or parents)."""
    denominator: Predicate = "TRUE"
    """Who counts inside the universe."""
    numerator: Predicate | None = None
    """What is counted; for a mean, the variable. Absent where ``members`` are combined."""
    members: list[IndicatorCode] = field(default_factory=list)
    combine: Literal["any", "all"] | None = None
    missing: dict[int, MissingTreatment] = field(default_factory=dict)
    """Missing codes in the numerator that are not treated as the framework says (they drop out)."""
    recall: str
    ages: AgeRange
    tier: Literal["A", "B"] = "B"
    """Tier of the disclosure profile; A only where the file says so, and nothing that it is made of is B."""
    disaggregations: list[str] | None = None
    """Absent: the framework's standard disaggregations."""
    reference: list[str] = field(default_factory=list)
    note: str | None = None
    deprecated: Deprecation | None = None


class AdministrativeVariable(Definition, frozen=True, kw_only=True):
    """A count or fact that helplines, hotlines, police, schools or trainers report by period."""

    label: str
    source: Literal["helpline", "hotline", "law_enforcement", "education", "training", "population"]
    type: Literal["count", "multi", "bool"]
    breakdowns: list[str]


class PolicyItem(Definition, frozen=True, kw_only=True):
    """An item of the questionnaire on the national framework."""

    pillar: str
    item: str
    source: list[str] = field(default_factory=list)
