"""What `copstats submit` does not send, and to whom it does not."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import keyring
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from copstats.client.address import address_of, proxy_for
from copstats.client.wire import Wire
from copstats.errors import CopstatsError, UsageError
from tests.portal.conftest import Served
from tests.portal.submit.between import Line, Passing, answering, certificate, speaking_tls
from tests.portal.submit.conftest import Office
from tests.store.test_custody import Drawer

Lines = Callable[..., Line]
PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def other_key() -> bytes:
    return Ed25519PrivateKey.generate().public_key().public_bytes(*PEM)


def test_a_wrong_token_is_refused_with_the_words_of_the_portal(
    portal: Served, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = office.file(10_000, 100)
    monkeypatch.setenv("COPSTATS_TOKEN", "cop_" + "x" * 43)
    status, told = office.submit(file, portal.url)
    assert (status, told["errors"][0]["code"], told["errors"][0]["where"]) == (2, "U417", "P111")
    monkeypatch.setenv("COPSTATS_TOKEN", portal.tokens["reviewer"])
    assert office.submit(file, portal.url)[1]["errors"][0]["where"] == "P112"


def test_a_token_that_is_none_goes_nowhere(
    office: Office, portal: Served, line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    way, file = line(portal.url), office.file(10_000, 101)
    send = (str(file), "--raw", "--to", way.url)
    monkeypatch.setenv("COPSTATS_TOKEN", "my password")
    assert office.refused(*send) == (2, "U413")
    monkeypatch.delenv("COPSTATS_TOKEN")
    assert office.refused(*send) == (2, "U412")
    kept = office.folder / "token"
    kept.write_text(f"{office.token}\n")
    kept.chmod(0o644)
    assert office.refused(*send, "--token-file", str(kept)) == (3, "C003")
    assert way.connections == 0
    kept.chmod(0o600)
    assert office.run(*send, "--token-file", str(kept))[0] == 0


def test_a_token_is_kept_in_the_keyring_if_that_is_asked_for(
    portal: Served, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(drawer := Drawer())
    send = (str(office.file(10_000, 107)), "--raw", "--to", portal.url)
    monkeypatch.setenv("COPSTATS_TOKEN", "cop_" + "x" * 43)
    assert office.refused(*send, "--keep-token") == (2, "U417")
    assert drawer.entries == {}
    monkeypatch.setenv("COPSTATS_TOKEN", office.token)
    assert office.run(*send, "--keep-token")[0] == 0
    monkeypatch.delenv("COPSTATS_TOKEN")
    assert office.run(*send)[0] == 0
    assert office.token in drawer.entries.values()
    keyring.set_keyring(before)


def test_only_what_is_sealed_leaves_unless_it_is_said_otherwise(
    office: Office, line: Lines, portal: Served
) -> None:
    way, folder = line(portal.url), office.folder
    raw, sealed, text = office.file(1000, 102), folder / "a.copsealed", folder / "child.csv"
    with zipfile.ZipFile(sealed, "w") as archive:
        archive.writestr("seal.json", "{}")
    text.write_text("a,b\n1,2\n")
    for path, options, code in (
        (raw, (), "U414"),
        (text, (), "U414"),
        (text, ("--raw",), "U415"),
        (sealed, ("--raw",), "U415"),
        (folder / "none", (), "U426"),
    ):
        assert office.refused(str(path), "--to", way.url, *options) == (2, code)
    assert way.connections == 0


def problem(status: int, code: str = "P999") -> tuple[int, dict[str, str], bytes]:
    said = {"status": status, "code": code, "title": "No\x1b[2J room", "detail": "because", "hint": "wait"}
    return status, {"content-type": "application/problem+json"}, json.dumps(said).encode()


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (problem(507), 4, "T111"),
        (problem(503), 4, "T110"),
        (problem(413), 2, "U417"),
        ((301, {"location": "https://elsewhere.example/api"}, b""), 2, "U418"),
        ((200, {"content-type": "text/html"}, b"<title>Sign in to the network</title>"), 2, "U419"),
        ((403, {}, b"<html>"), 2, "U419"),
        ((201, {"location": "https://elsewhere.example/other"}, b"{}"), 2, "U419"),
    ],
)
def test_every_other_answer_is_explained(
    office: Office, answer: tuple[int, dict[str, str], bytes], status: int, code: str
) -> None:
    def answers(_: str, path: str) -> tuple[int, dict[str, str], bytes]:
        return (200, {}, other_key()) if path == "/api/key" else answer

    file = office.file(1000, 103)
    with answering(answers) as (url, _):
        assert office.refused(str(file), "--raw", "--to", url, "--patience", "0.3") == (status, code)
    assert "\x1b" not in office.words


def test_the_token_follows_no_redirect(office: Office) -> None:
    with answering(lambda *_: (200, {}, b"{}")) as (elsewhere, heard):
        for status in (301, 302, 307, 308):
            moved = (status, {"location": f"{elsewhere}/api/key"}, b"")
            with answering(lambda *_, moved=moved: moved) as (url, _):
                file = office.file(1000, 104)
                assert office.refused(str(file), "--raw", "--to", url) == (2, "U418")
        assert heard == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://cop.example.org", "U411"),
        ("http://localhost.example.org", "U411"),
        ("http://10.0.0.1:8000", "U411"),
        ("ftp://cop.example.org", "U410"),
        ("https://user:secret@cop.example.org", "U410"),
        ("https://", "U410"),
        ("https://cop.example.org:port", "U410"),
    ],
)
def test_addresses_at_which_a_token_could_be_read(office: Office, url: str, code: str) -> None:
    file = office.file(1000, 105)
    assert office.refused(str(file), "--raw", "--to", url) == (2, code)


@given(st.text(max_size=60))
def test_an_address_is_encrypted_or_of_this_computer(text: str) -> None:
    for written in (text, f"http://{text}", f"https://{text}"):
        try:
            found = address_of(written)
        except UsageError:
            continue
        assert found.scheme == "https" or found.is_loopback
        assert address_of(found.origin) == found


def test_certificates_that_prove_nothing_are_explained(
    office: Office, portal: Served, line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, expired = certificate(office.folder, "127.0.0.1"), certificate(office.folder, "127.0.0.1", -1)
    named = certificate(office.folder, "cop.example.org")
    file = str(office.file(1000, 106))

    def sent(held: Path, trusted: Path | None) -> tuple[int, str]:
        if trusted is None:
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        else:
            monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        way = speaking_tls(line(portal.url), held)
        status, told = office.run(file, "--raw", "--to", way.url)
        return status, told["errors"][0]["code"] if "errors" in told and status else told["state"]

    assert sent(own, None) == (2, "U416")
    assert sent(expired, expired) == (2, "U427")
    assert sent(named, named) == (2, "U428")
    assert sent(own, own) == (0, "complete")
    plain = line(portal.url).url.replace("http:", "https:")
    assert office.refused(file, "--raw", "--to", plain) == (2, "U429")


def test_a_proxy_passes_on_what_it_cannot_read(
    portal: Served, tmp_path: Path, line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = certificate(tmp_path, "cop.example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(held))
    way = speaking_tls(line(portal.url), held)
    proxy, address = Passing(way.port), address_of("cop.example.org/en/upload?")
    monkeypatch.setenv("https_proxy", f"http://office:p%40ss@{proxy.url}")
    wire = Wire(address, portal.tokens["KEN"])
    # The portal answers to the name of its own host alone: that the answer is its own shows who was asked.
    with pytest.raises(UsageError) as caught:
        wire.ask("GET", "/api/submissions")
    wire.close()
    proxy.close()
    assert (caught.value.code, caught.value.where) == ("U417", "P122")
    assert proxy.heard[0].startswith("CONNECT cop.example.org:443 ")
    assert "Proxy-Authorization: Basic b2ZmaWNlOnBAc3M=" in proxy.heard
    assert not any(portal.tokens["KEN"] in one for one in proxy.heard)
    monkeypatch.setenv("no_proxy", "cop.example.org")
    assert proxy_for(address) is None
    assert proxy_for(address_of(portal.url)) is None


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1080", "https://127.0.0.1:1", "http://"])
def test_a_proxy_that_cannot_be_used(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", url)
    with pytest.raises(CopstatsError) as caught:
        proxy_for(address_of("https://cop.example.org"))
    assert caught.value.code == "U425"


def test_a_proxy_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Passing(1, "407 Proxy Authentication Required")
    monkeypatch.setenv("https_proxy", f"http://{proxy.url}")
    with pytest.raises(UsageError) as caught:
        Wire(address_of("https://cop.example.org"), "").ask("GET", "/api/key")
    proxy.close()
    assert caught.value.code == "U425"
