"""Whatever goes wrong at the SMSC and whoever is killed when: what is accepted is sent once, tracked, and ends."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.fire.cases import A_FEW, TROUBLES, Case, cases_of
from tests.fire.conftest import OUTCOME
from tests.fire.ground import Ground, Grounds

Record = Callable[[str, object], None]


def play(ground: Ground, cases: Iterable[Case], record: Record) -> None:
    """One case after the other, each told to the table at the end; those that do not hold fail the test together."""
    failed: dict[str, Any] = {}
    for case in cases:
        told: dict[str, Any] = {"case": str(case), "trouble": case.trouble}
        try:
            outcome = ground.run(case)
            told |= {"broken": outcome.broken, "happened": outcome.happened, "took_s": round(outcome.took_s, 1)}
            told |= outcome.counts._asdict() | {"simulator": outcome.stats}
            assert outcome.broken == {}
            assert outcome.counts.parts_taken or outcome.stats["taken"], "nothing went"
            assert outcome.happened or not TROUBLES[case.trouble].faults, "its fault never happened"
        except AssertionError as error:
            failed[str(case)] = told | {"failed": str(error)}
            told.setdefault("broken", None)
        print(json.dumps(told), flush=True)
        record(OUTCOME, json.dumps(told))
    assert not failed, json.dumps(failed, indent=1)


@pytest.mark.fire
@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_fault_with_each_victim_in_each_state(grounds: Grounds, trouble: str, record_property: Record) -> None:
    play(grounds.of(trouble), cases_of(trouble), record_property)


def test_a_few_cases_of_it(grounds: Grounds, record_property: Record) -> None:
    play(grounds.of("a-few"), A_FEW, record_property)
