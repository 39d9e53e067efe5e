"""A migrated crosswalk gives the same values of the same data, and says what it could not decide."""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copstats.collect.harmonise import harmonise
from copstats.errors import DefinitionError, UsageError
from copstats.framework import load_framework
from copstats.framework.difference import Difference, difference_between
from copstats.framework.located import Located
from copstats.framework.migration import Migration, migrate_crosswalk
from copstats.language.translations import Translations
from copstats.store.engine import memory_connection
from tests.collect.samples import as_csv, manifest, opened, write
from tests.framework.later_version import NEW, OLD, add_version, copied_project

CONTACT, USE, LISTS = "variables/09-contact.yaml", "variables/06-use.yaml", "codelists.yaml"
SNS = """  sns_public:
    label: Main social media profile is visible to everyone
    type: code
    status: optional
    privacy: keep
    definition: Whether anyone can see the profile that the child uses most.
    codelist: CL_PROFILE
    universe: net_3m = 1
    recall: now
    source: [EU Kids Online]
"""
WHERE = SNS.replace("sns_public", "act_where").replace("status: optional", "status: core")
HOURS = '    4: {label: "5 to 6 hours"}\n    5: {label: "7 hours or more"}\n'
MET = '    universe: rct_unknown = 1\n    recall: "12 months"\n'
DECLARED = """child:
  rct_offer: {renamed_from: rct_gift, note: Wider.}
  act_school: {renamed_from: act_learn}
removed:
  child:
    sns_public: {note: Obsolete.}
codelists:
  CL_NET_HOURS:
    merged: [{from: [4, 5], into: 7, note: Few answers.}]
  CL_INTENSITY:
    split: [{from: 4, into: [4, 5], note: Finer.}]
"""
MOVED = {4: 7, 5: 7}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = copied_project(tmp_path_factory.mktemp("project"))
    rules = (folder / "schemas" / OLD / "rules.yaml").read_text("utf-8")
    sns_rule = rules[rules.index("  daily_social_media_without") : rules.index("  upset_not_at_all:")]
    add_version(
        folder,
        {
            CONTACT: [("  rct_gift:\n", "  rct_offer:\n"), (MET, MET.replace('"12 months"', "ever"))],
            USE: [(SNS, WHERE), ("  act_learn:\n", "  act_school:\n")],
            LISTS: [
                (HOURS, "    7: {label: 5 hours or more}\n"),
                ("    4: {label: Very}\n", "    4: {label: Very}\n    5: {label: Extremely}\n"),
                ("    5: {label: Other guardian}\n", ""),
            ],
            "rules.yaml": [
                (sns_rule, ""),
                ("net_freq = 3 AND net_hours >= 4", "net_freq = 3 AND net_hours >= 7"),
                ("(act_learn = 5 OR", "(act_school = 5 OR"),
            ],
        },
        DECLARED,
    )
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def step(project: Path) -> Difference:
    return difference_between(OLD, NEW, project)


def crosswalk(*lines: str, record: str = "child") -> str:
    return "".join(f"{line}\n" for line in (f"framework: {OLD}", f"{record}:", *lines))


def notes(migration: Migration) -> list[tuple[str, str]]:
    return [(note.kind, note.variable) for note in migration.notes if note.variable != "child.act_where"]


def data(text: str) -> Any:
    return Located(Path("crosswalk.yaml"), content=text.encode()).data


def test_what_has_not_changed_keeps_every_character(step: Difference) -> None:
    text = (
        "# Our crosswalk — with “signs” and 𝄞\nframework:   cop-2026   # the version\n\nchild:\n"
        "  # sex as our file has it\n  sex: {source: q2, map: {1: 1, 'Ü': 2}}   # two codes\n"
        "  age:\n    sql: |\n      q1\n      + 0\n\n# the end\n"
    )
    migrated = migrate_crosswalk(text, step)
    assert migrated.text == text.replace("cop-2026 ", "cop-2026.1 ")
    assert "child.sex" not in {note.variable for note in migrated.notes}


def test_a_renamed_variable_keeps_its_column_and_recode(step: Difference) -> None:
    migrated = migrate_crosswalk(crosswalk("  rct_gift: {source: q7, map: {1: 1, 2: 0}}  # seven"), step)
    assert "  rct_offer: {source: q7, map: {1: 1, 2: 0}}  # seven\n" in migrated.text
    assert ("renamed", "child.rct_offer") in notes(migrated)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (["  rct_gift: {map: {1: 1, 2: 0}}"], {"source": "rct_gift", "map": {1: 1, 2: 0}}),
        (["  rct_gift: {}"], {"source": "rct_gift"}),
        (
            ["  rct_gift:", "    map:", "      1: 1", "      2: 0"],
            {"source": "rct_gift", "map": {1: 1, 2: 0}},
        ),
        (["  rct_gift:", "    sql: q7 + 0"], {"sql": "q7 + 0"}),
    ],
)
def test_the_column_of_the_former_name_is_named(
    step: Difference, entry: list[str], expected: dict[str, Any]
) -> None:
    assert data(migrate_crosswalk(crosswalk(*entry), step).text)["child"] == {"rct_offer": expected}


BLOCK = ["  sns_public:", "    source: q9   # nine", "    map: {1: 1, 2: 0}"]


def test_an_entry_of_a_variable_that_is_gone_becomes_a_comment(step: Difference) -> None:
    migrated = migrate_crosswalk(crosswalk("  sex: {source: q2}", *BLOCK, "  age: {source: q1}"), step)
    assert data(migrated.text)["child"] == {"sex": {"source": "q2"}, "age": {"source": "q1"}}
    for kept in ("# sns_public:", "#   source: q9   # nine", "#   map: {1: 1, 2: 0}", f"# not in {NEW}:"):
        assert f"  {kept}\n" in migrated.text
    assert ("retired", "child.sns_public") in notes(migrated)


@pytest.mark.parametrize(
    "text",
    [
        crosswalk(*BLOCK),
        f"framework: {OLD}\nchild: # our file\n  sns_public: {{source: q9}}\nparent: {{}}\n",
        f"framework: {OLD}\nchild: {{sns_public: {{source: q9}}}}",
        f"framework: {OLD}\nchild: {{sns_public: {{source: q9}},\n  }}\n",
    ],
)
def test_a_crosswalk_whose_only_entry_is_gone_stays_readable(step: Difference, text: str) -> None:
    migrated = migrate_crosswalk(text, step)
    assert data(migrated.text)["child"] == {}
    assert "source: q9" in migrated.text


FLOW = ["sex: {source: q2}", "sns_public: {source: q9}", "age: {source: q1}"]


@pytest.mark.parametrize("order", [*itertools.permutations(FLOW), (FLOW[0], FLOW[1]), (FLOW[1], FLOW[0])])
def test_entries_leave_a_mapping_on_one_line(step: Difference, order: tuple[str, ...]) -> None:
    text = f"framework: {OLD}\nchild: {{{', '.join(order)}}}\n"
    migrated = migrate_crosswalk(text, step)
    kept = [entry.partition(":")[0] for entry in order if "sns" not in entry]
    assert list(data(migrated.text)["child"]) == kept
    assert "# sns_public: {source: q9}\n" in migrated.text


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            "{source: q, map: {a: 1, b: 4, c: 5, d: -8}}",
            {"source": "q", "map": {"a": 1, "b": 7, "c": 7, "d": -8}},
        ),
        (
            "{source: q, range: [{code: 1, to: 3}, {code: 5, from: 4}]}",
            {"source": "q", "range": [{"code": 1, "to": 3}, {"code": 7, "from": 4}]},
        ),
        ("{source: q, map: {a: 1}, blank: 5}", {"source": "q", "map": {"a": 1}, "blank": 7}),
        (
            "{sql: q * 1}",
            {"sql": "CASE (q * 1) WHEN 4 THEN 7 WHEN 5 THEN 7 ELSE (q * 1) END"},
        ),
        (
            "{source: q, copy: true}",
            {"source": "q", "map": {-9: -9, -8: -8, -7: -7, -1: -1, 1: 1, 2: 2, 3: 3, 4: 7, 5: 7}},
        ),
        (
            "{source: q}",
            {"map": {-9: -9, -8: -8, -7: -7, -1: -1, 1: 1, 2: 2, 3: 3, 4: 7, 5: 7}, "source": "q"},
        ),
    ],
)
def test_merged_codes_are_converted_in_every_recode(
    step: Difference, entry: str, expected: dict[str, Any]
) -> None:
    migrated = migrate_crosswalk(crosswalk(f"  net_hours: {entry}"), step)
    assert data(migrated.text)["child"]["net_hours"] == expected
    assert ("recoded", "child.net_hours") in notes(migrated)


def test_codes_that_are_not_touched_are_not_noted(step: Difference) -> None:
    migrated = migrate_crosswalk(crosswalk("  net_hours: {source: q, map: {a: 1, b: 2}}"), step)
    assert ("recoded", "child.net_hours") not in notes(migrated)


def test_an_expression_that_would_grow_too_long_is_left_to_a_person(step: Difference) -> None:
    long = " + ".join(["q"] * 300)
    migrated = migrate_crosswalk(crosswalk(f"  net_hours: {{sql: {long}}}"), step)
    assert data(migrated.text)["child"]["net_hours"]["sql"] == long
    assert ("recode_by_hand", "child.net_hours") in [(n.kind, n.variable) for n in migrated.open]


def test_a_split_code_is_left_to_a_person(step: Difference) -> None:
    migrated = migrate_crosswalk(crosswalk("  hrm_intens: {source: q, map: {a: 1, b: 4}}"), step)
    assert data(migrated.text)["child"]["hrm_intens"]["map"] == {"a": 1, "b": 4}
    (note,) = [note for note in migrated.open if note.variable == "child.hrm_intens"]
    assert (note.kind, note.detail) == ("split", "4 -> 4, 5")


def test_a_split_code_that_is_copied_is_not_guessed(step: Difference) -> None:
    """Without an entry in the map the check tells the records."""
    migrated = migrate_crosswalk(crosswalk("  hrm_intens: {source: q}"), step)
    assert 4 not in data(migrated.text)["child"]["hrm_intens"]["map"]
    assert ("split", "child.hrm_intens") in notes(migrated)


def test_a_code_without_successor_is_told(step: Difference) -> None:
    text = crosswalk("  p_rel: {source: q, map: {a: 1, b: 5}}", record="parent")
    migrated = migrate_crosswalk(text, step)
    assert ("gone", "parent.p_rel") in notes(migrated)


@pytest.mark.parametrize(
    ("wording", "expected"),
    [
        ("{class: adapted}", {"class": "adapted", "recall": "12 months"}),
        ("{class: adapted, recall: 30 days}", {"class": "adapted", "recall": "30 days"}),
    ],
)
def test_a_question_keeps_the_recall_period_that_was_asked(
    step: Difference, wording: str, expected: dict[str, str]
) -> None:
    """The framework now asks `ever`; the national question still was about 12 months."""
    migrated = migrate_crosswalk(crosswalk(f"  rct_met: {{source: q, wording: {wording}}}"), step)
    assert data(migrated.text)["child"]["rct_met"]["wording"] == expected
    assert (("recall_kept", "child.rct_met") in notes(migrated)) == ("30 days" not in wording)


def test_without_an_entry_and_without_columns_a_person_is_told(step: Difference) -> None:
    migrated = migrate_crosswalk(f"framework: {OLD}\n", step)
    assert migrated.text == f"framework: {NEW}\n"
    told = {(note.kind, note.variable) for note in migrated.open}
    assert {
        ("rename_by_hand", "child.rct_offer"),
        ("rename_by_hand", "child.act_school"),
        ("recode_by_hand", "child.net_hours"),
        ("recode_by_hand", "child.hrm_intens"),
        ("recode_by_hand", "parent.p_rel"),
        ("recall_by_hand", "child.rct_met"),
        ("new", "child.act_where"),
    } <= told


@pytest.mark.parametrize(
    "start", [f"framework: {OLD}\n", f"framework: {OLD}", f"framework: {OLD}\nchild: {{}}\n"]
)
def test_with_the_columns_entries_are_written(step: Difference, start: str) -> None:
    migrated = migrate_crosswalk(start, step, {"child": ["age", "RCT_GIFT", "net_hours", "rct_met"]})
    identical = {"class": "identical"}
    assert data(migrated.text)["child"] == {
        "rct_offer": {"source": "rct_gift", "wording": identical},
        "rct_met": {"source": "rct_met", "wording": {**identical, "recall": "12 months"}},
        "net_hours": {
            "source": "net_hours",
            "map": {-9: -9, -8: -8, -7: -7, -1: -1, 1: 1, 2: 2, 3: 3, 4: 7, 5: 7},
            "wording": identical,
        },
    }
    assert {note.kind for note in migrated.open} == {"new"}


def test_a_block_of_entries_takes_new_ones(step: Difference) -> None:
    text = crosswalk(*BLOCK, "  sex: {source: q2}")
    migrated = migrate_crosswalk(text, step, {"child": ["rct_gift"]})
    assert list(data(migrated.text)["child"]) == ["rct_offer", "sex"]
    only = migrate_crosswalk(crosswalk(*BLOCK), step, {"child": ["rct_gift"]})
    assert list(data(only.text)["child"]) == ["rct_offer"]


def test_a_path_may_be_given(step: Difference, tmp_path: Path) -> None:
    path = tmp_path / "crosswalk.yaml"
    path.write_bytes("\ufeff".encode() + crosswalk("  rct_gift: {source: q7}").encode())
    assert "rct_offer" in migrate_crosswalk(path, step).text


def test_a_crosswalk_of_another_version_is_refused(step: Difference) -> None:
    with pytest.raises(UsageError) as caught:
        migrate_crosswalk("\nframework: cop-2025\n", step)
    assert (caught.value.code, caught.value.where) == ("U133", "crosswalk.yaml:2")


@pytest.mark.parametrize("text", ["framework: [", "framework: cop-2026\nframework: cop-2026\n"])
def test_what_is_not_yaml_is_refused(step: Difference, text: str) -> None:
    with pytest.raises(DefinitionError):
        migrate_crosswalk(text, step)


@pytest.mark.parametrize("text", ["", "- a\n", "child: {}\n"])
def test_what_names_no_version_is_refused(step: Difference, text: str) -> None:
    with pytest.raises(UsageError):
        migrate_crosswalk(text, step)


def test_every_note_is_a_sentence(step: Difference) -> None:
    migrated = migrate_crosswalk(f"framework: {OLD}\n", step)
    for note in migrated.notes:
        text = note.text(Translations("en"))
        assert note.variable in text
        assert text.endswith(".")
        assert "{" not in text


CODES = {
    "sex": (1, 2, -9),
    "net_3m": (0, 1),
    "act_learn": (1, 2, 3, 4, 5, -8),
    "act_game": (1, 2, 3, 4, 5, -7),
    "net_hours": (1, 2, 3, 4, 5, -8, -7),
    "rct_gift": (0, 1, -7, -9),
    "rct_met": (0, 1, -7),
}
STYLES = ("own column", "copy", "map", "range", "sql")


def entry_of(name: str, style: str, block: bool) -> list[str]:
    """Return the lines of an entry; national codes are those of the framework plus 100."""
    codes = CODES[name]
    parts = {
        "copy": ["source: {n}", "copy: true"],
        "map": ["source: {n}_nat", "map: {{" + ", ".join(f"{c + 100}: {c}" for c in codes) + "}}"],
        "range": [
            "source: {n}_nat",
            "range: [" + ", ".join(f"{{{{code: {c}, from: {c + 100}, to: {c + 100}}}}}" for c in codes) + "]",
        ],
        "sql": ["sql: {n}_nat - 100"],
    }[style]
    parts = [part.format(n=name) for part in parts]
    if block:
        return [f"  {name}:", *(f"    {part}  # as in the file" for part in parts)]
    return [f"  {name}: {{{', '.join(parts)}}}"]


def columns(rows: int, seed: int) -> dict[str, list[Any]]:
    chosen = random.Random(seed)  # noqa: S311
    cells: dict[str, list[Any]] = {
        "w": [1.5] * rows,
        "str": ["N"] * rows,
        "ea": [str(i % 4) for i in range(rows)],
    }
    cells["age"] = [9 + i % 9 for i in range(rows)]
    for name, codes in CODES.items():
        cells[name] = [codes[i] if i < len(codes) else chosen.choice(codes) for i in range(rows)]
        cells[f"{name}_nat"] = [code + 100 for code in cells[name]]
    return cells


def harmonised(folder: Path, project: Path, version: str, text: str, cells: dict[str, list[Any]]) -> Any:
    write(folder, {"child.csv": as_csv(cells)}, manifest(framework=version), text)
    framework = load_framework(version, project)
    with memory_connection() as connection:
        harmonise(opened(folder, root=project), framework, connection)
        return connection.sql("SELECT * FROM child ORDER BY record_no").to_arrow_table()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries({name: st.tuples(st.sampled_from(STYLES), st.booleans()) for name in CODES}),
    st.integers(0, 2**16),
)
def test_the_same_data_give_the_same_values(
    project: Path, step: Difference, tmp_path: Path, styles: dict[str, tuple[str, bool]], seed: int
) -> None:
    cells = columns(20, seed)
    lines = [
        line
        for name, (style, block) in styles.items()
        if style != "own column"
        for line in entry_of(name, style, block)
    ]
    old_text = crosswalk(*lines) if lines else f"framework: {OLD}\nchild: {{}}\n"
    migrated = migrate_crosswalk(old_text, step, {"child": list(cells)})
    before = harmonised(tmp_path / "old", project, OLD, old_text, cells)
    after = harmonised(tmp_path / "new", project, NEW, migrated.text, cells)
    renamed = {"rct_gift": "rct_offer", "act_learn": "act_school"}
    for name in CODES:
        expected = before[name].to_pylist()
        if name == "net_hours":
            expected = [MOVED.get(code, code) for code in expected]
        now = renamed.get(name, name)
        assert after[now].to_pylist() == expected, name
        assert before[f"{name}__unread"].to_pylist() == after[f"{now}__unread"].to_pylist()
    assert expected == cells["rct_met"]
    unchanged = set(before.column_names) & set(after.column_names) - {
        *CODES,
        *(f"{n}__unread" for n in CODES),
    }
    assert unchanged >= {"age", "weight", "stratum", "psu", "child_id"}
    assert before.select(sorted(unchanged)).equals(after.select(sorted(unchanged)))
