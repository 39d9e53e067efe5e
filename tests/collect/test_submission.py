from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import yaml

from copstats.collect.package import Archive
from copstats.errors import SubmissionErrors
from tests.collect.samples import CHILDREN, CROSSWALK, as_csv, manifest, opened, write

CSV = as_csv(CHILDREN)


def errors_of(folder: Path, **options) -> list:
    with pytest.raises(SubmissionErrors) as caught:
        opened(folder, **options)
    return caught.value.errors


def codes_of(folder: Path, **options) -> list[str]:
    return [error.code for error in errors_of(folder, **options)]


def zipped(folder: Path, target: Path, top: str = "") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, top + path.relative_to(folder).as_posix())
    return target


def test_opens_a_folder(tmp_path):
    submission = opened(write(tmp_path / "s", {"child.csv": CSV}, crosswalk=CROSSWALK))
    assert (submission.id, submission.wave) == ("NAM_2026_COPS_v01_M", "NAM_2026_COPS")
    assert submission.data_files["child"].format == "CSV"
    assert submission.crosswalk.child["net_3m"].map == {"Yes": 1, "No": 0}


def test_hash_does_not_depend_on_place_or_packing(tmp_path):
    folder = write(tmp_path / "s", {"child.csv": CSV}, crosswalk=CROSSWALK)
    hashes = {opened(folder).content_hash}
    hashes.add(opened(zipped(folder, tmp_path / "a.zip")).content_hash)
    hashes.add(opened(zipped(folder, tmp_path / "b.zip", top="deep/")).content_hash)
    elsewhere = write(tmp_path / "t", {}, crosswalk=CROSSWALK)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "child.csv").write_bytes(CSV)
    hashes.add(opened(elsewhere, data=tmp_path / "data").content_hash)
    says = yaml.safe_load((folder / "manifest.yaml").read_text())
    (folder / "manifest.yaml").write_text("# a comment\r\n" + yaml.safe_dump(says, sort_keys=True))
    hashes.add(opened(folder).content_hash)
    assert len(hashes) == 1


@pytest.mark.parametrize("part", ["manifest", "crosswalk", "data"])
def test_hash_depends_on_every_part(tmp_path, part):
    before = opened(write(tmp_path / "a", {"child.csv": CSV}, crosswalk=CROSSWALK)).content_hash
    says = manifest(version=2) if part == "manifest" else manifest()
    crosswalk = CROSSWALK.replace("blank: -9", "blank: -8") if part == "crosswalk" else CROSSWALK
    data = CSV.replace(b"12", b"13", 1) if part == "data" else CSV
    after = opened(write(tmp_path / "b", {"child.csv": data}, says, crosswalk)).content_hash
    assert after != before


def test_a_key_of_a_map_keeps_its_kind_in_the_hash(tmp_path):
    quoted = CROSSWALK.replace("{1: 1, 2: 2}", '{"1": 1, "2": 2}')
    first = opened(write(tmp_path / "a", {"child.csv": CSV}, crosswalk=CROSSWALK)).content_hash
    assert opened(write(tmp_path / "b", {"child.csv": CSV}, crosswalk=quoted)).content_hash != first


def test_all_errors_are_told_at_once_with_file_and_line(tmp_path):
    says = manifest(ref_area="XXX", version=None, mode="by_phone", modules=["demographics", "acces"])
    says["design"]["wieght"] = says["design"].pop("weight")
    says["fieldwork"]["start"] = "spring"
    says["files"]["child"]["path"] = "nowhere.csv"
    crosswalk = CROSSWALK.replace("sex:", "sexx:").replace("blank: -9", "blank: -99")
    folder = write(tmp_path / "s", {"child.csv": CSV}, says, crosswalk)
    errors = errors_of(folder)
    found = {(error.code, error.params.get("key") or error.params.get("path", "")) for error in errors}
    assert found >= {
        ("S105", "version"),
        ("S105", "design.weight"),
        ("S106", "design.wieght"),
        ("S107", "mode"),
        ("S107", "fieldwork.start"),
        ("S107", "child.net_3m.blank"),
        ("S111", ""),
        ("S118", ""),
        ("S121", "nowhere.csv"),
    }
    lines = (folder / "manifest.yaml").read_text().splitlines()
    for error in errors:
        assert error.title and error.why and error.hint
        if error.params.get("key") == "mode":
            name, _, line = error.where.partition(":")
            assert name == "manifest.yaml" and lines[int(line) - 1] == "mode: by_phone"


def test_hint_names_the_known_entry_that_looks_alike(tmp_path):
    says = manifest()
    says["design"]["wieght"] = says["design"].pop("weight")
    (unknown,) = [e for e in errors_of(write(tmp_path / "s", {"child.csv": CSV}, says)) if e.code == "S106"]
    assert "Known here: weight," in unknown.hint


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ref_area": "ZZZ"}, "S111"),
        ({"ref_area": "NA"}, "S107"),
        ({"framework": "cop-1999"}, "S110"),
        ({"not_asked": ["nothing"]}, "S119"),
        ({"contact": None}, "S105"),
        ({"fieldwork__end": "2026-02-31"}, "S107"),
        ({"population__ages": {"min": 17, "max": 9}}, "S127"),
        ({"files__child": {"path": "child.csv", "encoding": "klingon"}}, "S126"),
        ({"files__child": {"path": "child.csv", "encoding": "idna"}}, "S126"),
        ({"files__child": {"path": "child.csv", "encoding": "base64"}}, "S126"),
        ({"files__child": {"path": "../child.csv"}}, "S120"),
        ({"files__child": {"path": "/etc/passwd"}}, "S120"),
        ({"files__child": {"path": "C:\\child.csv"}}, "S120"),
        ({"files__child": {"path": "a\\..\\..\\child.csv"}}, "S120"),
        ({"files__child": {"path": "child.txt"}}, "S122"),
        ({"kind": "policy"}, "S107"),
        ({"reference_year": "2026"}, "S107"),
        ({"design__replicate_weights": {"columns": ["a", "b"], "type": "JKn", "rscales": [1.0]}}, "S128"),
    ],
)
def test_a_wrong_entry_of_the_manifest(tmp_path, changes, code):
    folder = write(tmp_path / "s", {"child.csv": CSV, "child.txt": CSV}, manifest(**changes))
    assert codes_of(folder) == [code]


@pytest.mark.parametrize("key", [key for key in manifest() if key not in ("files", "framework")])
def test_every_required_entry_is_missed(tmp_path, key):
    says = manifest()
    del says[key]
    (error,) = errors_of(write(tmp_path / "s", {"child.csv": CSV}, says))
    assert (error.code, error.params["key"]) == ("S105", key)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"kind: [survey", "S103"),
        (b"a: 1\na: 2\n", "S104"),
        (b"a: &x [1]\nb: [*x, *x]\n", "S103"),
        (b"[" * 5000, "S103"),
        (b"a: 2026-02-31\n", "S103"),
        (b"? [1, 2]\n: 3\n", "S103"),
        (b"title: caf\xe9\n", "S103"),
        (b"a: !!python/object/apply:os.system ['true']\n", "S103"),
        (b"# " + b"x" * 2_000_001, "S108"),
    ],
)
def test_a_document_that_is_no_yaml_of_ours(tmp_path, text, code):
    folder = write(tmp_path / "s", {"child.csv": CSV})
    (folder / "manifest.yaml").write_bytes(text)
    (error,) = errors_of(folder)
    assert error.code == code and error.where.startswith("manifest.yaml")


@pytest.mark.parametrize("text", [b"", b"[]", b"survey", b"3"])
def test_a_manifest_that_is_no_group_of_entries(tmp_path, text):
    folder = write(tmp_path / "s", {"child.csv": CSV})
    (folder / "manifest.yaml").write_bytes(text)
    assert "S107" in codes_of(folder)


def test_no_submission_and_no_manifest(tmp_path):
    (tmp_path / "empty").mkdir()
    assert codes_of(tmp_path / "empty") == ["S102"]
    assert codes_of(tmp_path / "absent") == ["S101"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("child.sav", CSV, "S124"),
        ("child.csv", b"PK\x03\x04rest", "S124"),
        ("child.csv", b"\xd0\xcf\x11\xe0" + bytes(600), "S124"),
        ("child.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600), "S124"),
        ("child.csv", b"a,b\n1,\x00\n", "S124"),
        ("child.csv", b"", "S123"),
        ("child.parquet", b"$FL2...", "S124"),
        ("child.dta", b"", "S123"),
    ],
)
def test_name_and_content_disagree(tmp_path, name, content, code):
    folder = write(tmp_path / "s", {name: content}, manifest(files__child={"path": name}))
    assert codes_of(folder) == [code]
    assert codes_of(zipped(folder, tmp_path / "s.zip")) == [code]


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "secret.csv").write_bytes(CSV)
    folder = write(tmp_path / "s", {})
    (folder / "child.csv").symlink_to(tmp_path / "secret.csv")
    assert codes_of(folder) == ["S120"]


def test_a_folder_is_no_data_file(tmp_path):
    folder = write(tmp_path / "s", {})
    (folder / "child.csv").mkdir()
    assert codes_of(folder) == ["S121"]


CROSSWALK_FAULTS = [
    ("child: {sex: {source: Q1, map: {1: 1}, copy: true}}", "S114"),
    ("child: {sex: {source: Q1, sql: Q1}}", "S114"),
    ('child: {sex: {source: Q1, map: {1: 1, "1": 2}}}', "S115"),
    ("child: {sex: {source: Q1, map: {1: 7}}}", "S117"),
    ("child: {sex: {source: Q1, map: {1: male}}}", "S117"),
    ("child: {sex: {source: Q1, blank: 6}}", "S117"),
    ("child: {ses_q: {source: w, range: [{code: 1, to: 10}, {code: 2, from: 10}]}}", "S116"),
    ("child: {ses_q: {source: w, range: [{code: 1, from: 9, to: 3}]}}", "S116"),
    ("child: {gender: {source: Q1, copy: true}}", "S112"),
    ("child: {repw: {source: Q1, copy: true}}", "S112"),
    ("child: {sex: {sql: 'read_csv(1)'}}", "S162"),
    ("child: {sex: {sql: '(1 +'}}", "S161"),
    ("child: {sex: {source: Q1, map: {true: 1}}}", "S107"),
    ("child: {sex: {source: Q1, map: {1: [1]}}}", "S107"),
    ("child: {sex: {from: Q1}}", "S106"),
    ("parent: {p_sex: {source: Q1, copy: true}}", "S129"),
]


@pytest.mark.parametrize(("entry", "code"), CROSSWALK_FAULTS)
def test_a_wrong_entry_of_the_crosswalk(tmp_path, entry, code):
    folder = write(tmp_path / "s", {"child.csv": CSV}, crosswalk=f"framework: cop-2026\n{entry}\n")
    (error,) = errors_of(folder)
    assert error.code == code
    assert error.where.startswith("crosswalk.yaml")


def test_a_crosswalk_for_another_framework(tmp_path):
    folder = write(tmp_path / "s", {"child.csv": CSV}, crosswalk="framework: cop-2019\n")
    assert codes_of(folder) == ["S113"]


def test_the_line_of_a_map_key_that_is_a_number(tmp_path):
    crosswalk = "framework: cop-2026\nchild:\n  sex:\n    source: Q1\n    map:\n      1: 1\n      2: 9\n"
    (error,) = errors_of(write(tmp_path / "s", {"child.csv": CSV}, crosswalk=crosswalk))
    assert (error.code, error.where) == ("S117", "crosswalk.yaml:7")


@pytest.mark.parametrize("encoding", ["utf-16-le", "UTF-16BE", "utf-32-le"])
def test_wide_text_without_a_mark_is_text_where_the_manifest_says_so(tmp_path, encoding):
    files = {"child.csv": CSV.decode().encode(encoding)}
    folder = write(tmp_path / "s", files, manifest(files__child={"path": "child.csv", "encoding": encoding}))
    assert opened(folder).data_files["child"].format == "CSV"
    assert opened(zipped(folder, tmp_path / "s.zip")).data_files["child"].format == "CSV"
    assert codes_of(write(tmp_path / "t", files)) == ["S124"]


# --- zip ---------------------------------------------------------------------------------------------------


def hostile_zip(tmp_path: Path, *entries: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    folder = write(tmp_path / "s", {"child.csv": CSV})
    target = zipped(folder, tmp_path / "s.zip")
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target


def test_a_zip_of_one_file_has_no_common_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("child.csv", CSV)
    with Archive(tmp_path / "a.zip").data_file("child.csv", "").open() as file:
        assert file.read() == CSV


@pytest.mark.parametrize(
    "name", ["../evil.csv", "/etc/cron.d/evil", "a/../../evil", "C:/evil", "a\\..\\evil", "x\x00.csv"]
)
def test_zip_names_that_leave_the_folder(tmp_path, name):
    entry = zipfile.ZipInfo("placeholder")
    entry.filename = name
    entry.orig_filename = name
    assert codes_of(hostile_zip(tmp_path, (entry, b"x"))) == ["S131"]
    assert not (tmp_path.parent / "evil.csv").exists()


def test_zip_with_a_link(tmp_path):
    entry = zipfile.ZipInfo("link.csv")
    entry.external_attr = 0o120777 << 16
    assert codes_of(hostile_zip(tmp_path, (entry, b"/etc/passwd"))) == ["S131"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip_with_the_same_name_twice(tmp_path):
    assert codes_of(hostile_zip(tmp_path, ("child.csv", b"a"))) == ["S131"]


def test_zip_bomb(tmp_path):
    assert codes_of(hostile_zip(tmp_path, ("zeros.csv", bytes(50 * 2**20)))) == ["S132"]


def test_zip_with_too_many_members(tmp_path):
    assert codes_of(hostile_zip(tmp_path, *((f"{i}.txt", b"") for i in range(1001)))) == ["S132"]


def test_zip_that_lies_about_its_content(tmp_path):
    target = zipped(write(tmp_path / "s", {"child.csv": CSV * 50}), tmp_path / "s.zip")
    content = bytearray(target.read_bytes())
    content[content.index(b"child.csv") + 40] ^= 0xFF
    target.write_bytes(content)
    assert codes_of(target) == ["S130"]


def test_encrypted_zip(tmp_path):
    target = zipped(write(tmp_path / "s", {"child.csv": CSV}), tmp_path / "s.zip")
    content = bytearray(target.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(signature)
        content[at + offset] |= 1
    target.write_bytes(content)
    assert codes_of(target) == ["S133"]


def test_a_file_that_is_no_zip(tmp_path):
    (tmp_path / "s.zip").write_bytes(b"PK\x03\x04 not really")
    assert codes_of(tmp_path / "s.zip") == ["S130"]


def test_opening_a_zip_writes_nothing(tmp_path):
    (tmp_path / "only").mkdir()
    target = zipped(write(tmp_path / "s", {"child.csv": CSV}), tmp_path / "only" / "s.zip")
    opened(target)
    assert [path.name for path in (tmp_path / "only").iterdir()] == ["s.zip"]


def test_content_is_never_shown(tmp_path):
    target = zipped(write(tmp_path / "s", {"child.csv": CSV}), tmp_path / "s.zip")
    assert "007" not in repr(opened(target).data_files["child"])
