"""Work that gathers while the last batch is at the database (dispatch/gathering.py)."""

import asyncio
from collections.abc import Sequence

import pytest

from sampan.dispatch.gathering import Gathering


@pytest.mark.parametrize("before", [[1, 2, 3], []])
def test_what_is_to_follow_follows_what_was_put_before_it_and_waits_for_nothing_else(before: list[int]) -> None:
    """A receipt that was faster than the record of its answer is tried again as soon as that is recorded."""
    seen: list[object] = []
    gathering: Gathering[int]

    async def work(batch: Sequence[int]) -> None:
        await asyncio.sleep(0)
        seen.append(list(batch))
        if batch == before:
            gathering.put([4])

    async def run() -> None:
        nonlocal gathering
        gathering = Gathering[int]("numbers", work)
        gathering.put(before)
        gathering.after(lambda: seen.append("then"))
        await gathering.drained()

    asyncio.run(run())
    assert seen == [before, "then", [4]] if before else ["then"]
