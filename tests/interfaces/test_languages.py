"""Three languages: the switch, what browsers ask for, and every page in each of them (spec S135)."""

import re
from typing import Any

import pytest
from django.test import Client

from sampan.database import Connection
from tests.interfaces.portal.pages import compose, location, reviewed, send, signed_in, words
from tests.world import make_customer, make_places


def visitor(**settings: Any) -> Client:
    return Client(SERVER_NAME="localhost", **settings)


@pytest.mark.parametrize(("code", "lang"), [("zh-hant", "zh-Hant-HK"), ("zh-hans", "zh-Hans-HK"), ("en", "en")])
def test_the_switch_stays_on_the_page_and_is_remembered(code: str, lang: str) -> None:
    client = visitor()
    answer = client.post("/language/", {"language": code, "next": "/sign-in/?next=/results/"})
    assert answer.headers["Location"] == "/sign-in/?next=/results/"
    page = client.get("/sign-in/").content.decode()
    assert f'value="{code}" lang="{lang}" aria-current="true"' in page
    assert page.count('aria-current="true"') == 1
    assert re.findall(r"<button name=\"language\"[^>]*>(.*?)</button>", page) == ["English", "繁體", "简体"]


def test_it_leads_nowhere_else() -> None:
    answer = visitor().post("/language/", {"language": "en", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    ("accepted", "code"),
    [("zh-HK,zh;q=0.9", "zh-hant"), ("zh-TW", "zh-hant"), ("zh-CN", "zh-hans"), ("en-GB", "en"), ("fr", "en")],
)
def test_a_browser_is_answered_in_its_own_language(accepted: str, code: str) -> None:
    page = visitor(headers={"accept-language": accepted}).get("/sign-in/").content.decode()
    assert re.findall(r'value="([a-z-]+)"[^>]* aria-current="true"', page) == [code]


@pytest.mark.parametrize("code", ["zh-hant", "zh-hans"])
def test_every_page_works_in_every_language(database: Connection, code: str) -> None:
    make_places()
    make_customer()
    member = signed_in()
    member.post("/language/", {"language": code})
    no_text = {"zh-hant": "沒有內文。請輸入。", "zh-hans": "没有正文。请输入。"}[code]
    assert no_text in words(compose(member, text="", when="later", date="x"))
    waiting = reviewed(member, text="Not sent yet", numbers="9123 4567\n9123 456")
    batch = location(send(member, reviewed(member)))
    bad = waiting.replace("review", "bad-rows")
    for path in (
        "/",
        "/compose/",
        bad,
        "/results/?more=1",
        "/results.csv",
        waiting,
        batch,
        "/messages/100001/",
    ):
        assert member.get(path).status_code == 200, path
