"""The samples of docs/api/smtp.md do what they say: curl's and Python's here, swaks' in `make interop`."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sampan.accounts.keys import add_key
from sampan.accounts.tables import Person
from sampan.database import Connection
from tests.certificates import self_signed, serving
from tests.interfaces.smtp_door.running import DOMAIN, open_door, texts
from tests.world import NOW, make_customer, make_places

PAGE = Path(__file__).parents[3] / "docs/api/smtp.md"
KEY = "aKeyOfTheAccount"  # in the page
ENDS_WITHIN_S = 60.0
TEXT = "Your flowers are on their way."
FIRST, SECOND = (85291234567, TEXT), (85261234567, TEXT)


def sample(language: str) -> str:
    """The page's program in this language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def run(argv: list[str], language: str, folder: Path) -> str:
    """What it prints, twice run: the second time gives the same mail again."""
    certificate = self_signed(folder)
    key = add_key(Person.objects.get(customer=make_customer()), name="sample", now=NOW)
    with open_door(tls=serving(certificate), plain_on_loopback=False) as door:
        code = sample(language).replace(KEY, key)
        for there, here in (('"sms.example.com", 587', f'"localhost", {door.port}'), (":587", f":{door.port}")):
            code = code.replace(there, here)
        code = code.replace("smtp://sms.example.com", "smtp://localhost").replace("r sms.example.com", "r localhost")
        program = folder / "sample"
        program.write_text(code.replace("sms.example.com", DOMAIN))
        trusting = os.environ | {"SSL_CERT_FILE": str(certificate), "CURL_CA_BUNDLE": str(certificate)}
        for _ in range(2):
            done = subprocess.run(
                [*argv, program], env=trusting, capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False
            )
            assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_a_sample_with_curl_sends_what_it_says(database: Connection, tmp_path: Path) -> None:
    make_places()
    run(["bash"], "bash", tmp_path)
    assert texts(database) == [FIRST]


def test_a_sample_in_python_sends_what_it_says(database: Connection, tmp_path: Path) -> None:
    make_places()
    assert run([sys.executable], "python", tmp_path) == "refused: {}\n"
    assert texts(database) == [FIRST, SECOND]
