"""The pages in a real browser: with script, without, on a phone, in the dark (spec S135).

With SAMPAN_SCREENSHOTS=folder each journey leaves its pages there, to be looked at.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from sampan.composing.parts import compose as composed
from sampan.database import Connection
from sampan.messages.tables import Batch, ComposeDraft, Message
from tests.interfaces.running import WebProcess, web_process
from tests.world import PASSWORD, make_customer, make_places

PHONE = {"width": 360, "height": 780}
CHINESE = "海港花店：您訂購的花束將於11月21日（星期六）上午送達。如需更改，請致電 2555 0142。😀"
ENGLISH = "Harbour Florist: Christmas wreaths are here! Pre-order by 30 Nov for 15% off: hf.hk/xmas"
WAIT_MS = 10_000


@pytest.fixture(scope="module")
def running(migrated_database: Connection) -> Iterator[WebProcess]:
    with web_process() as process:
        yield process


@pytest.fixture
def web(running: WebProcess, database: Connection, monkeypatch: pytest.MonkeyPatch) -> WebProcess:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's own loop stands still while the ORM is asked
    make_places()
    make_customer()
    return running


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    file = tmp_path / "wreath-customers.csv"
    rows = ["9123 4567,Wong", "6482 0915,Ho", "2555 0142,Shop", "9123 4567,Wong again", "+853 6612 0034,Ieong"]
    file.write_text("Mobile,Name\n" + "\n".join(rows))
    return file


def look(page: Page, name: str) -> None:
    """Leave a picture of the whole page, where somebody wants to look."""
    if folder := os.environ.get("SAMPAN_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def sign_in(page: Page, web: WebProcess) -> None:
    page.goto(web.address)
    page.get_by_label("Login name").fill("harbour")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Welcome, Harbour Florist")).to_be_visible()


TOO_WIDE = """() => [...document.querySelectorAll('body *')]
    .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1
                         && !element.closest('.scroll, .aloud, .harbour, [popover]:not(:popover-open)'))
    .map((element) => `${element.tagName} ${element.className} ${element.textContent.trim().slice(0, 40)}`)"""


def no_sideways_scroll(page: Page) -> None:
    assert page.evaluate(TOO_WIDE) == [], page.url
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"


def shown(page: Page, name: str) -> str:
    return page.locator(f'[data-show="{name}"]').first.inner_text()


@pytest.mark.browser
def test_a_member_uploads_a_file_reviews_and_sends(page: Page, web: WebProcess, numbers: Path) -> None:
    """spec S1, S2, S5, S102"""
    sign_in(page, web)
    page.get_by_role("link", name="Compose").first.click()
    page.set_input_files("#file", numbers)
    expect(page.locator(".file-card")).to_contain_text("Numbers are in column A, “Mobile”")
    expect(page.locator(".tally")).to_contain_text("Numbers to send to: 3")
    page.get_by_label("Text", exact=True).fill(ENGLISH)
    page.get_by_label("Batch name").fill("Christmas wreaths")
    expect(page.locator('[data-show="price"]')).to_have_text("HK$0.92")
    look(page, "compose")
    page.get_by_role("button", name="Review").last.click()
    expect(page.get_by_role("heading", name="Christmas wreaths")).to_be_visible()
    expect(page.get_by_text("Bad rows: 1, duplicates: 1")).to_be_visible()
    look(page, "review")
    page.get_by_role("button", name="Send 3 messages").click()
    expect(page.get_by_text("Handed to the operator: 0 of 3")).to_be_visible()
    look(page, "batch")
    assert Batch.objects.get().name == "Christmas wreaths"
    assert Message.objects.count() == 3
    page.go_back()
    expect(page).to_have_url(re.compile(r"/batches/\d+/$"))


@pytest.mark.browser
def test_progress_comes_by_itself_until_all_has_ended(page: Page, web: WebProcess, database: Connection) -> None:
    """spec S102"""
    sign_in(page, web)
    page.goto(f"{web.address}/compose/")
    page.get_by_text("Type or paste").click()
    page.get_by_label("Mobile numbers").fill("9123 4567, 9123 4568")
    page.get_by_label("Text", exact=True).fill("Hello")
    page.get_by_role("button", name="Review").last.click()
    page.get_by_role("button", name="Send 2 messages").click()
    expect(page.get_by_text("Handed to the operator: 0 of 2")).to_be_visible()
    expect(page.get_by_text("Refresh")).to_be_hidden()
    database.execute("DELETE FROM queued")
    database.execute("UPDATE message SET status = 22, reason = 300, taken_at = now(), final_at = now()")
    expect(page.get_by_text("Handed to the operator: 2 of 2")).to_be_visible()
    expect(page.locator("#batch-history")).to_contain_text("First message delivered")
    expect(page.locator("#batch-messages")).to_contain_text("Delivered")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4_000)
    assert asked == [], "nothing changes any more, so nothing is asked for"


def test_the_counter_counts_while_one_types_as_the_server_does(page: Page, web: WebProcess) -> None:
    """spec S3, S21, S26"""
    sign_in(page, web)
    page.goto(f"{web.address}/compose/")
    box = page.get_by_label("Text", exact=True)
    for text in (ENGLISH, CHINESE, CHINESE * 3, "[€]\n" * 20, "a" * 459):
        box.fill(text)
        server = composed(text)
        assert (shown(page, "units"), shown(page, "length")) == (str(server.units), str(server.length))
        assert shown(page, "preview").split() == text.split()
    box.fill("字" * 202)
    expect(page.get_by_text("Too long: at most 3 charge units")).to_be_visible()
    expect(box).to_have_attribute("aria-invalid", "true")
    box.fill("It’s “here” – now…")
    page.get_by_role("button", name="Use plain characters").click()
    expect(box).to_have_value('It\'s "here" - now...')
    expect(page.locator('[data-coding="gsm"]')).to_be_visible()


def test_the_preview_and_the_estimate_follow_the_choices(page: Page, web: WebProcess) -> None:
    """spec S2, S40"""
    sign_in(page, web)
    page.goto(f"{web.address}/compose/")
    page.get_by_text("Type or paste").click()
    page.get_by_label("Mobile numbers").fill("9123 4567\n+853 6612 0034\n+86 138 0013 8000")
    page.get_by_label("Text", exact=True).fill("x" * 63)
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("link", name="Go on with").click()
    expect(page.locator('[data-show="price"]')).to_have_text("HK$1.35")
    page.get_by_label("Hong Kong, economic").check()
    expect(page.locator('[data-show="price"]')).to_have_text("HK$1.24")
    page.get_by_label("Sender ID", exact=True).select_option("85298765432")
    expect(page.locator(".handset header")).to_have_text("85298765432")
    assert shown(page, "china-units") == "2"


def test_errors_are_read_first_and_lead_to_their_fields(page: Page, web: WebProcess) -> None:
    """design: Writing"""
    sign_in(page, web)
    page.goto(f"{web.address}/compose/")
    page.get_by_text("Type or paste").click()
    page.get_by_label("Mobile numbers").fill("2555 0142")
    page.get_by_role("button", name="Review").last.click()
    note = page.get_by_role("alert")
    expect(note).to_be_focused()
    expect(note).to_contain_text("Nothing has been sent or charged.")
    look(page, "compose-errors")
    note.get_by_role("link", name="There is no text. Type one.").click()
    expect(page.get_by_label("Text", exact=True)).to_be_focused()
    expect(page.get_by_label("Text", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Mobile numbers")).to_have_value("2555 0142")


def test_enter_in_a_field_reviews_and_sends_nothing_away(page: Page, web: WebProcess, numbers: Path) -> None:
    """The first button of the form is not one that removes a file."""
    sign_in(page, web)
    page.goto(f"{web.address}/compose/")
    page.set_input_files("#file", numbers)
    page.get_by_label("Text", exact=True).fill("Hello")
    page.get_by_label("Batch name").press("Enter")
    expect(page).to_have_url(re.compile("/review/$"))
    assert ComposeDraft.objects.get().lists.count() == 1


def test_a_file_too_large_is_told_before_it_is_sent(page: Page, web: WebProcess, tmp_path: Path) -> None:
    """spec S1"""
    large = tmp_path / "large.csv"
    large.write_bytes(b"9" * (4 * 1024 * 1024 + 1))
    sign_in(page, web)
    page.goto(f"{web.address}/compose/")
    page.set_input_files("#file", large)
    expect(page.get_by_text("This file is larger than 4 MB.")).to_be_visible()
    assert not ComposeDraft.objects.exists()


@pytest.mark.browser
def test_the_whole_way_without_script(browser: Browser, web: WebProcess, numbers: Path) -> None:
    """design: script improves"""
    with context(browser, java_script_enabled=False) as without:
        page = without.new_page()
        sign_in(page, web)
        page.get_by_role("link", name="Compose").first.click()
        page.set_input_files("#file", numbers)
        page.get_by_label("Text", exact=True).fill(CHINESE)
        page.get_by_role("button", name="Count again").click()
        expect(page.locator(".file-card")).to_be_visible()
        server = composed(CHINESE)
        assert (shown(page, "units"), shown(page, "length")) == (str(server.units), str(server.length))
        page.get_by_role("button", name="Other column").click()
        page.get_by_role("radio", name="B").check()
        page.get_by_role("button", name="Use this column").click()
        expect(page.locator(".tally")).to_contain_text("Numbers to send to: 0")
        page.get_by_role("button", name="Other column").click()
        page.get_by_role("radio", name="A").check()
        page.get_by_role("button", name="Use this column").click()
        page.get_by_text("Later", exact=True).click()
        expect(page.get_by_label("Date")).to_be_visible()
        page.get_by_text("Now", exact=True).click()
        look(page, "without-script")
        page.get_by_role("button", name="Review").last.click()
        page.get_by_role("button", name="Send 3 messages").click()
        expect(page.get_by_text("Handed to the operator: 0 of 3")).to_be_visible()
        page.get_by_role("link", name="Refresh").click()
        page.get_by_role("link", name="9123 4567").click()
        expect(page.get_by_role("heading", name="9123 4567")).to_be_visible()
        page.get_by_role("link", name="Delivery results").click()
        page.get_by_label("Status", exact=True).select_option("waiting")
        page.get_by_role("button", name="Query").click()
        expect(page.get_by_role("heading", name="Messages: 3")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone(browser: Browser, web: WebProcess, numbers: Path, scheme: str) -> None:
    """spec S135: 360 px wide, with a long name, a long number and a long word"""
    with context(browser, viewport=PHONE, color_scheme=scheme) as phone:
        page = phone.new_page()
        page.goto(web.address)
        no_sideways_scroll(page)
        look(page, f"phone-{scheme}-sign-in")
        sign_in(page, web)
        look(page, f"phone-{scheme}-home-empty")
        page.get_by_role("button", name="Menu").click()
        page.get_by_role("navigation").get_by_role("link", name="Compose").click()
        page.set_input_files("#file", numbers)
        expect(page.locator(".file-card")).to_be_visible()
        page.get_by_label("Text", exact=True).fill(CHINESE + " https://harbourflorist.example/" + "x" * 60)
        page.get_by_label("Batch name").fill("聖誕花環預購" * 8)
        no_sideways_scroll(page)
        look(page, f"phone-{scheme}-compose")
        page.get_by_role("button", name="Review").last.click()
        no_sideways_scroll(page)
        look(page, f"phone-{scheme}-review")
        page.get_by_role("button", name="Send 3 messages").click()
        expect(page.get_by_text("Handed to the operator")).to_be_visible()
        no_sideways_scroll(page)
        look(page, f"phone-{scheme}-batch")
        for path, name in (
            ("/", "home"),
            ("/results/?more=1", "results"),
            ("/messages/100001/", "message"),
            ("/x/", "404"),
        ):
            page.goto(web.address + path)
            no_sideways_scroll(page)
            look(page, f"phone-{scheme}-{name}")


def test_the_account_menu_signs_out_and_changes_the_language(page: Page, web: WebProcess) -> None:
    """spec S135"""
    sign_in(page, web)
    page.get_by_role("button", name="繁體").first.click()
    expect(page.locator('.bar > .end > .languages [aria-current="true"]')).to_have_text("繁體")
    page.locator("summary").first.click()
    look(page, "account-menu")
    page.get_by_role("button", name="登出").click()
    expect(page).to_have_url(f"{web.address}/sign-in/")


def test_pages_break_no_rule_of_their_own_policy(page: Page, web: WebProcess) -> None:
    """The browser reports on its console what the policy stops."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    sign_in(page, web)
    for path in ("/", "/compose/", "/results/", "/sign-in/"):
        page.goto(web.address + path)
    assert said == []


class context:
    """A browser context with settings of its own, closed at the end."""

    def __init__(self, browser: Browser, **settings: object) -> None:
        self._context = browser.new_context(**settings)  # type: ignore[arg-type]
        self._context.set_default_timeout(WAIT_MS)

    def __enter__(self) -> BrowserContext:
        return self._context

    def __exit__(self, *error: object) -> None:
        self._context.close()
