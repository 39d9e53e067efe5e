"""What a national survey could feed: modules, indicators and their class of comparability, before any check.

It stands above the zones and brings together what `copstats.collect` finds in documents and columns and what
`copstats.analyse` makes of it. Nothing is stored, and no proposal is applied.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from copstats.framework import DEFAULT_FRAMEWORK, Area, Framework, load_areas, load_framework
from copstats.framework.definitions import RecordKind
from copstats.framework.manifest import Crosswalk, DataFile, SurveyManifest
from copstats.framework.manifest import Mapping as Recoding

if TYPE_CHECKING:
    from copstats.analyse.assessment import Holdings, Outlook
    from copstats.collect.feeding import Feeding
    from copstats.collect.proposals import Proposal
    from copstats.collect.readers import SourceFile
    from copstats.collect.submission import Submission


@dataclass(frozen=True)
class ModuleCoverage:
    """How much of a module a survey has.

    Attributes:
        module: name.
        title: of the module.
        record: ``child`` or ``parent``.
        declared: the manifest says that it is covered (or it always is); None without a manifest.
        held: variables that something feeds.
        proposed: variables for which there is a likely column.
        missing: required and core variables without either.
        size: number of required and core variables.
    """

    module: str
    title: str
    record: str
    declared: bool | None
    held: tuple[str, ...]
    proposed: tuple[str, ...]
    missing: tuple[str, ...]
    size: int


@dataclass(frozen=True)
class Assessment:
    """What a submission, a plan of one, or a data file could feed.

    Attributes:
        name: of the folder or file.
        framework: that it is held against.
        manifest: None for a data file alone.
        read: record kind -> data file that was read for its columns and labels.
        feedings: what fills each variable; for a data file alone only what no file needs to hold.
        proposals: columns proposed for variables that nothing fills.
        outlooks: one for each indicator.
        as_of_year: year against which the age of the data is judged.
    """

    name: str
    framework: Framework
    manifest: SurveyManifest | None
    read: Mapping[RecordKind, str]
    feedings: tuple[Feeding, ...]
    proposals: tuple[Proposal, ...]
    outlooks: tuple[Outlook, ...]
    as_of_year: int

    @cached_property
    def modules(self) -> tuple[ModuleCoverage, ...]:
        """Coverage of the modules of the record kinds that the survey has."""
        held = {(f.record, f.variable) for f in self.feedings if f.certain}
        likely = {(p.record, p.variable) for p in self.proposals if p.likely}
        kinds = {f.record for f in self.feedings} | self.read.keys()
        out = []
        for module in self.framework.modules.values():
            if module.record not in kinds:
                continue
            needed = [name for name, variable in module.variables.items() if variable.status != "optional"]
            keys = {name: (module.record, name) for name in module.variables}
            covered = module.always or (self.manifest is not None and module.module in self.manifest.modules)
            out.append(
                ModuleCoverage(
                    module=module.module,
                    title=module.title,
                    record=module.record,
                    declared=None if self.manifest is None else covered,
                    held=tuple(name for name, key in keys.items() if key in held),
                    proposed=tuple(name for name, key in keys.items() if key in likely),
                    missing=tuple(name for name in needed if keys[name] not in held | likely),
                    size=len(needed),
                )
            )
        return tuple(out)


def assess(
    path: Path,
    *,
    data: Path | None = None,
    framework_version: str = DEFAULT_FRAMEWORK,
    areas: Mapping[str, Area] | None = None,
    as_of_year: int | None = None,
) -> Assessment:
    """Tell what a submission, or a data file alone, could feed.

    Args:
        path: folder or zip with ``manifest.yaml``, perhaps ``crosswalk.yaml``, perhaps data; or a data file,
            which is taken as the file of the children.
        data: folder of the data files, if elsewhere.
        framework_version: for a data file alone; a manifest names its own.
        areas: the area table; the framework's own by default.
        as_of_year: year against which the age of the data is judged; the current one by default.

    Raises:
        SubmissionError: the documents or the file cannot be read (SubmissionErrors: several reasons).
        DefinitionError: no such framework version (D011).
    """
    from copstats.collect.formats import named_format

    year = as_of_year or dt.datetime.now(dt.UTC).year
    if not path.is_dir() and named_format(path.name) is not None:
        return _assess_file(path, load_framework(framework_version), year)
    return _assess_submission(path, data, areas or load_areas(), year)


def proposed_crosswalk(assessment: Assessment) -> str:
    """Return a ``crosswalk.yaml`` with the proposals commented out, for a person to uncomment."""
    from copstats.collect.proposed_crosswalk import proposed_crosswalk as written

    return written(assessment.proposals, assessment.framework)


def _assess_file(path: Path, framework: Framework, year: int) -> Assessment:
    from copstats.analyse.assessment import outlooks
    from copstats.collect.feeding import filled_in_anyway
    from copstats.collect.package import Folder
    from copstats.collect.proposals import propose
    from copstats.collect.readers import read_file

    source = Folder(path.parent).data_file(path.name, path.name)
    proposals = propose(read_file(source, DataFile(path=path.name)), framework, "child")
    fed = filled_in_anyway("child")
    holdings = _holdings(["child"], fed, proposals)
    return Assessment(
        name=path.name,
        framework=framework,
        manifest=None,
        read={"child": path.name},
        feedings=tuple(fed),
        proposals=tuple(proposals),
        outlooks=tuple(outlooks(framework, holdings, None, None, as_of_year=year)),
        as_of_year=year,
    )


def _assess_submission(path: Path, data: Path | None, areas: Mapping[str, Area], year: int) -> Assessment:
    from copstats.analyse.assessment import outlooks
    from copstats.collect.feeding import feedings
    from copstats.collect.proposals import propose
    from copstats.collect.submission import open_submission, read_source

    submission = open_submission(path, data=data, areas=areas, planned=True)
    framework = load_framework(submission.manifest.framework)
    files: dict[RecordKind, SourceFile] = {r: read_source(submission, r) for r in submission.data_files}
    fed = feedings(submission, framework, files)
    proposals = [
        proposal
        for record, file in files.items()
        for proposal in propose(
            file,
            framework,
            record,
            known={f.variable for f in fed if f.record == record and (f.certain or f.source == "not_asked")},
            taken={column for f in fed if f.record == record and f.certain for column in f.columns},
        )
    ]
    holdings = _holdings({f.record for f in fed}, fed, proposals)
    crosswalk = _with_proposals(submission, proposals)
    return Assessment(
        name=path.name,
        framework=framework,
        manifest=submission.manifest,
        read={record: file.name for record, file in files.items()},
        feedings=tuple(fed),
        proposals=tuple(proposals),
        outlooks=tuple(outlooks(framework, holdings, submission.manifest, crosswalk, as_of_year=year)),
        as_of_year=year,
    )


def _holdings(
    kinds: Collection[RecordKind], fed: Collection[Feeding], proposals: Iterable[Proposal]
) -> Holdings:
    from copstats.analyse.assessment import Holdings

    likely = {(p.record, p.variable) for p in proposals if p.likely}
    possible = likely | {(f.record, f.variable) for f in fed if f.source == "undeclared"}
    return Holdings(
        certain={k: frozenset(f.variable for f in fed if f.record == k and f.certain) for k in kinds},
        possible={k: frozenset(name for record, name in possible if record == k) for k in kinds},
    )


def _with_proposals(submission: Submission, proposals: Iterable[Proposal]) -> Crosswalk:
    """Return the crosswalk as it would be with the likely proposals: their wording is not known."""
    crosswalk = submission.crosswalk or Crosswalk(framework=submission.manifest.framework)
    added: dict[str, dict[str, Recoding]] = {"child": {}, "parent": {}}
    for proposal in proposals:
        if proposal.likely:
            added[proposal.record][proposal.variable] = Recoding(source=proposal.best.column)
    return Crosswalk(
        framework=crosswalk.framework,
        child={**added["child"], **crosswalk.child},
        parent={**added["parent"], **crosswalk.parent},
    )
