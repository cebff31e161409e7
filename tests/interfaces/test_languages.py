"""Three languages: the switch works already, and shows English where nothing is translated yet (spec S135)."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client, override_settings
from django.utils.translation import trans_real

import sampan
from sampan.database import Connection
from tests.interfaces.portal.pages import compose, location, reviewed, send, signed_in, words
from tests.world import make_customer, make_places

PACKAGE = Path(sampan.__file__).parent


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
    assert "There is no text. Type one." in words(compose(member, text="", when="later", date="x"))
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


@pytest.mark.skipif(not shutil.which("xgettext"), reason="no xgettext here (Debian: apt-get install gettext)")
def test_the_words_of_pages_and_code_can_be_collected_and_translated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """spec S135: the catalogues are made by `makemessages`, and what they say is shown"""
    locale = tmp_path / "locale"
    locale.mkdir()
    monkeypatch.chdir(PACKAGE)
    with override_settings(LOCALE_PATHS=[locale]):
        call_command("makemessages", locale=["zh_Hant"], verbosity=0, no_location=True)
        catalogue = locale / "zh_Hant/LC_MESSAGES/django.po"
        text = catalogue.read_text()
        for known in (
            'msgctxt "html lang"\nmsgid "en"',  # a template
            'msgid "There is no text. Type one."',  # words.py
            'msgid "Fixed line. Only mobiles can receive SMS."',  # of routing/numbers.py, by words.py
            'msgctxt "status"\nmsgid "Delivered"',
            'msgid_plural "Send %(shown)s messages"',
            'msgid "Sign in"',
        ):
            assert known in text, known
        text = text.replace('msgid "Sign in"\nmsgstr ""', 'msgid "Sign in"\nmsgstr "登入"')
        text = text.replace(
            'msgctxt "html lang"\nmsgid "en"\nmsgstr ""', 'msgctxt "html lang"\nmsgid "en"\nmsgstr "zh-Hant-HK"'
        )
        catalogue.write_text(text)
        subprocess.run(["msgfmt", catalogue, "-o", catalogue.with_suffix(".mo")], check=True)
        monkeypatch.setattr(trans_real, "_translations", {})
        client = visitor()
        client.post("/language/", {"language": "zh-hant"})
        page = client.get("/sign-in/").content.decode()
    assert '<html lang="zh-Hant-HK">' in page
    assert "<h1>登入</h1>" in page
    assert "Login name" in page
