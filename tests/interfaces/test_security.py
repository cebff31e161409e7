"""What pages let a browser do: nothing of others', nothing inline, nothing kept (spec S135, S136)."""

import re
from pathlib import Path

import pytest
from django.test import Client

import sampan
from sampan.database import Connection
from sampan.interfaces.security import CONTENT_SECURITY_POLICY
from tests.world import make_customer

TEMPLATES = sorted((Path(sampan.__file__).parent / "interfaces/templates").rglob("*.html"))


def visitor() -> Client:
    return Client(SERVER_NAME="localhost")


def test_the_policy_lets_nothing_in_but_our_own_files() -> None:
    assert "'unsafe" not in CONTENT_SECURITY_POLICY
    assert {part for part in re.split("[; ]+", CONTENT_SECURITY_POLICY) if part.startswith("'")} == {"'none'", "'self'"}
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("path", ["/sign-in/", "/nope/", "/", "/too-large/"])
def test_every_answer_says_so(database: Connection, path: str) -> None:
    headers = visitor().get(path).headers
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_script_or_style_of_its_own(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|(src|href|action)=.https?://", source)
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", source)
    assert not any(scripts)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_posts_has_its_token(path: Path) -> None:
    for form in re.findall(r'<form[^>]*method="post".*?</form>', path.read_text(), re.DOTALL):
        assert "{% csrf_token %}" in form


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(database: Connection) -> None:
    make_customer()
    client = visitor()
    client.get("/sign-in/")
    client.post("/sign-in/", {"name": "harbour", "password": "a long way home"})
    client.post("/language/", {"language": "zh-hant"})
    assert set(client.cookies) == {"csrftoken", "sessionid", "django_language"}
    for cookie in client.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
