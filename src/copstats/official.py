"""Administrative and policy statistics on their way from a submission to a release."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from copstats.errors import SubmissionError
from copstats.framework.counts import FACTS, TOTAL, load_counts
from copstats.framework.denominators import Denominators
from copstats.framework.loader import Framework
from copstats.framework.official import AdministrativeManifest
from copstats.store.counts import COUNTS, POLICY_ANSWERS
from copstats.store.home import Home
from copstats.store.rows import NewSubmission, State, Submission

if TYPE_CHECKING:
    from copstats.collect.package import Package
    from copstats.disclose import DisclosureProfile
    from copstats.disseminate.official import OfficialTables


@dataclass(frozen=True)
class TakenIn:
    """Outcome of taking in administrative counts or policy answers.

    Attributes:
        submission: the registered submission.
        changed: False if exactly this content was registered before.
    """

    submission: Submission
    changed: bool


def take_in(home: Home, path: Path | Package) -> TakenIn:
    """Check administrative counts or policy answers, seal and register them; the same again changes nothing.

    Args:
        home: open and locked.
        path: folder, zip or open package, of which `copstats.collect.official.is_official` is true.

    Raises:
        SubmissionErrors: something is wrong; all of it is told, and nothing is kept.
        SubmissionError: S317, a newer version is kept.
        UsageError: U007, the id belongs to other content.
    """
    from copstats.collect.official import open_official

    arrived = open_official(path, areas=home.areas)
    present = home.registry.known(arrived.id, arrived.content_hash)
    if present is not None and present.state != State.REJECTED:
        return TakenIn(present, changed=False)
    new = NewSubmission.of_official(
        arrived.manifest,
        framework_fingerprint=arrived.framework.fingerprint,
        content_hash=arrived.content_hash,
        records=arrived.table.num_rows,
    )
    if newer := home.registry.newer_version(new.wave, new.version):
        raise SubmissionError("S317", where=new.id, newer=newer)
    kept = home.counts if new.kind == "administrative" else home.answers
    kept.write(new.id, new.content_hash, arrived.table)
    home.audit.append("submission.sealed", new.id, records=arrived.table.num_rows, kind=new.kind)
    registered = home.registry.register(new, State.WAITING)
    if home.config.accept == "without_errors":
        home.audit.append(f"submission.{State.ACCEPTED}", new.id)
        registered = home.registry.decide(
            new.id, State.ACCEPTED, who="copstats.toml", reason="no error findings"
        )
    return TakenIn(registered, changed=True)


def official_submissions(home: Home) -> list[Submission]:
    """Return the accepted submissions that hold no survey: what a release is made from besides waves."""
    return [one for kind in ("administrative", "policy") for one in home.registry.current_waves(kind)]


def publishable(
    home: Home,
    framework: Framework,
    profile: DisclosureProfile,
    denominators: Denominators,
    objected: Collection[str] = (),
) -> OfficialTables:
    """Return what a release shows of the accepted counts and answers, as far as their offices agreed.

    Args:
        home: open and locked.
        framework: of the release.
        profile: rules of disclosure.
        denominators: children by area, year, sex and age.
        objected: submissions that their country objects to.

    Raises:
        ConfidentialityError: C360, counts contradict each other; C001 to C005, a key or file was changed.
    """
    from copstats.disclose.counts import protect_counts
    from copstats.disseminate.official import earlier_counts, official_tables

    agreed = [one for one in official_submissions(home) if one.official_manifest.dissemination.consent]
    reported = [one for one in agreed if one.kind == "administrative"]
    home.audit.append("counts.opened", "all", submissions=len(reported), purpose="publication")
    counts = protect_counts(
        _counts(home, reported, framework),
        profile,
        whole_of=load_counts(framework.id).whole_of,
        earlier=earlier_counts(home.releases.folder(label) for label in home.releases.labels()),
    )
    answered = [one.id for one in agreed if one.kind == "policy"]
    answers = home.answers.read(answered) if answered else POLICY_ANSWERS.empty_table()
    return official_tables(
        counts,
        answers,
        [(one.official_manifest, one.content_hash) for one in agreed],
        framework=framework,
        profile=profile,
        denominators=denominators,
        objected=objected,
    )


def _counts(home: Home, submissions: Sequence[Submission], framework: Framework) -> pa.Table:
    tables = [COUNTS.empty_table()]
    for one in submissions:
        table = home.counts.read([one.id])
        manifest = one.official_manifest
        national = isinstance(manifest, AdministrativeManifest) and manifest.dissemination.level == "national"
        tables.append(_totals(table, framework) if national else table)
    return pa.concat_tables(tables)


def _totals(counts: pa.Table, framework: Framework) -> pa.Table:
    """Return the totals, and the facts of every category."""
    facts = [name for name, variable in framework.administrative.items() if variable.type in FACTS]
    total = pc.and_(pc.equal(counts["sex"], TOTAL), pc.equal(counts["age"], TOTAL))
    known = pc.or_(pc.equal(counts["code"], TOTAL), pc.is_in(counts["variable"], pa.array(facts)))
    return counts.filter(pc.and_(total, known))
