"""What a survey says of itself: the manifest and the crosswalk of a submission, as types.

The JSON Schemas in ``schemas/json`` are generated from these classes (``make schemas``).
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, field

from copstats.framework.definitions import Definition, VariableName

Share = Annotated[float, Meta(ge=0, le=1)]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="BCP 47 tag")]
Column = Annotated[str, Meta(min_length=1, description="column name as it stands in the national file")]
Recode = Annotated[int, Meta(ge=-9, le=1000)]
Target = Recode | Annotated[str, Meta(min_length=1, max_length=64)]
RelativePath = Annotated[str, Meta(min_length=1, description="path inside the submission folder")]


class Fieldwork(Definition, frozen=True, kw_only=True):
    """Dates of data collection."""

    start: dt.date
    end: dt.date


class SurveyAges(Definition, frozen=True, kw_only=True):
    """Ages that the survey covered, as it coded them."""

    min: Annotated[int, Meta(ge=0, le=30)]
    max: Annotated[int, Meta(ge=0, le=30)]
    bottom_coded: bool = False
    """The lowest code also holds younger children ("12 or younger")."""
    top_coded: bool = False
    """The highest code also holds older persons ("18 or older")."""


class Population(Definition, frozen=True, kw_only=True):
    """The population that the wave speaks of."""

    ages: SurveyAges
    universe: Literal["internet_users", "all_children"]
    setting: Literal["household", "school"]
    coverage: Literal["national", "subnational"]
    excluded: str | None = None
    size: Annotated[int, Meta(ge=1)] | None = None
    """Persons of the population, from the frame. Needed where the weights do not add up to it."""
    age_floor: Annotated[int, Meta(ge=5, le=17)] | None = None
    """National age floor of sensitive items, where above the framework's."""


class ReplicateWeights(Definition, frozen=True, kw_only=True):
    """Replicate weights delivered with the file."""

    columns: list[Column]
    type: Literal["JK1", "JKn", "BRR", "Fay", "bootstrap", "SDR"]
    rho: Share | None = None
    scale: float | None = None
    rscales: list[float] | None = None
    mse: bool = True


class SurveyDesign(Definition, frozen=True, kw_only=True):
    """Design variables, named as the national columns stand before the crosswalk."""

    weight: Column
    stratum: Column | None
    """null: the sample was not stratified."""
    psu: Column | None
    """null: children were drawn without clusters."""
    fpc: Column | None = None
    """Number of PSUs of the stratum in the frame."""
    replicate_weights: ReplicateWeights | None = None
    overlap: Literal["none", "psus", "children"] = "none"
    """Units that an earlier round of the survey drew too, under the same national codes."""


class ResponseRate(Definition, frozen=True, kw_only=True):
    """Response by stage; ``overall`` is their product."""

    overall: Share
    psu: Share | None = None
    household: Share | None = None
    child: Share | None = None
    nonresponse_study: bool = False


class Ethics(Definition, frozen=True, kw_only=True):
    """Ethical clearance and consent."""

    review: str | None
    """Name of the body and reference of its decision."""
    consent: Literal["parent_and_child", "lawful_waiver", "child_only", "none"]
    panel_linkage: bool = False
    """The protocol's consent covers linking a child's answers between waves."""


class Dissemination(Definition, frozen=True, kw_only=True):
    """What the country agrees to have published."""

    consent: bool
    level: Literal["national", "disaggregated"] = "disaggregated"
    """``national``: totals only."""


class DataFile(Definition, frozen=True, kw_only=True):
    """A data file and how to read it."""

    path: RelativePath
    encoding: str | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'"] | None = None
    """Sign between groups of three digits; " " stands for spaces of every kind."""
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] | None = None
    sheet: str | None = None


class DataFiles(Definition, frozen=True, kw_only=True):
    """Data files by record kind."""

    child: DataFile
    parent: DataFile | None = None


class Translation(Definition, frozen=True, kw_only=True):
    """How the questionnaire was translated."""

    method: Literal["not_needed", "team_review", "back_translation", "unknown"]
    languages: list[Language] = field(default_factory=list)


class Contact(Definition, frozen=True, kw_only=True):
    """Whom to write to at the statistics office: a function, not a person."""

    organisation: str
    email: Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None


class SurveyManifest(Definition, frozen=True, kw_only=True):
    """``manifest.yaml`` of a survey."""

    kind: Literal["survey"]
    framework: str
    ref_area: Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 3166-1 alpha-3")]
    survey: Annotated[str, Meta(pattern=r"^[A-Z0-9]{2,12}$", description="acronym of the survey")]
    reference_year: Annotated[int, Meta(ge=1990, le=2100)]
    version: Annotated[int, Meta(ge=1, le=99)]
    title: dict[Language, str]
    fieldwork: Fieldwork
    population: Population
    design: SurveyDesign
    sampling: Literal["probability_documented", "probability_partly_documented", "non_probability"]
    mode: Literal["self_completed", "interviewer_private", "interviewer_others_present", "mixed", "unknown"]
    modules: list[VariableName]
    ethics: Ethics
    dissemination: Dissemination
    files: DataFiles
    contact: Contact
    coverage_share: Share | None = None
    """Share of the target population that the frame covers."""
    response_rate: ResponseRate | None = None
    weight_method: str | None = None
    translation: Translation | None = None
    ses_method: str | None = None
    not_asked: list[VariableName] = field(default_factory=list)

    @property
    def submission_id(self) -> str:
        """Identifier after IHSN, for example ``KEN_2026_COPS_v01_M``."""
        return f"{self.ref_area}_{self.reference_year}_{self.survey}_v{self.version:02d}_M"

    @property
    def wave(self) -> str:
        """Identifier of the survey round, common to all its versions, for example ``KEN_2026_COPS``."""
        return f"{self.ref_area}_{self.reference_year}_{self.survey}"

    @property
    def in_panel(self) -> bool:
        """Whether strata and PSUs have the same pseudonyms in other rounds that they overlap with."""
        return self.ethics.panel_linkage and self.design.overlap != "none"


class RangeRecode(Definition, frozen=True, kw_only=True, rename={"lower": "from", "upper": "to"}):
    """Values from ``from`` up to and including ``to`` become ``code``; an open end is left out."""

    code: Recode
    lower: float | None = None
    upper: float | None = None


class Wording(Definition, frozen=True, kw_only=True, rename={"kind": "class"}):
    """How the national question differs from the framework's."""

    kind: Literal["identical", "adapted", "different"]
    recall: str | None = None
    """Recall period of the national question; absent: the framework's."""
    scale: Literal["identical", "collapsible", "different"] = "identical"
    asked_of: Literal["universe", "everyone"] = "universe"
    """``everyone``: the filter of the framework was not applied."""
    text: str | None = None
    """The national wording, in the national language."""


class Mapping(Definition, frozen=True, kw_only=True):
    """Where a framework variable comes from; at most one of ``map``, ``range``, ``copy`` and ``sql``.

    With none of them the values are taken as they stand, which ``copy`` says in so many words.
    """

    source: Column | None = None
    """Absent: the column that bears the variable's own name."""
    map: dict[str | int | float, Target] | None = None
    """National value to framework value; a text is for text variables only (a region, a language)."""
    range: list[RangeRecode] | None = None
    copy: Literal[True] | None = None
    sql: str | None = None
    """One expression over the national columns; docs/submission.md lists what it may contain."""
    blank: Recode | None = None
    """Code of an empty cell; without it an empty cell is a finding."""
    wording: Wording | None = None


class Crosswalk(Definition, frozen=True, kw_only=True):
    """``crosswalk.yaml``: national columns and codes to those of the framework, by record kind."""

    framework: str
    child: dict[VariableName, Mapping] = field(default_factory=dict)
    parent: dict[VariableName, Mapping] = field(default_factory=dict)
