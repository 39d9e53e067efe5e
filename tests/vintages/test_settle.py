"""Which vintage of a wave goes into a release, from sealed records and what was published before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from copstats.disclose.profile import load_profile
from copstats.framework.loader import load_framework
from copstats.framework.manifest import SurveyManifest
from copstats.language import translations
from copstats.store.home import Home
from copstats.store.rows import NewSubmission, State, Submission
from copstats.store.schemas import ATTACKER, DIMENSIONS, INDICATOR_VALUE
from copstats.store.vintage import Content
from copstats.vintages import Settled, contents, held_units, settle, vintages_of
from tests.analyse.conftest import MANIFEST, merged

WAVE, SEX = "XAA_2026_COPS", {"M": 1, "F": 2}
CHILDREN = 200


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home", create=True)


def children() -> dict[str, Any]:
    """Half of the children and half of either sex answer yes."""
    number = np.arange(CHILDREN)
    return {
        "child_id": [f"c{n}" for n in number],
        "weight": np.ones(CHILDREN),
        "stratum": ["s"] * CHILDREN,
        "psu": [f"p{n % 20}" for n in number],
        "age": 9 + number % 9,
        "net_age1": 3 + number // 30,
        "sex": 1 + number % 2,
        "net_3m": np.ones(CHILDREN, int),
        "rct_unknown": number // 2 % 2,
    }


def figures(
    records: dict[str, Any], submission_id: str, shown: tuple[str, ...] = ("_T", "M", "F")
) -> Content:
    """Return values of one indicator as if they had passed the gate, and the attacker's file."""
    answer, sex = np.array(records["rct_unknown"]), np.array(records["sex"])
    values, attacker = [], []
    for code in ("_T", "M", "F"):
        group = answer if code == "_T" else answer[sex == SEX[code]]
        value = round(100 * float(group.mean())) if code in shown else None
        key = {f.name: "x" for f in INDICATOR_VALUE if f.type == pa.string()} | dict.fromkeys(
            DIMENSIONS, "_T"
        )
        key |= {"indicator": "RCT1", "sex": code}
        values.append(key | {"value": value, "source": submission_id})
        attacker.append(
            key
            | {"submission_id": submission_id, "tier": "A", "unit": "PERCENT", "n": len(group)}
            | {"disaggregation": "total" if code == "_T" else "sex", "weight": float(len(group))}
            | {"reason": None if code in shown else "n", "coded_limit": None}
        )
    return Content(pa.Table.from_pylist(values, INDICATOR_VALUE), pa.Table.from_pylist(attacker, ATTACKER))


def accepted(home: Home, version: int, records: dict[str, Any], **manifest: Any) -> Submission:
    """Seal and accept a version of the wave."""
    told = msgspec.convert(merged(MANIFEST, {"version": version, **manifest}), SurveyManifest)
    new = NewSubmission.of_survey(
        told, None, framework_fingerprint="f", content_hash=str(version), variables={}, records={}
    )
    home.waves.write(new.id, new.ref_area, {"child": pa.table(records)}, replace=True)
    home.registry.register(new, State.WAITING)
    return home.registry.decide(new.id, State.ACCEPTED, who="reviewer")


def settled(home: Home, submission: Submission, candidate: Content, fingerprint: str, **more: Any) -> Settled:
    return settle(
        home,
        submission,
        candidate,
        fingerprint=fingerprint,
        framework=load_framework(),
        profile=load_profile(),
        **more,
    )


def publish(home: Home, label: str, *units: Settled) -> None:
    with home.releases.staging(label) as draft:
        home.ledger.prepare(label, vintages_of(units))
        draft.publish()
    home.ledger.confirm(label, vintages_of(units))


@pytest.fixture
def published(home: Home) -> Submission:
    """The first version, published."""
    first = accepted(home, 1, children())
    publish(home, "2026-Q4", settled(home, first, figures(children(), first.id), "f1"))
    return first


def actions(home: Home, action: str) -> list[dict[str, Any]]:
    log = home.path / "audit.log"
    entries = [msgspec.json.decode(line) for line in (log.read_bytes().splitlines() if log.exists() else ())]
    return [entry["facts"] for entry in entries if entry["action"] == action]


def test_what_was_not_published_yet_is_a_first_vintage(home: Home) -> None:
    first = accepted(home, 1, children())
    one = settled(home, first, figures(children(), first.id), "f1")
    assert (one.outcome, one.number, one.submission_id) == ("first", 1, first.id)
    # The release fails; the next try replaces the candidate, and nothing is held against it.
    again = settled(home, first, figures(children(), first.id), "f2")
    assert (again.outcome, again.number) == ("first", 1)


def test_the_same_input_carries_the_figures_forward(home: Home, published: Submission) -> None:
    one = settled(home, published, figures(children(), published.id), "f1")
    assert (one.outcome, one.number, one.verdict) == ("carried", 1, None)
    assert contents(home, [one]).values.num_rows == len(("_T", "M", "F"))
    assert actions(home, "wave.opened") == []


def test_one_corrected_answer_holds_the_wave(home: Home, published: Submission) -> None:
    corrected = children()
    corrected["rct_unknown"][0] = 1
    second = accepted(home, 2, corrected)
    one = settled(home, second, figures(corrected, second.id), "f2")
    assert (one.outcome, one.number, one.submission_id) == ("held", 1, published.id)
    found = contents(home, [one])
    assert set(found.values["source"].to_pylist()) == {published.id}
    # The total, the boys, and the total without the girls.
    assert actions(home, "vintage.held") == [{"submission": second.id, "carried": 1, "few": 3}]
    assert held_units([one], translations("en")) == [
        f"{WAVE}: the new version is held; the figures published before stay",
        "  groups of which some records changed, but too few: 3 (RCT1)",
    ]
    publish(home, "2027-Q1", one)
    assert home.ledger.carried("2027-Q1") == {WAVE: 1}


def test_many_mixed_corrections_pass(home: Home, published: Submission) -> None:
    corrected = children()
    corrected["rct_unknown"][:120] = 1 - corrected["rct_unknown"][:120]
    second = accepted(home, 2, corrected)
    one = settled(home, second, figures(corrected, second.id), "f2")
    assert (one.outcome, one.number, one.submission_id) == ("revised", 2, second.id)
    assert one.verdict is not None
    assert one.verdict.released


def test_a_revision_is_held_against_every_vintage_ever_published(home: Home, published: Submission) -> None:
    """Two revisions of many records each, of which the second takes all but one of the first back."""
    first, second = children(), children()
    second["rct_unknown"][:120] = 1 - second["rct_unknown"][:120]
    publish(home, "2027-Q1", settled(home, v2 := accepted(home, 2, second), figures(second, v2.id), "f2"))
    third = children()
    third["rct_unknown"][0] = 1 - first["rct_unknown"][0]
    v3 = accepted(home, 3, third)
    one = settled(home, v3, figures(third, v3.id), "f3")
    assert (one.outcome, one.number) == ("held", 2)


def test_a_withdrawal_alone_publishes_nothing_new(home: Home, published: Submission) -> None:
    rest = {name: list(column)[1:] for name, column in children().items()}
    home.waves.write(published.id, "XAA", {"child": pa.table(rest)}, replace=True)
    one = settled(home, published, figures(rest, published.id), "f2", withdrawn=1)
    assert (one.outcome, one.number) == ("held", 1)
    assert one.verdict is not None
    assert "withdrawn" in one.verdict.counts


def test_other_rules_for_the_same_records_ask_for_the_audit_of_both(
    home: Home, published: Submission
) -> None:
    seen = []

    def audit(earlier: Content) -> bool:
        seen.append(earlier)
        return len(seen) > 1

    other = figures(children(), published.id, shown=("_T", "M"))
    assert settled(home, published, other, "f2").outcome == "revised"  # less is shown: nothing is learnt
    finer = figures(children(), published.id)
    place = INDICATOR_VALUE.get_field_index("value")
    finer = Content(finer.values.set_column(place, "value", pa.array([50.1, 50.2, 50.0])), finer.attacker)
    assert settled(home, published, finer, "f3").outcome == "held"
    assert settled(home, published, finer, "f3", jointly_safe=audit).outcome == "held"
    assert settled(home, published, finer, "f3", jointly_safe=audit).outcome == "revised"
    assert [one.values.num_rows for one in seen] == [3, 3]


def test_records_that_are_gone_hold_the_wave(home: Home, published: Submission) -> None:
    second = accepted(home, 2, children())
    home.waves.destroy(published.id)
    one = settled(home, second, figures(children(), second.id), "f2")
    assert (one.outcome, one.number) == ("held", 1)
    home.ledger.destroy(WAVE)
    left_out = settled(home, second, figures(children(), second.id), "f2")
    assert (left_out.outcome, left_out.number, vintages_of([left_out])) == ("held", None, {})
    assert contents(home, [left_out]).values.num_rows == 0
    assert held_units([left_out], translations("en"))[0].endswith("no figures to carry forward")


def test_consent_that_was_narrowed_is_kept(home: Home, published: Submission) -> None:
    corrected = children()
    corrected["rct_unknown"][0] = 1
    second = accepted(home, 2, corrected, dissemination={"consent": True, "level": "national"})
    totals = figures(corrected, second.id)
    totals = Content(totals.values.filter(pc.equal(totals.values["sex"], "_T")), totals.attacker)
    assert settled(home, second, totals, "f2").number is None
    third = accepted(home, 3, corrected, dissemination={"consent": False})
    nothing = Content(INDICATOR_VALUE.empty_table(), ATTACKER.empty_table())
    assert settled(home, third, nothing, "f3").outcome == "revised"
