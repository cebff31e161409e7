"""The samples of docs/api do what they say: curl's and Python's here, Node's and Java's in `make interop`."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sampan.database import Connection
from tests.interfaces.running import WebProcess, web_process
from tests.interfaces.samples import LANGUAGES, SENDING, Sample, samples_of, those_in
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


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("sample", those_in("bash"))
def test_a_sample_with_curl_sends_what_it_says(sample: Sample, web: WebProcess, tmp_path: Path) -> None:
    sample.run(["bash"], tmp_path, web.address)


@pytest.mark.parametrize("sample", those_in("python"))
def test_a_sample_in_python_sends_what_it_says(sample: Sample, web: WebProcess, tmp_path: Path) -> None:
    sample.run([sys.executable], tmp_path, web.address)


@pytest.mark.parametrize("page", SENDING)
def test_a_page_has_a_sample_in_each_language(page: str) -> None:
    assert tuple(sample.language for sample in samples_of(page)) == LANGUAGES
