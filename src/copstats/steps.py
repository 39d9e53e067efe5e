"""The steps of the main job, each a function of ids and paths: what commands and flows call.

collect -> process -> (seal) -> analyse -> (disclosure gate) -> disseminate. Every step may be repeated: what
is done already is recognised by its content and left as it is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from copstats import __version__, checking
from copstats.checking import AtHand, Checked, summaries_at
from copstats.errors import UsageError
from copstats.framework import Area, Framework, load_areas, load_framework
from copstats.project import project_root, source_fingerprint
from copstats.store.home import Home
from copstats.store.rows import FindingCount, NewSubmission, State, Submission

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from copstats.collect.harmonise import Harmonised
    from copstats.collect.submission import Submission as Delivery
    from copstats.process.check import CheckResult

PROGRESS = logging.getLogger("copstats.progress")

_QUARTER = re.compile(r"(\d{4})-Q([1-4])(-[a-z0-9]+)?")
_MONTHS_IN_QUARTER = 3


@dataclass(frozen=True)
class Ingested:
    """Outcome of taking in a submission.

    Attributes:
        submission: the registered submission.
        changed: False if exactly this content was registered before.
        checked: the check; None if nothing was changed.
    """

    submission: Submission
    changed: bool
    checked: Checked | None

    @property
    def state(self) -> str:
        """The submission's state, with ``, unchanged`` behind it if nothing was done."""
        state = str(self.submission.state)
        return state if self.changed else f"{state}, unchanged"


@dataclass(frozen=True)
class Published:
    """Outcome of a publication.

    Attributes:
        label: of the release.
        folder: where it stands.
        changed: False if this release with the same inputs was there before.
    """

    label: str
    folder: Path
    changed: bool

    @property
    def state(self) -> str:
        """``published`` or ``unchanged``."""
        return "published" if self.changed else "unchanged"


def submissions_in(folder: Path) -> list[Path]:
    """Return the submissions in a folder by name, or the folder itself if it is one.

    Raises:
        UsageError: there is none (U104).
    """
    if folder.suffix == ".zip" or (folder / "manifest.yaml").is_file():
        return [folder]
    if folder.is_dir():
        found = sorted(p for p in folder.iterdir() if p.suffix == ".zip" or (p / "manifest.yaml").is_file())
        if found:
            return found
    raise UsageError("U104", folder=str(folder))


def area_table(further: Path | None = None) -> dict[str, Area]:
    """Return the areas of the framework, and those of a further table."""
    own = project_root() / "schemas" / "areas.csv"
    return load_areas(own, further) if further else load_areas(own)


def check(
    path: Path,
    *,
    manifest: Path | None = None,
    data: Path | None = None,
    areas: Mapping[str, Area] | None = None,
    previous: Iterable[Path] = (),
    population: Path | None = None,
    release: Path | None = None,
    external: Path | None = None,
    pictures: bool = False,
    at_most: int | None = None,
) -> Checked:
    """Check a submission without storing anything.

    Args:
        path: folder, zip, or a bare data file.
        manifest: the manifest, if it lies elsewhere.
        data: folder of the data files, if elsewhere.
        areas: the area table; the framework's own by default.
        previous: earlier rounds or versions, see `copstats.checking.summaries_at`.
        population: reference population, see `copstats.process.population.read_population`.
        release: folder of a release, or its database.
        external: values of other organisations, see `copstats.process.external.read_external`.
        pictures: whether figures for a report are wanted.
        at_most: so many findings of each rule are kept; None keeps all.

    Raises:
        SubmissionErrors: it cannot be read.
        UsageError: what it is to be held against cannot be used.
    """
    from copstats.collect.submission import open_submission

    known = areas or area_table()
    delivery = open_submission(path, manifest=manifest, data=data, areas=known)
    at_hand = AtHand(summaries_at(previous, areas=known), population, release, external)
    checked, _ = checking.check(delivery, at_hand, pictures=pictures, at_most=at_most)
    return checked


def prepare_gate() -> None:
    """Import the acceptance suite's engine in the background: it takes seconds that others can use."""
    from copstats.process.gate import prepare

    threading.Thread(target=prepare, daemon=True).start()


def ingest(home_path: Path, path: Path, *, data: Path | None = None) -> Ingested:
    """Check a submission, pseudonymise it, seal it as a wave and register it.

    A submission with error findings is registered as rejected, with the counts of its findings; nothing else
    of it is kept. The same content again changes nothing.

    Args:
        home_path: the home folder.
        path: folder or zip.
        data: folder of the data files, if elsewhere.

    Raises:
        SubmissionErrors: it cannot be read.
        UsageError: the id belongs to other content (U007).
        Retriable: another process works on the home (T001).
    """
    from copstats.collect.submission import open_submission

    home = Home.open(home_path)
    delivery = open_submission(path, data=data, areas=home.areas)
    with home.lock(wait=60):
        present = home.registry.known(delivery.id, delivery.content_hash)
        if present is not None and not _judged_by_other_rules(present):
            PROGRESS.info("%s: unchanged (%s)", present.id, present.state)
            return Ingested(present, changed=False, checked=None)
        framework, keys = load_framework(delivery.manifest.framework), _pseudonym_keys(home, delivery)

        def pseudonymised(
            connection: duckdb.DuckDBPyConnection, harmonised: Harmonised, result: CheckResult
        ) -> Mapping[str, pa.Table]:
            from copstats.process.pseudonymise import pseudonymise

            tables = pseudonymise(connection, harmonised, framework, keys) if result.accepted else {}
            return {str(record): table for record, table in tables.items()}

        checked, tables = checking.check(delivery, _at_hand(home, delivery), then=pseudonymised)
        return Ingested(_register(home, checked, tables or {}), changed=True, checked=checked)


def _at_hand(home: Home, delivery: Delivery) -> AtHand:
    """Return what the home holds to compare a submission with."""
    from copstats.process.summary import read_summary

    manifest = delivery.manifest
    same_survey = [
        submission.id
        for submission in home.registry.submissions()
        if (submission.ref_area, submission.survey) == (manifest.ref_area, manifest.survey)
        and submission.state in (State.ACCEPTED, State.SUPERSEDED)
    ]
    kept = ((id_, home.registry.check_summary(id_)) for id_ in same_survey)
    labels = home.releases.labels()
    return AtHand(
        summaries=tuple(read_summary(content.encode(), id_) for id_, content in kept if content),
        population=home.population if home.population.is_file() else None,
        release=home.releases.folder(labels[-1]) if labels else None,
        external=home.external if home.external.is_file() else None,
    )


def _judged_by_other_rules(present: Submission) -> bool:
    """Say whether a rejection rests on definitions that have changed since; then it is checked again."""
    changed = present.framework_fingerprint != load_framework(present.framework).fingerprint
    return present.state == State.REJECTED and changed


def _pseudonym_keys(home: Home, delivery: Delivery) -> dict[str, bytes]:
    manifest = delivery.manifest
    framework = load_framework(manifest.framework)
    fields = {
        name
        for record in ("child", "parent")
        for name, variable in framework.variables(record).items()
        if variable.privacy == "pseudonymise" or name in ("stratum", "psu")
    }
    return {
        field: home.keys.pseudonym_key(manifest.ref_area, manifest.wave, field) for field in sorted(fields)
    }


def _register(home: Home, checked: Checked, tables: Mapping[str, pa.Table]) -> Submission:
    delivery, result = checked.delivery, checked.result
    new = NewSubmission.of_survey(
        delivery.manifest,
        delivery.crosswalk,
        framework_fingerprint=checked.framework.fingerprint,
        content_hash=delivery.content_hash,
        variables={record: table.column_names for record, table in tables.items()},
        records={record: rows for record, (_, rows) in result.files.items()},
    )
    summary = checked.summary.as_bytes().decode()
    counts = [
        FindingCount(outcome.rule.id, outcome.rule.severity, outcome.count)
        for outcome in result.outcomes
        if outcome.count
    ]
    if not result.accepted:
        home.audit.append("submission.rejected", new.id, errors=result.severities["error"])
        PROGRESS.info("%s: rejected, %s errors", new.id, f"{result.severities['error']:,}")
        return home.registry.register(new, State.REJECTED, counts, summary=summary)
    home.waves.write(new.id, new.ref_area, tables, replace=True)
    home.audit.append("submission.sealed", new.id, records=sum(new.records.values()))
    registered = home.registry.register(new, State.WAITING, counts, summary=summary)
    if home.config.accept == "without_errors":
        registered = _decide(home, new.id, State.ACCEPTED, who="copstats.toml", reason="no error findings")
    PROGRESS.info("%s: sealed, %s", new.id, registered.state)
    return registered


def decide(home_path: Path, submission_id: str, *, accept: bool, who: str, reason: str = "") -> Submission:
    """Accept or decline a submission that waits.

    Raises:
        UsageError: there is none of this id, or it does not wait.
    """
    home = Home.open(home_path)
    with home.lock(wait=60):
        return _decide(
            home, submission_id, State.ACCEPTED if accept else State.DECLINED, who=who, reason=reason
        )


def _decide(home: Home, submission_id: str, state: State, *, who: str, reason: str) -> Submission:
    if home.registry.get(submission_id).state == State.WAITING:
        home.audit.append(f"submission.{state}", submission_id)
    return home.registry.decide(submission_id, state, who=who, reason=reason)


def waves_to_estimate(home_path: Path) -> list[str]:
    """Return the ids of the accepted submissions, one a wave."""
    return [submission.id for submission in Home.open(home_path).registry.current_waves()]


def estimate(home_path: Path, submission_id: str, *, as_of_year: int) -> str:
    """Estimate all indicators of an accepted wave; keep the estimates and the sums by PSU, sealed.

    Args:
        home_path: the home folder.
        submission_id: of an accepted submission.
        as_of_year: year against which the age of the data is judged.

    Returns:
        ``estimated``, or ``unchanged`` if the same wave was estimated by the same framework and code.
    """
    home = Home.open(home_path)
    submission = home.registry.get(submission_id)
    if submission.state != State.ACCEPTED:
        raise UsageError("U105", submission=submission_id, state=str(submission.state), needed="accepted")
    framework = load_framework(submission.framework)
    fingerprint = _estimates_fingerprint(submission, as_of_year)
    if home.warehouse.has(submission_id, fingerprint):
        PROGRESS.info("%s: estimates unchanged", submission_id)
        return "unchanged"
    from copstats.analyse.wave import estimate_wave

    home.audit.append("wave.opened", submission_id, purpose="estimation")
    wave = home.waves.open(submission_id)
    table = estimate_wave(
        wave.read("child"),
        wave.read("parent") if "parent" in wave.records else None,
        submission.survey_manifest,
        submission.survey_crosswalk,
        framework,
        as_of_year=as_of_year,
        keep=partial(home.waves.write_cells, submission_id, fingerprint),
    )
    home.warehouse.write(submission_id, fingerprint, table)
    home.audit.append("wave.estimated", submission_id, rows=table.num_rows)
    home.registry.record_estimates(submission_id, fingerprint)
    PROGRESS.info("%s: %s estimates", submission_id, f"{table.num_rows:,}")
    return "estimated"


def publish(home_path: Path, label: str) -> Published:
    """Pass the estimates of all accepted waves through the disclosure gate and publish a release.

    Args:
        home_path: the home folder.
        label: names the quarter, for example ``2026-Q4``.

    Raises:
        UsageError: no wave is accepted (U107); the label names no quarter (U106); a wave has no estimates by
            the present framework and code (U018).
        ReleaseError: the label is taken by a release of other inputs (R090).
    """
    from copstats.disseminate.release import SourceRecord, build_release, read_manifest

    home = Home.open(home_path)
    year = year_of(label)
    with home.lock(wait=60):
        waves = home.registry.current_waves()
        if not waves:
            raise UsageError("U107")
        framework = load_framework(waves[-1].framework)
        inputs = (f"{w.id}={w.content_hash}={w.framework_fingerprint}" for w in waves)
        fingerprint = _fingerprint(framework.fingerprint, label, str(year), *inputs)
        if label in home.releases.labels():
            folder = home.releases.folder(label)
            if read_manifest(folder).fingerprint == fingerprint:
                home.registry.record_release(label, fingerprint, _sha256(folder / "MANIFEST.json"))
                PROGRESS.info("Release %s: unchanged", label)
                return Published(label, folder, changed=False)
        for wave in waves:
            if not home.warehouse.has(wave.id, _estimates_fingerprint(wave, year)):
                raise UsageError("U018", where=wave.id)
        PROGRESS.info("Disclosure gate over %d waves", len(waves))
        values = _gate(home, waves, framework)
        with home.releases.staging(label) as draft:
            PROGRESS.info("Writing release %s: %s cells", label, f"{values.num_rows:,}")
            build_release(
                draft.folder,
                label=label,
                values=values,
                framework=framework,
                areas=home.areas,
                sources=[SourceRecord.of(w.survey_manifest, w.content_hash, w.records) for w in waves],
                fingerprint=fingerprint,
                signing_key=home.keys.signing_key(),
            )
            manifest = _sha256(draft.folder / "MANIFEST.json")
            home.audit.append("release.signed", label, manifest=manifest, cells=values.num_rows)
            folder = draft.publish()
        home.registry.record_release(label, fingerprint, manifest)
    PROGRESS.info("Release %s: published", label)
    return Published(label, folder, changed=True)


def _gate(home: Home, waves: list[Submission], framework: Framework) -> pa.Table:
    from copstats.disclose import load_profile, protect

    consent = {}
    for wave in waves:
        dissemination = wave.survey_manifest.dissemination
        consent[wave.id] = dissemination.level if dissemination.consent else "none"
    estimates = home.warehouse.read(wave.id for wave in waves)
    return protect(estimates, load_profile(framework.id), consent_level=consent)


def current_quarter(home_path: Path) -> str:
    """Return the label of the current quarter in the home's time zone, for example ``2026-Q4``."""
    today = dt.datetime.now(Home.open(home_path).config.zone)
    return f"{today.year}-Q{(today.month - 1) // _MONTHS_IN_QUARTER + 1}"


def year_of(label: str) -> int:
    """Return the year that a release's label names.

    Raises:
        UsageError: it names no quarter (U106).
    """
    match = _QUARTER.fullmatch(label)
    if match is None:
        raise UsageError("U106", label=label)
    return int(match.group(1))


def _estimates_fingerprint(submission: Submission, as_of_year: int) -> str:
    """Return what estimates must have been made from to be those of this wave, framework, code and year."""
    framework = load_framework(submission.framework)
    return _fingerprint(framework.fingerprint, submission.content_hash, str(as_of_year))


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\n".join((__version__, source_fingerprint(), *parts)).encode()).hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
