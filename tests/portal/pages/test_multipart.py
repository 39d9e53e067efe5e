"""The form with a file is read as it streams, wherever the network cuts it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copstats.errors import PortalError
from copstats.portal.provider.multipart import FormStream


def sent(fields: dict[str, str], content: bytes) -> tuple[str, bytes]:
    """What a client other than ours sends: content type and body."""
    request = httpx.Request("POST", "http://portal/", data=fields, files={"file": ("a b.zip", content)})
    return request.headers["content-type"], request.read()


def read(content_type: str, body: bytes, cuts: Sequence[int] = ()) -> tuple[dict[str, str], bytes]:
    async def pieces() -> AsyncIterator[bytes]:
        edges = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
        for start, end in itertools.pairwise(edges):
            yield body[start:end]

    async def whole() -> tuple[dict[str, str], bytes]:
        form = FormStream(content_type, pieces())
        fields = await form.fields()
        return fields, b"".join([piece async for piece in form.file()])

    return asyncio.run(whole())


@given(
    st.dictionaries(st.text("abcsrf", min_size=1), st.text(max_size=50), max_size=4),
    st.lists(st.sampled_from([b"\r\n", b"--", b"\r\n--", b"\0", b"PK", b"x" * 70])).map(b"".join),
    st.lists(st.integers(min_value=0), max_size=12),
)
def test_fields_and_file_come_through_whatever_they_hold_and_wherever_they_are_cut(
    fields: dict[str, str], content: bytes, cuts: list[int]
) -> None:
    content_type, body = sent(fields, content)
    assert read(content_type, body, cuts) == (fields, content)


@given(st.integers(min_value=0, max_value=10_000))
def test_a_form_that_was_cut_is_no_form(place: int) -> None:
    content_type, body = sent({"csrf": "s"}, b"0123456789" * 9)
    closing = body.rindex(b"\r\n--")
    with pytest.raises(PortalError) as caught:
        read(content_type, body[: place % closing])
    assert caught.value.code == "P117"


@given(st.binary(max_size=300))
def test_no_body_is_read_as_a_form_by_accident(body: bytes) -> None:
    with pytest.raises(PortalError) as caught:
        read("multipart/form-data; boundary=edge", body)
    assert caught.value.code == "P117"


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", "multipart/mixed; boundary=a"])
def test_other_bodies_are_refused(kind: str) -> None:
    with pytest.raises(PortalError) as caught:
        read(kind, b"--a--")
    assert (caught.value.code, caught.value.status) == ("P116", 415)


def test_a_field_that_never_ends_is_not_gathered() -> None:
    content_type, body = sent({"csrf": "s" * 100_000}, b"x")
    with pytest.raises(PortalError) as caught:
        read(content_type, body, range(0, len(body), 1000))
    assert caught.value.code == "P117"
