"""The committed sample submissions: valid definitions, fictional areas, universes that hold."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import openpyxl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pyreadstat
import pytest

from copstats.framework.located import Located
from copstats.framework.manifest import Crosswalk, SurveyManifest

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
FOLDERS = sorted(p.parent for p in SAMPLES.rglob("manifest.yaml") if "official" not in p.parts)
SUBMISSIONS = [folder for folder in FOLDERS if folder.parent.name == "submissions"]
CLEAN = [folder for folder in SUBMISSIONS if folder.name != "XFF_2025_COPS_v01"]


def manifest_of(folder: Path) -> SurveyManifest:
    return msgspec.convert(Located(folder / "manifest.yaml").data, SurveyManifest)


def identify(folder: Path) -> str:
    return folder.name


def areas() -> dict[str, dict[str, str]]:
    with (SAMPLES / "areas.csv").open(encoding="utf-8") as lines:
        return {row["area"]: row for row in csv.DictReader(lines)}


@pytest.mark.parametrize("folder", FOLDERS, ids=identify)
def test_manifest_and_crosswalk_have_the_declared_types(folder: Path) -> None:
    manifest = manifest_of(folder)
    crosswalk = folder / "crosswalk.yaml"
    if crosswalk.exists():
        read = msgspec.convert(Located(crosswalk).data, Crosswalk)
        assert read.framework == manifest.framework
        for mapping in (*read.child.values(), *read.parent.values()):
            recodes = (mapping.map, mapping.range, mapping.copy, mapping.sql)
            assert sum(recode is not None for recode in recodes) == 1


@pytest.mark.parametrize("folder", SUBMISSIONS, ids=identify)
def test_folder_is_named_by_the_submission_and_holds_its_files(folder: Path) -> None:
    manifest = manifest_of(folder)
    assert manifest.submission_id == f"{folder.name}_M"
    files = [manifest.files.child, *([manifest.files.parent] if manifest.files.parent else [])]
    held = {path.name for path in folder.iterdir() if path.suffix != ".yaml"}
    assert held == {file.path for file in files}
    assert all(path.stat().st_size < 1_000_000 for path in folder.iterdir())


def test_whole_folder_is_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 6_000_000


def test_areas_are_user_assigned_codes_in_all_itu_regions() -> None:
    table = areas()
    assert len(table) == 8
    assert {row["itu_region"] for row in table.values()} == {"AFR", "AMS", "ARB", "ASP", "CIS", "EUR"}
    for code, row in table.items():
        # ISO 3166-1 leaves XAA to XZZ to users; XKX is in common use for a real territory.
        assert code[0] == "X" and code != "XKX"
        assert row["name"].endswith("(fictional)")


def test_every_submission_is_of_a_fictional_area() -> None:
    used = {manifest_of(folder).ref_area for folder in SUBMISSIONS}
    assert used == set(areas())


def test_samples_cover_what_the_documentation_says() -> None:
    manifests = [manifest_of(folder) for folder in CLEAN]
    rounds = [manifest.ref_area for manifest in manifests]
    assert sorted(area for area in set(rounds) if rounds.count(area) == 2) == ["XAA", "XDD"]
    assert {Path(m.files.child.path).suffix for m in manifests} == {
        ".csv",
        ".xlsx",
        ".sav",
        ".zsav",
        ".dta",
        ".parquet",
    }
    assert {m.ref_area for m in manifests if m.population.setting == "school"} == {"XCC", "XDD"}
    assert {m.ref_area for m in manifests if m.population.universe == "internet_users"} == {"XEE"}
    assert {m.ref_area for m in manifests if m.sampling == "non_probability"} == {"XDD"}
    assert {m.ref_area for m in manifests if m.not_asked} == {"XHH"}
    assert {m.ref_area for m in manifests if m.files.parent} == {"XAA", "XBB", "XFF", "XHH"}


# Files with the framework's names and codes, which plain SQL can read; and the national age floor.
PLAIN = {
    "XAA_2023_COPS_v01": 0,
    "XAA_2025_COPS_v01": 0,
    "XFF_2025_COPS_v02": 0,
    "XGG_2025_COPS_v01": 0,
    "XHH_2025_COPS_v01": 13,
}


def plain_table(name: str, record: str = "child") -> pa.Table:
    folder = SAMPLES / "submissions" / name
    if (folder / f"{record}.parquet").exists():
        return pa.parquet.read_table(folder / f"{record}.parquet")
    if name.startswith("XGG"):
        # Recoded by hand here: encoding, delimiter and decimal comma as the manifest says.
        return pa.csv.read_csv(
            folder / "enfants.csv",
            read_options=pa.csv.ReadOptions(encoding="cp1252"),
            parse_options=pa.csv.ParseOptions(delimiter=";"),
            convert_options=pa.csv.ConvertOptions(decimal_point=","),
        )
    return pa.csv.read_csv(folder / f"{record}.csv")


def one_row(sql: str, **tables: pa.Table) -> tuple[Any, ...]:
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        rows: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
    return rows[0]


UNIVERSES = {
    "net_3m = 1": "net_freq net_age1 dev_phone dev_comp act_learn act_social act_game skl_privacy skl_block"
    " skl_report skl_verify rcn_selfharm rcn_hate rcn_violence rct_unknown rcd_cybervic rcd_cyberperp"
    " rcm_data rcm_scam rcm_hack rcx_excess hrm_upset med_talk med_safe med_rules med_tech net_hours",
    "net_3m = 1 AND age >= 9": "rcn_sexual",
    "net_3m = 1 AND age >= greatest(12, $floor)": "rct_sexask rct_gift rct_threat rct_imgshared",
    "rct_unknown = 1": "rct_met",
    "rcd_cybervic = 1": "rcd_cyberfreq",
    "hrm_upset >= 2": "hrm_intens hrm_type hlp_told hlp_platform",
    "hlp_told = 1": "hlp_parent hlp_friend hlp_teacher hlp_helpline hlp_police",
}


@pytest.mark.parametrize("name", PLAIN)
def test_skip_pattern_holds(name: str) -> None:
    child = plain_table(name)
    checked = 0
    for universe, variables in UNIVERSES.items():
        for variable in set(variables.split()) & set(child.column_names):
            # Skipped exactly where the universe is not met (a filter that was refused is not met).
            asked = universe.replace("$floor", str(PLAIN[name]))
            sql = f"SELECT count(*) FROM child WHERE ({asked}) <> ({variable} <> -7)"
            assert one_row(sql, child=child) == (0,), variable
            checked += 1
    assert checked >= 40


@pytest.mark.parametrize("name", PLAIN)
def test_taught_at_school_is_asked_of_pupils(name: str) -> None:
    child = plain_table(name)
    pupil = "scolarisé = 'Oui'" if name.startswith("XGG") else "in_school = 1"
    assert one_row(f"SELECT count(*) FROM child WHERE ({pupil}) <> (med_school <> -7)", child=child) == (0,)


@pytest.mark.parametrize("name", PLAIN)
def test_design_is_realistic(name: str) -> None:
    child = plain_table(name)
    weight = "poids" if name.startswith("XGG") else "weight"
    row = one_row(
        f"""
        SELECT count(*), count(DISTINCT child_id), min({weight}) > 0,
               stddev({weight}) / avg({weight}), count(DISTINCT stratum), count(DISTINCT (stratum, psu)),
               count(DISTINCT psu)
        FROM child
        """,
        child=child,
    )
    n, keys, positive, variation, strata, clusters, numbers = row
    assert 1_200 <= n == keys <= 2_600
    assert positive and 0.2 < variation < 1.5
    assert strata >= 6 and clusters >= 36
    assert numbers < clusters, "cluster numbers repeat across strata, as in real files"
    single = one_row(
        "SELECT count(*) FROM (SELECT stratum FROM child GROUP BY stratum HAVING count(DISTINCT psu) = 1)",
        child=child,
    )
    assert single == (1 if name.startswith("XGG") else 0,)


@pytest.mark.parametrize("name", PLAIN)
def test_exploitation_is_rare_and_often_refused(name: str) -> None:
    child = plain_table(name)
    for variable in ("rct_gift", "rct_threat", "rct_imgshared"):
        row = one_row(
            f"SELECT avg(({variable} = 1)::INT) FILTER ({variable} >= 0), avg(({variable} = -9)::INT)"
            f" FROM child WHERE {variable} <> -7",
            child=child,
        )
        assert 0 < row[0] < 0.03
        assert 0.01 < row[1] < 0.08


@pytest.mark.parametrize("name", ["XAA_2025_COPS_v01", "XFF_2025_COPS_v02", "XHH_2025_COPS_v01"])
def test_parents_belong_to_children(name: str) -> None:
    child, parent = plain_table(name), plain_table(name, "parent")
    row = one_row(
        """
        SELECT count(*) = count(c.child_id),
               count(*) FILTER ((c.net_3m = 1) <> (p.p_aware_upset <> -7)),
               count(*) = count(DISTINCT p.parent_id),
               count(*) FILTER (p.stratum <> c.stratum OR p.psu <> c.psu),
               corr((p.p_aware_upset = 1)::INT, (c.hrm_upset >= 2)::INT) FILTER (p.p_aware_upset >= 0)
        FROM parent p LEFT JOIN child c USING (child_id)
        """,
        child=child,
        parent=parent,
    )
    assert row[:4] == (True, 0, True, 0)
    assert row[4] > 0.1


def test_spss_file_declares_missing_codes_and_arabic_labels() -> None:
    path = SAMPLES / "submissions" / "XCC_2025_COPS_v01" / "child.sav"
    data, meta = pyreadstat.read_sav(str(path), user_missing=True)
    assert meta.missing_ranges["rct_gift"] == [{"lo": 8.0, "hi": 8.0}, {"lo": 9.0, "hi": 9.0}]
    assert meta.variable_value_labels["rct_gift"][1.0] == "نعم"
    assert set(data["rct_gift"].dropna()) <= {1.0, 2.0, 8.0, 9.0}
    # Pupils who are not online were asked about cyberbullying as well.
    offline = data[data["net_3m"] == 2]
    assert len(offline) > 20 and offline["rcd_cybervic"].notna().all() and offline["rct_unknown"].isna().all()


def test_compressed_spss_file_has_russian_labels_and_no_filter_column() -> None:
    path = SAMPLES / "submissions" / "XEE_2025_COPS_v01" / "child.zsav"
    data, meta = pyreadstat.read_sav(str(path))
    assert path.read_bytes()[:4] == b"$FL3"
    labels = meta.variable_value_labels["rcd_cybervic"]
    assert set(labels) == {0.0, 1.0, -7.0, -8.0, -9.0} and labels[1.0] == "Да"
    assert "net_3m" not in data.columns and (data["net_freq"] != -7).all()


@pytest.mark.parametrize("year", [2023, 2025])
def test_stata_file_has_extended_missing_values(year: int) -> None:
    path = SAMPLES / "submissions" / f"XDD_{year}_COPS_v01" / "child.dta"
    data, meta = pyreadstat.read_dta(str(path), user_missing=True)
    assert meta.missing_user_values["rcd_cybervic"] == ["a", "b", "c"]
    assert (data.loc[data["net_3m"] == 0, "rcd_cybervic"] == "c").all()
    assert data["age"].between(13, 17).all()


def test_workbook_has_two_sheets_with_national_names() -> None:
    book = openpyxl.load_workbook(
        SAMPLES / "submissions" / "XBB_2025_COPS_v01" / "encuesta.xlsx", read_only=True
    )
    assert book.sheetnames == ["NINOS", "PADRES"]
    header, first = list(book["NINOS"].iter_rows(max_row=2, values_only=True))
    assert {"ESTRATO", "UPM", "FACTOR", "SEXO", "P37"} <= set(header)
    assert dict(zip(header, first, strict=True))["SEXO"] in ("Hombre", "Mujer")
