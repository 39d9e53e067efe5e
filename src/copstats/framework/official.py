"""Manifests of submissions that hold no survey: administrative counts and the policy questionnaire.

The JSON Schemas in ``schemas/json`` are generated from these classes (``make schemas``).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from copstats.framework.definitions import Definition, VariableName
from copstats.framework.manifest import Column, Contact, DataFile, Dissemination, Language

Acronym = Annotated[str, Meta(pattern=r"^[A-Z0-9]{2,12}$", description="acronym of the collection")]
AreaCode = Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 3166-1 alpha-3")]
Year = Annotated[str, Meta(pattern=r"^[0-9]{4}$", description="column named by its year")]


class Wide(Definition, frozen=True, kw_only=True):
    """A file that has one row an area and one column a year."""

    variable: VariableName
    area: Column
    years: Annotated[list[Year], Meta(min_length=1)]
    """Columns with the counts, each named by its year; an empty cell is no count."""
    repeated: Literal["refuse", "add"] = "refuse"
    """``add``: an area that has several rows (two spellings, say) is their sum."""


class CountsFile(DataFile, frozen=True, kw_only=True):
    """A file of counts: one row a count, or ``wide``."""

    wide: Wide | None = None


class CountsFiles(Definition, frozen=True, kw_only=True):
    """Data files of administrative counts."""

    counts: CountsFile


class AnswersFiles(Definition, frozen=True, kw_only=True):
    """Data files of the policy questionnaire."""

    answers: DataFile


class _Official(Definition, frozen=True, kw_only=True):
    framework: str
    ref_area: AreaCode
    collection: Acronym
    reference_year: Annotated[int, Meta(ge=1990, le=2100)]
    version: Annotated[int, Meta(ge=1, le=99)]
    title: dict[Language, str]
    dissemination: Dissemination
    contact: Contact

    @property
    def submission_id(self) -> str:
        """Identifier in the form of those of surveys, for example ``KEN_2026_HELPLINE_v01_M``."""
        return f"{self.wave}_v{self.version:02d}_M"

    @property
    def wave(self) -> str:
        """What all versions have in common, for example ``KEN_2026_HELPLINE``."""
        return f"{self.ref_area}_{self.reference_year}_{self.collection}"


class AdministrativeManifest(_Official, frozen=True, kw_only=True):
    """``manifest.yaml`` of administrative counts."""

    kind: Literal["administrative"]
    files: CountsFiles
    services_agree: bool = False
    """Every service that could be recognised in a total agreed to its publication (rule R15)."""
    already_public: Annotated[str, Meta(min_length=1)] | None = None
    """Where the producer has published these very counts. They are published as they are."""
    elsewhere: list[str] = field(default_factory=list)
    """Codes in the column of areas that stand for no country: counted in the world's total only."""


class PolicyManifest(_Official, frozen=True, kw_only=True):
    """``manifest.yaml`` of the answers to the policy questionnaire."""

    kind: Literal["policy"]
    files: AnswersFiles
    respondent_role: str
    """Function of whoever answered, for example "national focal point"; no name."""


OfficialManifest = AdministrativeManifest | PolicyManifest
