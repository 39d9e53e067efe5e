"""Files made to fill, crash or mislead whoever takes them in, packed as an office would send them."""

from __future__ import annotations

import gzip
import io
import random
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from copstats.project import project_root
from tests.collect.test_hostile_files import SHEET, sheet_xml, workbook_with
from tests.collect.test_mutated import good, variant

SAMPLE = project_root() / "sample_data" / "submissions" / "XAA_2023_COPS_v01"
CORNER = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
ENTITY = b'<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row>'
MUTATED = 4


def zipped(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inner in files.items():
            archive.writestr(zipfile.ZipInfo(name), inner, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def with_data(name: str, content: bytes, **others: bytes) -> bytes:
    """The sample with another data file."""
    says = (SAMPLE / "manifest.yaml").read_text("utf-8").replace("path: child.csv", f"path: {name}")
    return zipped({"manifest.yaml": says.encode(), name: content, **others})


def bomb(size: int) -> bytes:
    return zipped({"manifest.yaml": b"a" * size})


def linked() -> bytes:
    """An archive in which the data file is a link to a file of the server."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.write(SAMPLE / "manifest.yaml", "manifest.yaml")
        link = zipfile.ZipInfo("child.csv")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return content.getvalue()


def leading_out(path: str) -> bytes:
    """A manifest that names a file of the server."""
    says = (SAMPLE / "manifest.yaml").read_text("utf-8").replace("path: child.csv", f"path: {path}")
    return zipped({"manifest.yaml": says.encode(), "child.csv": b"x"})


def anchors(depth: int) -> bytes:
    """A YAML document of a few hundred bytes that means 9 to the power of `depth` words."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, depth)]
    return "\n".join(lines).encode()


def mutated(folder: Path, number: int) -> bytes:
    chance = random.Random(number)  # noqa: S311
    return with_data("child.sav", variant("sav", good("sav", folder), chance))


def hostile(folder: Path) -> dict[str, tuple[bytes, set[str]]]:
    """Return name -> content and the codes of which one is expected; `folder` for temporary files."""
    outside = {"manifest.yaml": b"x"}
    cases = {
        "bomb": (bomb(50_000_000), {"S132"}),
        "bomb of data": (with_data("child.csv", b"0" * 50_000_000), {"S132"}),
        "zip in a zip": (with_data("child.csv", bomb(50_000_000)), {"S124"}),
        "zip named in the manifest": (with_data("child.zip", bomb(50_000_000)), {"S122"}),
        "packed csv": (with_data("child.csv.gz", gzip.compress(b"0" * 50_000_000)), {"S122"}),
        "packed as csv": (with_data("child.csv", gzip.compress(b"0" * 50_000_000)), {"S124"}),
        "far cell": (with_data("child.xlsx", workbook_with({SHEET: sheet_xml(CORNER)})), {"S140", "S141"}),
        "entities": (with_data("child.xlsx", workbook_with({SHEET: LAUGHS + sheet_xml(ENTITY)})), {"S140"}),
        "anchors": (zipped({"manifest.yaml": anchors(9)}), {"S103"}),
        "upwards": (zipped({**outside, "../../outside.txt": b"x"}), {"S131"}),
        "from the root": (zipped({**outside, "/tmp/outside.txt": b"x"}), {"S131"}),  # noqa: S108
        "backwards": (zipped({**outside, "..\\outside.txt": b"x"}), {"S131"}),
        "link": (linked(), {"S131"}),
        "manifest that leaves": (with_data("../child.csv", b"x"), {"S131"}),
        "manifest that leads out": (leading_out("../../../etc/passwd"), {"S120"}),
    }
    cases |= {f"mutated {number}": (mutated(folder, number), set()) for number in range(MUTATED)}
    return cases
