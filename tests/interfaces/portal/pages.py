"""Looks at pages as their reader does: signs in, presses, and reads the words."""

import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http.response import HttpResponseBase
from django.test import Client

from sampan.accounts.tables import Person

_HIDDEN = re.compile(r"<(head|script|style|svg)\b.*?</\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")

TYPED = {
    "source": "typed",
    "numbers": "9123 4567\n+853 6612 0034",
    "text": "Your flowers are on their way.",
    "purpose": "1",
    "route": "hk-business",
    "sender": "HarbourFlo",
    "validity": "120",
    "when": "now",
    "date": "2026-12-24",
    "time": "08:30",
    "name": "",
}
"""What a member has typed on the compose page; it can be reviewed and sent."""


def visitor(**settings: Any) -> Client:
    """A browser in which nobody is signed in."""
    return Client(SERVER_NAME="localhost", **settings)


def signed_in(login_name: str = "harbour") -> Client:
    """A browser in which this person is signed in."""
    client = visitor()
    client.force_login(Person.objects.get(login_name=login_name))
    return client


def html(response: Any) -> str:
    """The page's HTML; none of its names was unknown to the template (conftest.py)."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    text: str = content.decode()
    assert "¡" not in text, re.findall("¡.*?!", text)
    return text


def words(response: Any) -> str:
    """What the page says, in one line."""
    said = " ".join(unescape(_TAG.sub(" ", _HIDDEN.sub(" ", html(response)))).split())
    return re.sub(r" ([,.:])", r"\1", said)


def value_of(response: Any, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html(response))
    assert found, name
    return unescape(found[1])


def errors_of(response: Any) -> dict[str, str]:
    """Field → the error beside it."""
    found = re.findall(r'<p class="error" id="([a-z]+)-error">(.*?)</p>', html(response), re.DOTALL)
    return {field: " ".join(unescape(_TAG.sub("", error)).split()) for field, error in found}


def compose(client: Client, **typed: Any) -> Any:
    """Press Review on a new compose page, with TYPED and these changes."""
    return client.post("/compose/", TYPED | typed)


def reviewed(client: Client, **typed: Any) -> str:
    """The address of the review that follows."""
    response = compose(client, **typed)
    assert response.status_code == 302, errors_of(response)
    return str(response.headers["Location"])


def send(client: Client, review: str) -> HttpResponseBase:
    """Press Send on a review."""
    return client.post(review, {"seal": value_of(client.get(review), "seal")})


def csv_file(rows: Sequence[object], name: str = "list.csv") -> SimpleUploadedFile:
    """A file of one column."""
    return SimpleUploadedFile(name, "\n".join(map(str, rows)).encode())


def location(response: HttpResponseBase) -> str:
    """Where the answer leads."""
    assert response.status_code == 302, response.status_code
    return str(response.headers["Location"])


def query(address: str, **asked: object) -> str:
    """An address with a query."""
    return f"{address}?{'&'.join(f'{name}={value}' for name, value in asked.items())}"


def fields(values: Mapping[str, object]) -> dict[str, object]:
    """TYPED with changes."""
    return TYPED | dict(values)
