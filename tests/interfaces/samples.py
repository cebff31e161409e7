"""The samples of docs/api, taken from the pages as they stand there, and run."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sampan.messages.tables import Batch, Message, Source
from tests.interfaces.json_api.asking import key_of
from tests.interop.peers import NODE_MODULES

PAGES = Path(__file__).parents[2] / "docs/api"
ADDRESS = "http://127.0.0.1:8000"  # in the pages
LANGUAGES = ("bash", "python", "js", "php", "csharp", "java")
KEY = "sk_live_EXAMPLE"
SENDING = {"http.md": Source.HTTP, "json.md": Source.JSON, "soap.md": Source.SOAP}
ENDS_WITHIN_S = 60.0

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Sample(NamedTuple):
    """One block of code."""

    page: str
    language: str
    code: str

    def run(self, argv: list[str], folder: Path, address: str) -> None:
        """It ends well, has sent one message by its door, and prints its SMSD ID."""
        program = folder / "sample"
        program.write_text(self.code.replace(ADDRESS, address).replace(KEY, key_of()))
        environment = os.environ | {"NODE_PATH": str(NODE_MODULES)}
        done = subprocess.run(
            [*argv, program], env=environment, capture_output=True, text=True, timeout=ENDS_WITHIN_S, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        batch = Batch.objects.get()
        assert batch.source == SENDING[self.page]
        assert str(Message.objects.get(batch_id=batch.pk).pk) in done.stdout


def samples_of(page: str) -> list[Sample]:
    """Those below the heading Samples of a page."""
    _, _, below = (PAGES / page).read_text().partition("\n## Samples\n")
    return [Sample(page, language, code) for language, code in _BLOCK.findall(below)]


def those_in(language: str, *pages: str) -> list[Any]:
    """Parameters of a test: the samples in one language, of these pages or all."""
    found = [sample for page in pages or SENDING for sample in samples_of(page)]
    return [pytest.param(sample, id=sample.page) for sample in found if sample.language == language]
