"""The samples of docs/api that need what `make test` does not: Node, Java, and libraries of SMPP."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sampan.database import Connection
from tests.interfaces.running import WebProcess, web_process
from tests.interfaces.samples import ENDS_WITHIN_S, Sample, samples_of, those_in
from tests.interop.peers import NODE_MODULES, PYTHON, TO_MEND, Kind, Program
from tests.interop.test_their_clients_at_the_door import Account, account
from tests.webhooks.test_samples import by_java, by_php, require_it_tells_ours_from_others
from tests.world import make_customer, make_places

__all__ = ["account"]


@pytest.fixture(scope="module")
def process(migrated_database: Connection) -> Iterator[WebProcess]:
    with web_process() as running:
        yield running


@pytest.fixture
def web(process: WebProcess, database: Connection) -> WebProcess:
    make_places()
    make_customer()
    return process


@pytest.mark.interop("samples in Node")
@pytest.mark.parametrize("sample", those_in("js"))
def test_a_sample_in_node_sends_what_it_says(sample: Sample, web: WebProcess, tmp_path: Path) -> None:
    if not (NODE_MODULES / "soap").exists():
        pytest.skip(f"npm soap is not installed: {TO_MEND}")
    sample.run(["node"], tmp_path, web.address)


@pytest.mark.interop("samples in Java")
@pytest.mark.parametrize(
    "sample", those_in("java", "http.md", "json.md")
)  # the one of SOAP needs classes made of the contract
def test_a_sample_in_java_sends_what_it_says(sample: Sample, web: WebProcess, tmp_path: Path) -> None:
    if not shutil.which("javac"):
        pytest.skip("a Java development kit is not installed (apt-get install default-jdk)")
    sample.run(["java", "--source", "17"], tmp_path, web.address)


@pytest.mark.interop("samples in PHP")
@pytest.mark.parametrize("sample", those_in("php"))
def test_a_sample_in_php_sends_what_it_says(sample: Sample, web: WebProcess, tmp_path: Path) -> None:
    if not shutil.which("php"):
        pytest.skip(f"PHP is not installed: {TO_MEND}")
    sample.run(["php"], tmp_path, web.address)


@pytest.mark.interop("samples in Java")
def test_a_sample_in_java_tells_our_webhooks_from_others() -> None:
    if not shutil.which("javac"):
        pytest.skip("a Java development kit is not installed (apt-get install default-jdk)")
    require_it_tells_ours_from_others(by_java)


@pytest.mark.interop("samples in PHP")
def test_a_sample_in_php_tells_our_webhooks_from_others() -> None:
    if not shutil.which("php"):
        pytest.skip(f"PHP is not installed: {TO_MEND}")
    require_it_tells_ours_from_others(by_php)


SMPP_PORT, SMPP_KEY = "8001", "aShortKy"  # in the page
SMPP = {
    "python": Program("smpplib", Kind.PYPI, "smpplib", ""),
    "js": Program("npm smpp", Kind.NPM, "smpp", ""),
}
PROGRAMS = {"python": str(PYTHON), "js": "node"}


@pytest.mark.interop("samples of SMPP")
@pytest.mark.parametrize("sample", samples_of("smpp.md"), ids=lambda sample: sample.language)
def test_a_sample_of_smpp_sends_and_waits_for_the_receipt(sample: Sample, account: Account, tmp_path: Path) -> None:
    assert SMPP[sample.language].version()
    program = tmp_path / "sample"
    program.write_text(sample.code.replace(SMPP_PORT, str(account.port)).replace(SMPP_KEY, account.key))
    done = subprocess.run(
        [PROGRAMS[sample.language], program],
        env=os.environ | {"NODE_PATH": str(NODE_MODULES)},
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ((message_id, status),) = account.platform.query("SELECT id, status FROM message ORDER BY id DESC LIMIT 1")
    assert status == 22
    assert f"SMSD ID {message_id}" in done.stdout
    assert f"id:{message_id} sub:001 dlvrd:001" in done.stdout
