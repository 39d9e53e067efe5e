"""COLLECT and PROCESS at the receiving side: a submission becomes a sealed wave, or is rejected."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from copstats import checking, official
from copstats.checking import AtHand, Checked, summaries_at
from copstats.framework import Area, load_framework
from copstats.steps.common import PROGRESS, area_table
from copstats.steps.receiving import receive
from copstats.steps.registration import (
    Ingested,
    at_hand,
    decided_by_settings,
    refuse_other_pseudonyms,
    register,
    take_decision,
)
from copstats.steps.uploads import destroy_uploads, expire_uploads, keep_upload
from copstats.store.home import Home
from copstats.store.parcel import SUFFIX
from copstats.store.rows import Provenance, State, Submission

if TYPE_CHECKING:
    import duckdb

    from copstats.collect.harmonise import Harmonised
    from copstats.collect.official import OfficialSubmission
    from copstats.collect.package import Package
    from copstats.process.check import CheckResult
    from copstats.process.sealing import Prepared


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


def is_official(path: Path | Package) -> bool:
    """Say whether a submission holds administrative counts or policy answers instead of a survey."""
    from copstats.collect import official as collected

    return collected.is_official(path)


def check_official(path: Path, *, areas: Mapping[str, Area]) -> OfficialSubmission:
    """Check administrative counts or policy answers without storing anything.

    Raises:
        SubmissionErrors: all that is wrong, each with file and line, or column and row.
    """
    from copstats.collect import official as collected

    return collected.open_official(path, areas=areas)


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
    home = Home.open(home_path)
    with home.lock(wait=60):
        expire_uploads(home)
        if path.suffix == SUFFIX:
            return receive(home, path)
        if is_official(path):
            taken = official.take_in(home, path)
            return Ingested(taken.submission, taken.changed, checked=None)
        return take_in(home, path, data)


def take_in(home: Home, path: Path | Package, data: Path | None = None) -> Ingested:
    """Take in a raw submission: the receiving side makes the pseudonyms alone (single custody).

    It is encrypted into the quarantine before its records are read, and from there they are read.

    Args:
        home: open and locked.
        path: folder or zip, or a package that is open already.
        data: folder of the data files, if elsewhere.

    Raises:
        SubmissionErrors: it cannot be read.
        UsageError: the id belongs to other content (U007).
    """
    from copstats.collect.package import Kept
    from copstats.collect.submission import open_submission

    arrived = open_submission(path, data=data, areas=home.areas)
    present = home.registry.known(arrived.id, arrived.content_hash)
    if present is not None and not _judged_by_other_rules(present):
        settled = decided_by_settings(home, present)
        PROGRESS.info("%s: unchanged (%s)", settled.id, settled.state)
        return Ingested(settled, changed=settled != present, checked=None)
    upload = keep_upload(home, arrived)
    delivery = open_submission(Kept(upload), areas=home.areas)
    refuse_other_pseudonyms(home, delivery.wave, "single", home.keys.root_id(delivery.manifest.ref_area))
    framework = load_framework(delivery.manifest.framework)

    def prepared(
        connection: duckdb.DuckDBPyConnection, harmonised: Harmonised, result: CheckResult
    ) -> Prepared | None:
        from copstats.process.sealing import prepare

        if not result.accepted:
            return None
        return prepare(connection, harmonised, framework, delivery.manifest, home.keys)

    checked, leaving = checking.check(delivery, at_hand(home, delivery.manifest), then=prepared)
    tables = {} if leaving is None else {str(kind): table for kind, table in leaving.tables.items()}
    registered = register(home, checked, tables, _single_custody(leaving))
    if registered.state == State.REJECTED:
        destroy_uploads(home, registered.id, "rejected")
    return Ingested(registered, changed=True, checked=checked)


def _single_custody(leaving: Prepared | None) -> Provenance:
    if leaving is None:
        return Provenance(custody="single", linkage="wave", key_id="")
    return Provenance(
        custody="single",
        linkage="panel" if leaving.linkage == "panel" else "wave",
        key_id=leaving.key_id,
        risk={"all": leaving.risk.coarse(), "known": leaving.gate.coarse()},
    )


def _judged_by_other_rules(present: Submission) -> bool:
    """Say whether a rejection rests on definitions that have changed since; then it is checked again."""
    changed = present.framework_fingerprint != load_framework(present.framework).fingerprint
    return present.state == State.REJECTED and changed


def decide(home_path: Path, submission_id: str, *, accept: bool, who: str, reason: str = "") -> Submission:
    """Accept or decline a submission that waits.

    Raises:
        UsageError: there is none of this id, or it does not wait.
    """
    home = Home.open(home_path)
    with home.lock(wait=60):
        expire_uploads(home)
        return take_decision(
            home, submission_id, State.ACCEPTED if accept else State.DECLINED, who=who, reason=reason
        )
