"""The samples of docs/api that need what `make test` does not: Node and Java."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sampan.database import Connection
from tests.interfaces.running import WebProcess, web_process
from tests.interfaces.samples import Sample, those_in
from tests.interop.peers import NODE_MODULES, TO_MEND
from tests.world import make_customer, make_places


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
@pytest.mark.parametrize("sample", those_in("java", "http.md"))  # the one of SOAP needs classes made of the contract
def test_a_sample_in_java_sends_what_it_says(sample: Sample, web: WebProcess, tmp_path: Path) -> None:
    if not shutil.which("javac"):
        pytest.skip("a Java development kit is not installed (apt-get install default-jdk)")
    sample.run(["java", "--source", "17"], tmp_path, web.address)
