"""The code lists of the published values as data, in every language: one definition for all that use them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from copstats.errors import DefinitionError
from copstats.framework.aggregation import WORLD, load_aggregation
from copstats.framework.areas import Area, load_areas
from copstats.framework.export.markup import Names, names, phrases, wordings
from copstats.framework.located import Located
from copstats.framework.model import Framework, ParsedIndicator
from copstats.framework.structure import PublishedCodeList, Source, group_code, load_structure
from copstats.framework.typed import typed
from copstats.language import N_, Translations
from copstats.project import project_root

_NOT_MET = N_("{criterion}: the criterion is not fully met")
_UNKNOWN = N_("{criterion}: nothing is known")
_AGES = N_("Ages {minimum} to {maximum}")

T = TypeVar("T")
Code = tuple[str, Names]


@dataclass(frozen=True)
class CodeTable:
    """A code list of a published column.

    Attributes:
        id: identifier, for example ``CL_SEX``.
        names: language -> name of the list.
        codes: code -> language -> label, in order; English always.
        subset_of: code list of another agency whose codes these are.
        partial: whether codes of the framework are left out.
    """

    id: str
    names: Names
    codes: Mapping[str, Names]
    subset_of: str | None = None
    partial: bool = False


def code_tables(
    framework: Framework,
    *,
    areas: Mapping[str, Area] | None = None,
    indicators: Mapping[str, ParsedIndicator] | None = None,
    words: Sequence[Translations] | None = None,
) -> dict[str, CodeTable]:
    """Return the code lists of the published values by identifier.

    Args:
        framework: the framework version.
        areas: countries and areas; the project's own by default.
        indicators: those that the list of indicators holds; the framework's by default.
        words: languages of the names, English among them; all by default.

    Raises:
        DefinitionError: ``structure.yaml`` or a file that it draws on is missing or malformed.
    """
    known = words if words is not None else wordings(framework.id)
    shown = framework.indicators if indicators is None else indicators
    filler = _Filler(framework, load_areas() if areas is None else areas, shown, known)
    partial = shown.keys() != framework.indicators.keys()
    return {
        name: CodeTable(
            id=name,
            names=names(known, table.title),
            codes=dict(filler.codes(table)),
            subset_of=table.subset_of,
            partial=partial and table.filled_from == "indicators",
        )
        for name, table in load_structure(framework.id).codelists.items()
    }


class _Labelled(msgspec.Struct):
    """What is read of an entry of ``disclosure.yaml``; the gate reads and checks the rest."""

    label: str
    code: str = ""


class _Bands(msgspec.Struct):
    bands: list[_Labelled]


class _Profile(msgspec.Struct):
    units: dict[str, _Labelled]
    n_bands: _Bands
    nonresponse_bands: _Bands
    reasons: dict[str, _Labelled]


class _Criterion(msgspec.Struct):
    title: str


class _Filler:
    """Makes the codes of a list: those given with it, then those that are defined elsewhere."""

    def __init__(
        self,
        framework: Framework,
        areas: Mapping[str, Area],
        indicators: Mapping[str, ParsedIndicator],
        words: Sequence[Translations],
    ) -> None:
        self._framework = framework
        self._areas = areas
        self._words = words
        self._sources: dict[Source, Callable[[], Iterator[Code]]] = {
            "ages": self._ages,
            "areas": self._area_codes,
            "criteria": self._criteria,
            "groups": self._groups,
            "indicators": lambda: self._labelled((c, i.definition.title) for c, i in indicators.items()),
            "n_bands": lambda: self._labelled((b.code, b.label) for b in self._profile().n_bands.bands),
            "nonresponse_bands": lambda: self._labelled(
                (b.code, b.label) for b in self._profile().nonresponse_bands.bands
            ),
            "reasons": lambda: self._labelled((c, r.label) for c, r in self._profile().reasons.items()),
            "units": lambda: self._labelled((u.code, u.label) for u in self._profile().units.values()),
        }

    def codes(self, table: PublishedCodeList) -> Iterator[Code]:
        yield from self._labelled((code, entry.label) for code, entry in table.codes.items())
        if table.filled_from is not None:
            yield from self._sources[table.filled_from]()

    def _labelled(self, entries: Iterable[tuple[str, str]]) -> Iterator[Code]:
        for code, label in entries:
            yield code, names(self._words, label)

    def _area_codes(self) -> Iterator[Code]:
        for code in sorted(self._areas):
            area = self._areas[code]
            yield code, {w.language: w.area(area.code, area.name) for w in self._words}

    def _groups(self) -> Iterator[Code]:
        """The groups that the areas belong to, by classification; all areas are the world."""
        rules = load_aggregation(self._framework.id)
        used = {group for area in self._areas.values() for group in area.groups.items()}
        for scheme, group in sorted({(WORLD, rules.world), *used}):
            yield group_code(scheme, group), names(self._words, rules.label(scheme, group))

    def _ages(self) -> Iterator[Code]:
        """The bands of the framework, then every other band: a survey's common ages may be any of them."""
        ages = self._framework.head.ages
        every = range(ages.minimum, ages.maximum + 1)
        own = [(band.minimum, band.maximum) for band in ages.bands]
        other = [(low, high) for low in every for high in every if low <= high and (low, high) not in own]
        for low, high in (*own, *other):
            yield f"Y{low}T{high}", phrases(self._words, _of_ages(low, high), _AGES)

    def _criteria(self) -> Iterator[Code]:
        for code, criterion in self._read("comparability.yaml", dict[str, _Criterion]).items():
            for suffix, text in (("", _NOT_MET), ("_unknown", _UNKNOWN)):
                say = _of_criterion(text, criterion.title)
                yield code + suffix, phrases(self._words, say, text, criterion.title)

    def _profile(self) -> _Profile:
        return self._read("disclosure.yaml", _Profile)

    def _read(self, file: str, kind: type[T]) -> T:
        path = project_root() / "schemas" / self._framework.id / file
        if not path.is_file():
            raise DefinitionError("D016", where=f"{self._framework.id}/{file}")
        return typed(Located(path), kind)


def _of_criterion(text: str, title: str) -> Callable[[Translations], str]:
    return lambda words: words.text(text, criterion=words.text(title))


def _of_ages(low: int, high: int) -> Callable[[Translations], str]:
    return lambda words: words.ages(low, high)
