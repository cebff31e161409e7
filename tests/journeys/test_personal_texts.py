"""A file with names becomes a text for each, in a real browser, on to each handset (spec S1, S2, S4).

With SAMPAN_SCREENSHOTS=folder the journey leaves its pages there, to be looked at.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, ViewportSize, expect

from tests.journeys.people import Somebody, text_on
from tests.journeys.platform import Platform, running_platform

PEOPLE = (
    "電話,Name,Item\n61230011,Amy,wreath\n61230012,陳志明,\n61230013,Ben,roses\n2555 0142,Shop,\n61230011,Amy again,x\n"
)
FILE = FilePayload(name="orders.csv", mimeType="text/csv", buffer=PEOPLE.encode())
PHONE = ViewportSize(width=360, height=780)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("personal") / "data") as platform:
        yield platform


@pytest.fixture
def florist(browser: Browser, platform: Platform) -> Somebody:
    harbour = Somebody(browser, platform)
    harbour.sign_in("harbour", platform.ready["demo"]["customer"]["password"])
    return harbour


def look(page: Page, name: str) -> None:
    """Leave a picture of the whole page, where somebody wants to look; of a phone, too."""
    if folder := os.environ.get("SAMPAN_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
        usual = page.viewport_size
        page.set_viewport_size(PHONE)
        page.screenshot(path=Path(folder) / f"{name}-phone.png", full_page=True)
        if usual:
            page.set_viewport_size(usual)


@pytest.mark.browser
def test_a_file_with_names_becomes_a_text_for_each(florist: Somebody, platform: Platform) -> None:
    page = florist.page
    florist.go("/compose/")
    page.set_input_files("#file", FILE)
    expect(page.locator(".tally")).to_contain_text("Numbers to send to: 3")
    page.get_by_role("radio", name="Transactional").check()
    box = page.get_by_label("Text", exact=True)
    box.fill("Dear ")
    florist.press("Name")
    expect(box).to_have_value("Dear {Name}")
    expect(page.locator("#as-read")).to_contain_text("Dear 陳志明")
    box.press("End")
    box.type(", your {Item} is ready.")
    expect(page.locator("#as-read")).to_contain_text("A field has no value (Item: 85261230012)")
    box.fill("Dear {Name}, your {Item|order} is ready.")
    expect(page.locator("#as-read")).to_contain_text("Dear 陳志明, your order is ready.")
    expect(page.locator('[data-show="units"]').first).to_have_text("1")
    look(page, "p-compose")
    page.get_by_role("button", name="Review").last.click()
    expect(page.get_by_text("Bad rows: 1, duplicates: 1")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Dear Amy, your wreath is ready.")
    look(page, "p-review")
    florist.press("Send 3 messages")
    expected = {
        "85261230011": "Dear Amy, your wreath is ready.",
        "85261230012": "Dear 陳志明, your order is ready.",
        "85261230013": "Dear Ben, your roses is ready.",
    }
    assert {number: text_on(platform, number, "Dear") for number in expected} == expected
    look(page, "p-batch")


@pytest.mark.browser
def test_a_group_of_the_address_book_gets_its_own_texts(florist: Somebody, platform: Platform) -> None:
    page = florist.page
    florist.go("/address-book/")
    florist.sees("Cheung Yuk-lan 張玉蘭")
    look(page, "p-book")
    florist.go("/address-book/import/")
    page.get_by_label("File", exact=True).set_input_files(FILE)
    florist.fill({"Or a new group": "Orders"})
    florist.press("Import")
    florist.sees("New: 3")
    look(page, "p-import")
    florist.go("/address-book/people/85261110001/")
    look(page, "p-person")
    florist.go("/compose/")
    page.locator("label", has_text="Address book").first.click()
    page.get_by_role("checkbox", name="Orders").check()
    page.get_by_role("checkbox", name="Regular customers").check()
    box = page.get_by_label("Text", exact=True)
    box.fill("{name}: half price until Sunday")
    expect(page.locator("#as-read")).to_contain_text("張玉蘭: half price")
    expect(page.locator("#as-read")).to_contain_text("取消接收 Unsub: 28123457")
    look(page, "p-compose-groups")
    page.get_by_role("button", name="Review").last.click()
    florist.sees("Orders, Regular customers")
    look(page, "p-review-groups")
    page.get_by_role("button", name="Send").click()
    assert text_on(platform, "85261230013", "Ben: half price").startswith("Ben: half price until Sunday\r\n海港花店")
