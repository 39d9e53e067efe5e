"""A data file without its folder: the manifest lies beside it or is named."""

from __future__ import annotations

import shutil

import pytest

from copstats.errors import SubmissionErrors
from tests.collect.samples import CHILDREN, CROSSWALK, as_csv, opened, write

CSV = as_csv(CHILDREN)


def test_manifest_beside_the_file(tmp_path):
    folder = write(tmp_path / "s", {"child.csv": CSV}, crosswalk=CROSSWALK)
    whole, bare = opened(folder), opened(folder / "child.csv")
    assert bare.content_hash == whole.content_hash
    assert bare.crosswalk == whole.crosswalk


def test_file_of_another_name_takes_the_place_of_the_one_named(tmp_path):
    folder = write(tmp_path / "s", {"child.csv": CSV}, crosswalk=CROSSWALK)
    moved = tmp_path / "Enquête finale.csv"
    shutil.copy(folder / "child.csv", moved)
    bare = opened(moved, manifest=folder / "manifest.yaml")
    assert bare.data_files["child"].name == moved.name
    assert bare.content_hash == opened(folder).content_hash


def test_manifest_of_another_name(tmp_path):
    folder = write(tmp_path / "s", {"child.csv": CSV}, crosswalk=CROSSWALK)
    (folder / "manifest.yaml").rename(folder / "round-2.yaml")
    with pytest.raises(SubmissionErrors) as caught:
        opened(folder / "child.csv")
    assert [error.code for error in caught.value.errors] == ["S102"]
    assert opened(folder, manifest=folder / "round-2.yaml").data_files["child"].sha256


def test_other_files_lie_beside_it(tmp_path):
    folder = write(tmp_path / "s", {"child.csv": CSV}, crosswalk=CROSSWALK)
    with pytest.raises(SubmissionErrors) as caught:
        opened(tmp_path / "s" / "child.csv", manifest=folder / "manifest.yaml", data=tmp_path)
    assert [error.code for error in caught.value.errors] == ["S121"]
