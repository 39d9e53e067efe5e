"""Pseudonyms against the standard library, and what must never pass the door."""

from __future__ import annotations

import hashlib
import hmac
import io
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.errors import ConfidentialityError
from copstats.framework import Framework
from copstats.process.coarsen import coarsen
from copstats.process.pseudonymise import pseudonymise, second_pseudonym
from tests.process.material import Submission, clean_child, clean_parent

FIELDS = ("child_id", "parent_id", "hh_id", "stratum", "psu")
KEYS = {field: hashlib.sha256(field.encode()).digest() for field in FIELDS}


def expected(key: bytes, field: str, *values: str) -> str:
    """The token by the standard library's HMAC."""
    message = b""
    for part in (field, *values):
        data = unicodedata.normalize("NFC", part).encode()
        message += len(data).to_bytes(4, "big") + data
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:32]


def submission(small: Framework, children: list[dict], parents: list[dict] | None = None) -> Submission:
    out = Submission().add(small, "child", children, not_taken_over=("phone",))
    return out.add(small, "parent", parents) if parents else out


def people(count: int = 24) -> tuple[list[dict], list[dict]]:
    random = np.random.default_rng(5)
    return (
        [clean_child(number, random) for number in range(count)],
        [clean_parent(number, random) for number in range(count)],
    )


def test_known_answers(small: Framework) -> None:
    children, parents = people()
    made = submission(small, children, parents)
    sealed = pseudonymise(made.connection, made, small, KEYS)
    for record, rows in (("child", children), ("parent", parents)):
        key = "child_id" if record == "child" else "parent_id"
        assert set(sealed[record][key].to_pylist()) == {expected(KEYS[key], key, row[key]) for row in rows}
    ages = dict(zip(sealed["child"]["child_id"].to_pylist(), sealed["child"]["age"].to_pylist(), strict=True))
    for row in children:
        assert ages[expected(KEYS["child_id"], "child_id", row["child_id"])] == row["age"]


def test_a_published_vector_of_hmac_sha256() -> None:
    """RFC 4231, test case 2, holds `expected` itself to a known answer."""
    digest = hmac.new(b"Jefe", b"what do ya want for nothing?", hashlib.sha256).hexdigest()
    assert digest == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@settings(max_examples=60, deadline=None)
@given(
    value=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    key=st.binary(min_size=32, max_size=100),
)
def test_any_value_and_key_as_in_the_standard_library(small: Framework, value: str, key: bytes) -> None:
    child = people(1)[0][0] | {"child_id": value}
    made = submission(small, [child])
    token = pseudonymise(made.connection, made, small, KEYS | {"child_id": key})["child"]["child_id"][
        0
    ].as_py()
    assert token == expected(key, "child_id", value)


def token_of(small: Framework, value: str, keys: dict[str, bytes] = KEYS, column: str = "child_id") -> str:
    child = people(1)[0][0] | {column: value}
    made = submission(small, [child])
    return pseudonymise(made.connection, made, small, keys)["child"][column][0].as_py()


def test_normal_forms_give_one_token_and_other_keys_or_fields_another(small: Framework) -> None:
    composed, decomposed = "Zoë", unicodedata.normalize("NFD", "Zoë")
    assert composed != decomposed
    assert token_of(small, composed) == token_of(small, decomposed)
    assert token_of(small, composed) != token_of(small, composed, KEYS | {"child_id": b"x" * 32})
    one = KEYS | {"hh_id": KEYS["child_id"]}
    assert token_of(small, "7", one) != token_of(small, "7", one, "hh_id")


def test_a_nul_character_does_not_cut_a_key_short(small: Framework) -> None:
    assert token_of(small, "é\0B") != token_of(small, "é\0C")


def test_values_side_by_side_do_not_run_into_each_other(small: Framework) -> None:
    children, _ = people(2)
    children[0] |= {"stratum": "1", "psu": "23"}
    children[1] |= {"stratum": "12", "psu": "3"}
    made = submission(small, children)
    assert len(set(pseudonymise(made.connection, made, small, KEYS)["child"]["psu"].to_pylist())) == 2


def test_strata_and_psus_keep_the_design_and_nothing_else(small: Framework) -> None:
    children, parents = people(36)
    for number, row in enumerate(children):
        row["psu"] = f"P{number % 4}"  # the same PSU codes in every stratum, as real files have them
    made = submission(small, children, parents)
    sealed = pseudonymise(made.connection, made, small, KEYS)["child"]
    by_token = {expected(KEYS["child_id"], "child_id", row["child_id"]): row for row in children}
    pairs = {
        (by_token[token]["stratum"], by_token[token]["psu"], stratum, psu)
        for token, stratum, psu in zip(
            *(sealed[name].to_pylist() for name in ("child_id", "stratum", "psu")), strict=True
        )
    }
    old, new = {pair[:2] for pair in pairs}, {pair[2:] for pair in pairs}
    assert len(old) == len(new) == len(pairs) == 12
    assert {pair[2] for pair in pairs} == {"s001", "s002", "s003"}
    assert len({pair[3] for pair in pairs}) == 12
    order = sorted(
        {row["stratum"] for row in children}, key=lambda s: expected(KEYS["stratum"], "stratum", s)
    )
    assert {(pair[0], pair[2]) for pair in pairs} == {(s, f"s00{i}") for i, s in enumerate(order, 1)}


def test_without_labels_strata_and_psus_keep_their_tokens(small: Framework) -> None:
    children, parents = people()
    made = submission(small, children, parents)
    sealed = pseudonymise(made.connection, made, small, KEYS, labels=False)
    for record, rows in (("child", children), ("parent", parents)):
        assert set(sealed[record]["stratum"].to_pylist()) == {
            expected(KEYS["stratum"], "stratum", row["stratum"]) for row in rows
        }
        assert set(sealed[record]["psu"].to_pylist()) == {
            expected(KEYS["psu"], "psu", row["stratum"], row["psu"]) for row in rows
        }


def test_labels_are_permuted_between_waves(small: Framework) -> None:
    children, _ = people(36)
    made = submission(small, children)
    orders = set()
    for wave in range(8):
        keys = {name: hashlib.sha256(f"{wave}{name}".encode()).digest() for name in FIELDS}
        sealed = pseudonymise(made.connection, made, small, keys)["child"]
        rows = {expected(keys["child_id"], "child_id", row["child_id"]): row["stratum"] for row in children}
        labels = zip(sealed["child_id"].to_pylist(), sealed["stratum"].to_pylist(), strict=True)
        orders.add(tuple(sorted({(label, rows[token]) for token, label in labels})))
    assert len(orders) > 1  # all alike by chance: once in 6^7


def test_columns_become_coarser_on_the_way(small: Framework) -> None:
    made = submission(small, people()[0])
    coarsened = coarsen(made.connection, made, small)
    sealed = pseudonymise(made.connection, made, small, KEYS, coarsened=coarsened)["child"]
    assert set(sealed["int_ym"].to_pylist()) == {"2026-01"}
    kept = pseudonymise(made.connection, made, small, KEYS)["child"]
    assert set(kept["int_ym"].to_pylist()) == {"2026-02"}
    assert sealed.drop_columns("int_ym").equals(kept.drop_columns("int_ym"))


SECOND = {field: hashlib.sha256(b"receiving" + field.encode()).digest() for field in FIELDS}


def test_the_second_pseudonym_is_made_of_the_first(small: Framework) -> None:
    children, parents = people()
    children[0]["hh_id"] = None
    made = submission(small, children, parents)
    first = pseudonymise(made.connection, made, small, KEYS)
    persons = {name: SECOND[name] for name in ("child_id", "parent_id", "hh_id")}
    second = {record: second_pseudonym(table, persons) for record, table in first.items()}
    for record, table in first.items():
        key = f"{record}_id"
        before = {expected(SECOND[key], key, row[key]): row for row in table.to_pylist()}
        for row in second[record].to_pylist():
            old = before[row[key]]
            for name in persons.keys() & row.keys():
                assert row[name] == (old[name] and expected(SECOND[name], name, old[name]))
            rest = row.keys() - persons.keys()
            assert {name: row[name] for name in rest} == {name: old[name] for name in rest}
        assert second[record].column_names == table.column_names
        tokens = second[record]["child_id"].to_pylist()
        assert tokens == sorted(tokens)
        assert not set(tokens) & set(table["child_id"].to_pylist())
    assert set(second["parent"]["child_id"].to_pylist()) <= set(second["child"]["child_id"].to_pylist())


def test_a_second_pseudonym_needs_a_good_key(small: Framework) -> None:
    made = submission(small, people(2)[0])
    first = pseudonymise(made.connection, made, small, KEYS)["child"]
    for keys, code in (({"hh_id": SECOND["hh_id"]}, "C201"), ({"child_id": b"short"}, "C202")):
        with pytest.raises(ConfidentialityError) as error:
            second_pseudonym(first, keys)
        assert error.value.code == code


def test_child_and_parent_share_tokens_and_labels(small: Framework) -> None:
    children, parents = people()
    made = submission(small, children, parents[:10])
    sealed = pseudonymise(made.connection, made, small, KEYS)
    rows = {row["child_id"]: row for row in sealed["child"].to_pylist()}
    for row in sealed["parent"].to_pylist():
        assert rows[row["child_id"]]["psu"] == row["psu"]
        assert rows[row["child_id"]]["stratum"] == row["stratum"]


def test_the_order_of_the_file_does_not_survive(small: Framework) -> None:
    children, _ = people()
    made, turned = submission(small, children), submission(small, children[::-1])
    sealed = pseudonymise(made.connection, made, small, KEYS)["child"]
    assert sealed.equals(pseudonymise(turned.connection, turned, small, KEYS)["child"])
    assert sealed["child_id"].to_pylist() == sorted(sealed["child_id"].to_pylist())


def test_only_columns_of_the_framework_pass(small: Framework) -> None:
    children, _ = people()
    for number, row in enumerate(children):
        row |= {"phone": float(number), "child_id": f"CANARY{number}", "int_lang": "CANARY", "hh_id": None}
        row |= {"stratum": f"CANARY{number % 2}", "psu": f"CANARY{number % 4}"}
    made = submission(small, children)
    made.connection.execute("ALTER TABLE child ADD COLUMN note VARCHAR DEFAULT 'CANARY'")
    sealed = pseudonymise(made.connection, made, small, KEYS)["child"]
    names = [name for name in small.variables("child") if name not in ("int_lang", "repw")]
    expected_names = sorted([*names, "repw_001", "repw_002"])
    assert sorted(sealed.column_names) == expected_names
    assert sealed.schema.metadata is None
    assert all(field.metadata is None for field in sealed.schema)
    assert not any(pa.types.is_dictionary(field.type) for field in sealed.schema)
    assert sealed["hh_id"].null_count == len(children)
    buffer = io.BytesIO()
    pq.write_table(sealed, buffer, compression="none", use_dictionary=False)
    arrow = pa.BufferOutputStream()
    with pa.ipc.new_stream(arrow, sealed.schema) as writer:
        writer.write_table(sealed)
    assert b"CANARY" not in buffer.getvalue() + arrow.getvalue().to_pybytes()


def test_without_a_good_key_nothing_is_made(small: Framework) -> None:
    made = submission(small, people(2)[0])
    for field in ("child_id", "hh_id", "stratum", "psu"):
        lacking = {name: key for name, key in KEYS.items() if name != field}
        with pytest.raises(ConfidentialityError) as error:
            pseudonymise(made.connection, made, small, lacking)
        assert error.value.code == "C201"
        assert field in error.value.title
        with pytest.raises(ConfidentialityError) as error:
            pseudonymise(made.connection, made, small, KEYS | {field: b"secret-canary"})
        assert error.value.code == "C202"
        assert "canary" not in f"{error.value}{error.value.as_dict()}"
