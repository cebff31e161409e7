"""docs/operating/dialects.md has every setting, with its default, and examples that can be used."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from sampan.dispatch.dialects import Dialect, read_dialect

PAGE = (Path(__file__).parents[2] / "docs/operating/dialects.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| `([^`]+)` \|", re.MULTILINE)


def test_every_setting_has_its_row_and_default() -> None:
    said = {name: json.loads(default) for name, default in ROW.findall(PAGE)}
    assert said == json.loads(msgspec.json.encode(Dialect()))


@pytest.mark.parametrize("example", re.findall(r"--dialect '([^']+)'", PAGE))
def test_every_example_can_be_used(example: str) -> None:
    assert read_dialect(json.loads(example)) != Dialect()
