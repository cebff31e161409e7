"""The fuzzing targets hold for what fuzzing begins with, and for all that it has found so far (house.md, tests)."""

from typing import Any

import pytest

from tests.fuzz.run import as_test
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_holds(name: str) -> None:
    assert len(SEEDS[name]) >= 3
    for octets in (b"", *SEEDS[name]):
        TARGETS[name](octets)
        TARGETS[name](octets[: len(octets) // 2])


def test_what_breaks_a_target_is_printed_as_a_test_of_it() -> None:
    seen: list[bytes] = []
    namespace: dict[str, Any] = {"TARGETS": {"pdu": seen.append}}
    octets = bytes(range(150))
    exec(as_test("pdu", octets), namespace)
    (name,) = (name for name in namespace if name.startswith("test_pdu_holds_for_"))
    namespace[name]()
    assert seen == [octets]
