"""What ``/openapi.json`` says is so: requests that it describes, and others, made at random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import negative_data_rejection, not_a_server_error, positive_data_acceptance

from copstats.portal.uploads.api import SEGMENT
from copstats.store.rows import State
from tests.portal.board.registered import register
from tests.portal.conftest import Served
from tests.portal.published.conftest import published  # noqa: F401 - a fixture
from tests.portal.uploads.sending import begin, send, zip_of

schemathesis.serializer.alias(SEGMENT, "application/octet-stream")

ROLES = ("KEN", "reviewer", "operator", "auditor")
FLOWS = ("DF_COP", "COP,DF_COP", "COP,DF_COP,1.0.0", "all", "COP,DF_COP/A.XAA+XBB", "dataflow/COP/DF_COP/*")
KNOWN = {
    "label": ("2026-Q4", "2026-Q3", "2027-Q1", "current", "..%2f2027-Q1"),
    "name": ("manifest.json", "site/", "site/en", "unlisted.txt", "../2027-Q1/manifest.json", "%2e%2e/x"),
    "resource": ("dataflow", "codelist", "datastructure", "conceptscheme", "structure", "agencyscheme", "x"),
    "query": (
        *FLOWS,
        "COP",
        "COP/all/latest",
        "all/all/all/all",
        "COP/DF_COP/~/A",
        "COP/DF_COP/+/*",
        "*/*/*",
    ),
}
"""Parts of paths that lead somewhere, or ought not to."""
CONDITIONS = ("P203", "P125", "P301")
"""A file larger than this portal takes, an area that staff have to name, a reason: beyond a description."""
SDMX_PARAMETERS: dict[str, st.SearchStrategy[Any]] = {
    "startPeriod": st.sampled_from(["2023", "2026-Q4", "20230", "x"]),
    "endPeriod": st.sampled_from(["2025", "2020-01-01", "-1", "9999999"]),
    "detail": st.sampled_from(["full", "dataonly", "allstubs", "referencestubs", "x"]),
    "references": st.sampled_from(["none", "all", "children", "descendants", "codelist", "x"]),
    "format": st.sampled_from(["csv", "json", "xml", "pdf", "*/*"]),
    "lastNObservations": st.sampled_from(["1", "0", "-1", "9" * 30, "x"]),
    "c[REF_AREA]": st.sampled_from(["XAA", "ne:XAA,XBB", "co:X", "ge:", "sw:" + "A" * 500, "x:y:z"]),
    "release": st.sampled_from(["2026-Q3", "current", "2027-Q1", "../../keys"]),
}


@pytest.fixture(scope="module")
def full(published: Served) -> Served:  # noqa: F811 - the fixture
    """A portal with releases, submissions and uploads in several states."""
    client = published.client("KEN")
    ids = [send(client, zip_of(1000, 1)), begin(client, zip_of(1000, 2)).json()["id"]]
    client.delete(f"/api/uploads/{ids[1]}")
    for survey, state in (("COPS", State.WAITING), ("OTHER", State.REJECTED)):
        ids.append(register(published.home, "KEN", survey=survey, state=state).id)
    published.ids["known"] = " ".join(ids)
    return published


def operations(portal: Served) -> Iterator[Any]:
    schema = schemathesis.openapi.from_url(f"{portal.url}/openapi.json")
    yield from (found.ok() for found in schema.get_all_operations())


def known(portal: Served) -> dict[str, tuple[str, ...]]:
    ids = tuple(portal.ids["known"].split())
    # The first waits for its check: following its events would take as long as they may.
    return {**KNOWN, "upload_id": ids, "submission_id": ids[1:]}


def faults(portal: Served) -> list[str]:
    return [line for line in portal.log.read_text("utf-8").splitlines() if "portal.faults" in line]


def try_out(portal: Served, who: str, operation: Any, mode: GenerationMode, examples: int) -> Counter[int]:
    """Make requests of one operation, and hold every answer against the description; return the statuses."""
    statuses: Counter[int] = Counter()
    places, headers = known(portal), {"Authorization": f"Bearer {portal.tokens[who]}"}
    sdmx = "/sdmx/" in operation.path
    unlimited = [not_a_server_error] if sdmx else []
    if operation.path.startswith(("/sdmx/", "/releases/")):  # what is in a release cannot be described
        unlimited.append(positive_data_acceptance)
    declared = {parameter.name for parameter in operation.query}

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=examples < 20,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(operation.as_strategy(mode), st.data())
    def run(case: Any, data: st.DataObject) -> None:
        excluded = list(unlimited)
        if mode is GenerationMode.POSITIVE:
            for name in places.keys() & (case.path_parameters or {}).keys():
                if data.draw(st.booleans()):
                    case.path_parameters[name] = data.draw(st.sampled_from(places[name]))
        elif (
            not (case.query or {}).keys() <= declared
        ):  # parameters that nobody declared are ignored, as usual
            excluded.append(negative_data_rejection)
        if sdmx:
            case.query = {
                **(case.query or {}),
                **data.draw(st.fixed_dictionaries({}, optional=SDMX_PARAMETERS)),
            }
        answer = case.call(headers=headers, timeout=20)
        statuses[answer.status_code] += 1
        # SDMX answers 501 to kinds of queries that a service does not offer.
        assert answer.status_code < 500 or (sdmx and answer.status_code == 501), case.as_curl_command()
        if any(code in answer.text for code in CONDITIONS):
            return
        case.validate_response(answer, excluded_checks=excluded, headers=headers)

    run()
    return statuses


@pytest.mark.parametrize("who", ["KEN", "operator"])
def test_the_portal_answers_as_it_says(full: Served, who: str) -> None:
    statuses: Counter[int] = Counter()
    for operation in operations(full):
        statuses += try_out(full, who, operation, GenerationMode.POSITIVE, 7)
    assert faults(full) == []
    assert statuses.keys() >= {200, 404} and sum(statuses.values()) > 150


@pytest.mark.parametrize("who", ["KEN", "reviewer"])
def test_what_is_no_request_is_refused(full: Served, who: str) -> None:
    statuses: Counter[int] = Counter()
    for operation in operations(full):
        if "security" in operation.definition.raw:  # the others have nothing that could be wrong
            statuses += try_out(full, who, operation, GenerationMode.NEGATIVE, 10)
    assert faults(full) == []
    assert statuses.keys() >= {401, 422}


@pytest.mark.nightly
@pytest.mark.parametrize("who", ROLES)
def test_many_more_requests(full: Served, who: str) -> None:
    for operation in operations(full):
        try_out(full, who, operation, GenerationMode.POSITIVE, 25)
        if "security" in operation.definition.raw:
            try_out(full, who, operation, GenerationMode.NEGATIVE, 25)
    assert faults(full) == []
