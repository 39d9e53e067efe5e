from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from copstats.collect.harmonise import harmonise
from copstats.collect.submission import open_submission
from copstats.errors import SubmissionErrors, UsageError
from copstats.framework import load_areas, load_framework
from copstats.framework.export.crosswalk_skeleton import COLUMN, MARK, write_crosswalk
from copstats.framework.located import Located
from copstats.framework.manifest import Crosswalk, SurveyManifest
from copstats.language import LANGUAGES
from copstats.store.engine import memory_connection

DATA = "child_id,YOUR_COLUMN\n1,1\n"


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("skeleton")
    write_crosswalk(load_framework(), folder)
    return folder


def uncommented(text: str) -> str:
    """Take the mark away from everything below the head of the file."""
    _, _, entries = text.partition("\nframework: ")
    lines = entries.split("\n")
    return "\n".join(
        [f"framework: {lines[0]}", *(line.removeprefix(MARK).removeprefix("#") for line in lines[1:])]
    )


def read(text: str) -> Crosswalk:
    return msgspec.convert(Located(Path("crosswalk.yaml"), content=text.encode()).data, Crosswalk)


def entry(text: str, name: str) -> str:
    """Return the lines of one entry, uncommented, below the line of its record kind."""
    lines = text.split("\n")
    start = lines.index(f"# {'  '}{name}:")
    end = next(n for n in range(start + 1, len(lines)) if not lines[n].startswith("#     "))
    own = [line.removeprefix(MARK) for line in lines[start:end]]
    return "\n".join(["framework: cop-2026", "child:", *own])


def submission(folder: Path, crosswalk: str, manifest: str, data: str = DATA) -> Path:
    (folder / "crosswalk.yaml").write_text(crosswalk, "utf-8")
    (folder / "manifest.yaml").write_text(manifest, "utf-8")
    for record in ("child", "parent"):
        (folder / f"{record}.csv").write_text(data, "utf-8")
    return folder


def test_as_it_is_it_maps_nothing(skeleton):
    assert read((skeleton / "crosswalk.yaml").read_text("utf-8")) == Crosswalk(framework="cop-2026")


def test_uncommented_it_maps_every_variable(skeleton, tmp_path):
    """Every entry has the types of a crosswalk and passes all that is checked before data are read."""
    text = uncommented((skeleton / "crosswalk.yaml").read_text("utf-8"))
    crosswalk = read(text)
    framework = load_framework()
    for record in ("child", "parent"):
        single = [name for name, v in framework.variables(record).items() if not v.series]
        assert list(getattr(crosswalk, record)) == single
    manifest = (skeleton / "manifest.yaml").read_text("utf-8").replace("XXX", "KEN")
    opened = open_submission(submission(tmp_path, text, manifest), areas=load_areas())
    assert opened.crosswalk == crosswalk


def test_all_remarks_uncommented_too_it_is_still_a_crosswalk(skeleton):
    """What may stand beside a recode (`blank`, `wording`) is right as it is written."""
    text = uncommented((skeleton / "crosswalk.yaml").read_text("utf-8"))
    lines = [
        re.sub(r"^( {4,})# (?=blank|wording|recall|scale|asked_of|text)", r"\1", line)
        for line in text.split("\n")
    ]
    crosswalk = read("\n".join(lines))
    assert crosswalk.child["net_freq"].blank == -7
    assert crosswalk.child["rct_met"].blank == -7
    assert crosswalk.child["rct_met"].wording.kind == "adapted"
    assert crosswalk.child["in_school"].wording.asked_of == "everyone"


def test_every_kind_of_recode_is_shown(skeleton):
    crosswalk = read(uncommented((skeleton / "crosswalk.yaml").read_text("utf-8")))
    mappings = crosswalk.child.values()
    assert sum(m.sql is not None for m in mappings) == 1
    assert sum(m.range is not None for m in mappings) == 1
    assert sum(m.blank is not None for m in mappings) == 1
    assert sum(m.wording is not None for m in mappings) == 1
    assert any(m.copy for m in mappings)
    assert crosswalk.child["sex"].map == {1: 1, 2: 2, 3: 3, -8: -8, -9: -9}
    assert crosswalk.child["rct_met"].map == {0: 0, 1: 1, -7: -7, -8: -8, -9: -9}
    assert crosswalk.child["own_phone"].map == {0: 0, 1: 1, -8: -8, -9: -9}


def test_the_guide_shows_an_entry_as_it_is_written(skeleton, root):
    guide = (root / "docs" / "framework.md").read_text("utf-8")
    shown = re.search(r"```yaml\n(#.*?)```", guide, re.DOTALL).group(1)
    assert shown in (skeleton / "crosswalk.yaml").read_text("utf-8")


@pytest.mark.parametrize("name", ["sex", "ses_q", "net_freq", "net_age1", "adm1", "rct_met"])
def test_a_single_entry_is_valid(skeleton, name):
    text = (skeleton / "crosswalk.yaml").read_text("utf-8")
    assert list(read(entry(text, name)).child) == [name]


def test_one_entry_is_applied(skeleton, tmp_path):
    text = entry((skeleton / "crosswalk.yaml").read_text("utf-8"), "net_freq").replace(COLUMN, "Q12")
    manifest = (skeleton / "manifest.yaml").read_text("utf-8").replace("XXX", "KEN")
    manifest = manifest.replace("  parent: {path: parent.csv}\n", "")
    data = "child_id,stratum,psu,weight,Q12\na,1,1,1,3\nb,1,2,1,\nc,1,3,1,-9\nd,1,4,1,7\n"
    with memory_connection(threads=1) as connection:
        delivery = open_submission(submission(tmp_path, text, manifest, data), areas=load_areas())
        harmonise(delivery, load_framework(), connection)
        rows = connection.execute(
            "SELECT net_freq, net_freq__unread FROM child ORDER BY record_no"
        ).fetchall()
    assert rows == [(3, False), (-7, False), (-9, False), (None, True)]


def test_what_the_framework_says_stands_beside_each_entry(skeleton):
    text = (skeleton / "crosswalk.yaml").read_text("utf-8")
    plain = re.sub(r"\s*\n#\s+#\s*", " ", text)
    for variable in load_framework().variables("child").values():
        assert variable.label in plain
        assert variable.definition in plain
        assert f"({variable.universe})" in plain or variable.universe is None


def test_the_manifest_parses_and_claims_nothing(skeleton):
    located = Located(skeleton / "manifest.yaml")
    manifest = msgspec.convert(located.data, SurveyManifest)
    framework = load_framework()
    assert set(manifest.modules) == {m.module for m in framework.modules.values() if not m.always}
    assert manifest.sampling == "non_probability"
    assert manifest.population.coverage == "subnational"
    assert manifest.ethics.consent == "none"
    assert not manifest.dissemination.consent
    assert (manifest.response_rate, manifest.coverage_share, manifest.translation) == (None, None, None)


def test_a_manifest_that_nobody_looked_at_is_refused(skeleton, tmp_path):
    manifest = (skeleton / "manifest.yaml").read_text("utf-8")
    with pytest.raises(SubmissionErrors) as caught:
        open_submission(submission(tmp_path, "framework: cop-2026\n", manifest), areas=load_areas())
    assert [(e.code, e.where.split(":")[0]) for e in caught.value.errors] == [("S111", "manifest.yaml")]


def test_what_may_be_left_out_parses_when_uncommented(skeleton):
    text = (skeleton / "manifest.yaml").read_text("utf-8")
    optional = r"(?m)^( *)# (?=[a-z_]+: )"
    located = Located(Path("manifest.yaml"), content=re.sub(optional, r"\1", text).encode())
    manifest = msgspec.convert(located.data, SurveyManifest)
    assert manifest.population.age_floor == 12
    assert manifest.design.fpc == "fpc_psu"
    assert manifest.coverage_share == 0.97
    assert manifest.translation.method == "team_review"
    assert manifest.contact.email == "statistics@example.org"


def test_part_of_the_framework(tmp_path):
    write_crosswalk(load_framework(), tmp_path, modules=["wellbeing", "access"])
    crosswalk = read(uncommented((tmp_path / "crosswalk.yaml").read_text("utf-8")))
    assert {"wel_life", "net_freq", "age", "child_id"} <= set(crosswalk.child)
    assert "rct_met" not in crosswalk.child
    assert crosswalk.parent == {}
    manifest = msgspec.convert(Located(tmp_path / "manifest.yaml").data, SurveyManifest)
    assert manifest.modules == ["access", "wellbeing"]
    assert manifest.files.parent is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_parses_and_has_the_same_bytes_every_time(tmp_path, language):
    first, second = (
        [path.read_bytes() for path in write_crosswalk(load_framework(), tmp_path / run, language=language)]
        for run in ("one", "two")
    )
    assert first == second
    assert read(uncommented(first[0].decode())).child["sex"].map == {1: 1, 2: 2, 3: 3, -8: -8, -9: -9}
    manifest = msgspec.convert(Located(tmp_path / "one" / "manifest.yaml").data, SurveyManifest)
    assert list(manifest.title) == [language]


def test_work_is_not_replaced(tmp_path):
    (tmp_path / "crosswalk.yaml").write_text("framework: cop-2026\nchild: {}\n")
    with pytest.raises(UsageError) as caught:
        write_crosswalk(load_framework(), tmp_path)
    assert caught.value.code == "U142"
    assert not (tmp_path / "manifest.yaml").exists()
