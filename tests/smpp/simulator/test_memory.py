"""What the simulator took outlives `kill -9`, so that what comes twice is still seen."""

from pathlib import Path

from sampan.smpp.simulator.memory import KEY, Memory
from tests.smpp.peers import run_as_product
from tests.smpp.simulator.world import bind, open_simulator, to


def test_the_next_simulator_knows_what_the_killed_one_took(tmp_path: Path) -> None:
    memory = tmp_path / "taken"

    async def test() -> None:
        async with open_simulator(memory=memory) as killed:
            link = await bind(killed)
            link.session.submit([("a", to(0)), ("refused", to(5)), ("b", to(1))])
            await link.until("answers", 3)
            left = memory.read_bytes()
        assert not memory.exists(), "after an orderly end the next begins as new"
        memory.write_bytes(left + b"cut")
        async with open_simulator(memory=memory) as heir:
            link = await bind(heir)
            link.session.submit([("a", to(0)), ("c", to(2))])
            await link.until("answers", 2)
            stats = heir.journal.stats
            assert (stats.submits, stats.taken, stats.distinct, stats.duplicates) == (4, 4, 3, 1)
            assert len(memory.read_bytes()) == 4 * KEY.size

    run_as_product(test)


def test_a_reset_forgets_it_too(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "taken")
    memory.write(-7)
    assert list(memory.read()) == [-7]
    memory.clear()
    memory.write(8)
    assert list(memory.read()) == [8]
    memory.remove()
