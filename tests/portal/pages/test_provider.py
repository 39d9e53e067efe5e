"""Pages of a statistics office as a browser without scripts sees them."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import zipfile

import httpx
import pytest
from lxml import html

from copstats.language import LANGUAGES
from copstats.store.home import Home
from copstats.store.portal_messages import MessageRegistry
from copstats.store.portal_uploads import UploadRegistry
from tests.portal.conftest import Served, csrf_of

PAGES = ("country", "upload", "messages", "values")
SPARE = dt.datetime.now(dt.UTC)


def zipped(text: str) -> bytes:
    """A zip that is whole, and no submission."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("notes.txt", text)
    return content.getvalue()


def upload(browser: httpx.Client, content: bytes, csrf: str | None = None) -> httpx.Response:
    fields = {"csrf": csrf_of(browser) if csrf is None else csrf}
    return browser.post("/en/upload", data=fields, files={"file": ("sent.zip", content)})


def uploads(portal: Served, area: str = "KEN") -> list[str]:
    return [one.id for one in UploadRegistry(Home.open(portal.home).registry.database).uploads(area)]


def text_of(answer: httpx.Response) -> str:
    return " ".join(html.fromstring(answer.text).find("body").text_content().split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_stands_in_every_language_with_a_label_for_every_field(
    portal: Served, language: str
) -> None:
    browser = portal.browser("KEN", language)
    for path in PAGES:
        answer = browser.get(f"/{language}/{path}")
        assert answer.status_code == 200, path
        page = html.fromstring(answer.text)
        assert (page.get("lang"), page.get("dir")) == (language, "rtl" if language == "ar" else "ltr")
        assert len(page.findall(".//h1")) == 1
        current = page.xpath("//nav[@class='sections']//a[@aria-current='page']/@href")
        assert current == [f"/{language}/{path}"]
        fields = page.xpath("//main//*[self::input or self::select or self::textarea][not(@type='hidden')]")
        labels = set(page.xpath("//label/@for"))
        assert {field.get("id") for field in fields} <= labels
        assert all(form.xpath(".//input[@name='csrf']") for form in page.xpath("//form"))
        assert not page.xpath("//*[@style or @onclick] | //style | //script[not(@src)]")
        others = set(page.xpath("//nav[@class='languages']//a/@href"))
        assert others == {f"/{tag}/{path}" for tag in LANGUAGES}


def test_a_file_sent_without_scripts_is_received_once_with_its_checksum(portal: Served) -> None:
    browser, content = portal.browser("KEN"), zipped("once")
    first, again = upload(browser, content), upload(browser, content)
    assert first.status_code == 303
    assert first.headers["location"] == again.headers["location"]
    page = browser.get(first.headers["location"])
    assert hashlib.sha256(content).hexdigest() in page.text
    assert "waits for its check" in text_of(page)
    receipt = html.fromstring(page.text).xpath("//a[@download]/@href")
    assert browser.get(receipt[0]).json()["receipt"]["size"] == len(content)
    assert first.headers["location"].rsplit("/", 1)[1] in browser.get("/en/country").text


def test_a_form_of_another_page_or_a_file_that_is_none_leaves_nothing(portal: Served) -> None:
    browser, before = portal.browser("KEN"), uploads(portal)
    assert upload(browser, zipped("forged"), csrf="0" * 64).status_code == 403
    assert uploads(portal) == before
    refused = upload(browser, b"no zip at all" * 10)
    assert refused.status_code == 422
    assert html.fromstring(refused.text).xpath("//main//*[@role='alert']")
    home = Home.open(portal.home)
    states = {
        one.state for one in UploadRegistry(home.registry.database).uploads("KEN") if one.id not in before
    }
    assert states <= {"refused"}
    assert {one.upload_id for one in home.inbox.uploads()} <= set(uploads(portal)) | set(
        uploads(portal, "UGA")
    )


def test_what_belongs_to_another_country_does_not_exist(portal: Served) -> None:
    mine = upload(portal.browser("KEN"), zipped("of Kenya")).headers["location"].rsplit("/", 1)[1]
    other = portal.browser("UGA")
    for path in ("submissions/{}", "submissions/{}/findings", "submissions/{}/findings.csv"):
        theirs = other.get("/en/" + path.format(mine))
        nobodys = other.get("/en/" + path.format("UGA_0000000000000000"))
        assert (theirs.status_code, theirs.text.replace(mine, "")) == (
            404,
            nobodys.text.replace("UGA_0000000000000000", ""),
        )
    answer = other.post("/en/messages", data={"csrf": csrf_of(other), "about": mine, "text": "hello"})
    assert answer.status_code == 404
    assert mine not in other.get("/en/country").text
    for staff in ("reviewer", "operator", "auditor"):
        assert portal.browser(staff).get("/en/country").status_code == 403


def test_messages_are_shown_as_they_were_written_and_count_until_they_are_read(portal: Served) -> None:
    browser, live = portal.browser("UGA"), "<b>Which weights?</b>\n=1+1"
    sent = browser.post("/en/messages", data={"csrf": csrf_of(browser), "about": "", "text": live})
    assert sent.status_code == 303
    page = html.fromstring(browser.get(sent.headers["location"]).text)
    said = page.xpath("//ol[@class='thread']//p[@class='words']")[-1]
    assert (said.text_content(), len(said)) == (live, 0)
    registry = MessageRegistry(Home.open(portal.home).registry.database)
    token = portal.ids["reviewer"]
    registry.send(
        "UGA",
        "Those of the frame.",
        submission_id=None,
        from_area=False,
        token_id=token,
        holder="R",
        now=SPARE,
    )
    assert "not read: 1" in text_of(browser.get("/en/country"))
    assert "Those of the frame." in browser.get("/en/messages").text
    assert "not read" not in text_of(browser.get("/en/country"))
    assert "Those of the frame." not in portal.browser("KEN").get("/en/messages").text
    assert registry.unread(from_area=True)["UGA"] == 1


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 4001])
def test_a_message_without_words_or_with_too_many_is_refused_and_what_was_written_stays(
    portal: Served, text: str
) -> None:
    browser = portal.browser("UGA")
    answer = browser.post("/en/messages", data={"csrf": csrf_of(browser), "about": "", "text": text})
    assert answer.status_code == 422
    page = html.fromstring(answer.text)
    assert "P322" in page.xpath("string(//*[@role='alert'])")
    assert page.xpath("string(//textarea)").strip() == text.strip()
