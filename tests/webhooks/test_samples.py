"""The samples of docs/api/webhooks.md do what they say (spec S103)."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sampan.webhooks.events import EVENTS, TEST
from sampan.webhooks.forms import Delivery, Endpoint, key_of, request_of
from tests.webhooks.listening import SECRET, Form
from tests.webhooks.receiving import receiving, run

PAGE = Path(__file__).parents[2] / "docs/api/webhooks.md"


def sample(language: str) -> str:
    """The one block of this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


def sent(at: datetime) -> tuple[dict[str, str], bytes]:
    """Headers and body as Sampan sends them, signed by an old and a new secret."""
    endpoint = Endpoint("https://shop.example/sms", Form.SIGNED_JSON, 0, [b"another key", key_of(SECRET)])
    request = request_of(endpoint, Delivery(7, "webhook.test", at, at, 0, '{"words": "你好"}'), at)
    assert request.body is not None
    return {name.lower(): value for name, value in request.headers.items()}, request.body


def by_python(secret: str, headers: dict[str, str], body: bytes) -> bool:
    names: dict[str, Callable[[str, dict[str, str], bytes], bool]] = {}
    exec(sample("python"), names)
    return names["verify"](secret, headers, body)


def by_node(secret: str, headers: dict[str, str], body: bytes) -> bool:
    call = f"\nconsole.log(verify({json.dumps(secret)}, {json.dumps(headers)}, Buffer.from('{body.hex()}', 'hex')))"
    done = subprocess.run(["node", "-e", sample("javascript") + call], capture_output=True, text=True, check=True)
    return done.stdout.strip() == "true"


JAVA = """
class Try {
    public static void main(String[] given) throws Exception {
        var headers = new java.util.HashMap<String, String>();
        for (int place = 2; place < given.length; place += 2) headers.put(given[place], given[place + 1]);
        System.out.print(Webhooks.verify(given[0], headers, java.util.HexFormat.of().parseHex(given[1])));
    }
}
"""
PHP = """
[, $secret, $body] = $argv;
$headers = array_column(array_chunk(array_slice($argv, 3), 2), 1, 0);
echo verify($secret, $headers, hex2bin($body)) ? 'true' : 'false';
"""


def by_java(secret: str, headers: dict[str, str], body: bytes) -> bool:
    imports, _, verifier = sample("java").partition("class Webhooks")
    return _said(["java", "--source", "17"], f"{imports}{JAVA}\nclass Webhooks{verifier}", secret, headers, body)


def by_php(secret: str, headers: dict[str, str], body: bytes) -> bool:
    return _said(["php"], sample("php") + PHP, secret, headers, body)


def _said(argv: list[str], program: str, secret: str, headers: dict[str, str], body: bytes) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "Try.java"
        file.write_text(program)
        given = [secret, body.hex(), *(each for pair in headers.items() for each in pair)]
        done = subprocess.run([*argv, file, *given], capture_output=True, text=True, check=True)
    return done.stdout.strip() == "true"


node = pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js here, so its sample was not run")


def require_it_tells_ours_from_others(verify: Callable[[str, dict[str, str], bytes], bool]) -> None:
    now = datetime.now(UTC)
    headers, body = sent(now)
    assert verify(SECRET, headers, body)
    assert not verify(SECRET, headers, body + b" ")
    assert not verify("whsec_" + "A" * 32, headers, body)
    assert not verify(SECRET, headers | {"webhook-id": "msg_8"}, body)
    old, body = sent(now - timedelta(minutes=6))
    assert not verify(SECRET, old, body)


@pytest.mark.parametrize("verify", [by_python, pytest.param(by_node, marks=node)])
def test_a_sample_tells_ours_from_others(verify: Callable[[str, dict[str, str], bytes], bool]) -> None:
    require_it_tells_ours_from_others(verify)


@pytest.mark.skipif(not all(map(shutil.which, ("curl", "openssl"))), reason="no curl and openssl here")
def test_the_shell_sample_signs_as_we_do() -> None:
    async def work() -> None:
        async with receiving() as receiver:
            process = await asyncio.create_subprocess_exec(
                "sh", "-ec", sample("sh"), env=os.environ | {"SECRET": SECRET, "URL": receiver.url}
            )
            assert await process.wait() == 0
            (received,) = receiver.received
            headers = {name.lower(): value for name, value in received.headers.items()}
            assert by_python(SECRET, headers, received.body)

    run(work())


def test_the_page_has_a_sample_in_each_language() -> None:
    assert all(sample(language) for language in ("python", "javascript", "php", "csharp", "java", "sh"))


def test_the_page_names_every_event() -> None:
    page = PAGE.read_text()
    assert [event for event in (*EVENTS, TEST) if f"`{event}`" not in page] == []
