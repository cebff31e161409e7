"""The data folder: whose it is, who may run it, and what the verbs beside `sampan up` read in it."""

import os
import stat
from pathlib import Path

import pytest

from sampan.ops import CannotStart
from sampan.ops.installation import Installation
from tests.ops.heard import script, wait_for_end

HOLDS = """
import os, signal, sys
from pathlib import Path
from sampan.ops.installation import Installation
from sampan.ops.supervisor import Program, Supervisor, stopped_by_signals
installation = Installation(Path(sys.argv[1]))
with stopped_by_signals(), installation.locked() as lock, Supervisor(held=[lock]) as supervisor:
    print("locked by", os.getpid(), flush=True)
    supervisor.start(Program(name="slow", argv=[sys.executable, "-c", sys.argv[2]], environment={}))
    supervisor.wait()
"""
STOPS_SLOWLY = """
import os, signal, threading
signal.signal(signal.SIGTERM, lambda *_: threading.Timer(0.5, os._exit, [0]).start())
os.write(1, f"ready {os.getpid()}\\n".encode())
while True:
    signal.pause()
"""


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    installation = Installation(tmp_path / "var")
    installation.make()
    return installation


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_its_owners_alone_and_one_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    new, there = tmp_path / "deep" / "new", tmp_path / "there"
    there.mkdir(mode=0o750)
    Installation(new).make()
    Installation(there).make()
    assert (mode(new), mode(there)) == (0o700, 0o750)


def test_a_folder_that_cannot_be_made_is_refused_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match=r"file/var cannot be made .* Choose another with --data"):
        Installation(tmp_path / "file" / "var").make()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_another_user_is_refused_with_the_mend() -> None:
    with pytest.raises(CannotStart, match=r"may not write in the data folder .* as the user who made it"):
        Installation(Path("/usr")).make()


def test_the_verbs_find_the_secret_and_the_database(installation: Installation) -> None:
    installation.write_database_url("host=/run/x dbname=sampan")
    environment = installation.environment()
    assert environment == {
        "SAMPAN_DATA": str(installation.folder),
        "SAMPAN_DATABASE_URL": "host=/run/x dbname=sampan",
        "SAMPAN_SECRET": installation.secret(),
    }
    assert Installation(installation.folder).environment() == environment, "the secret is made once"
    assert {path.name: mode(path) for path in installation.folder.iterdir()} == {
        "database-url": 0o600,
        "secret": 0o600,
    }


def test_a_verb_on_a_folder_without_an_installation_is_refused_with_the_mend(installation: Installation) -> None:
    with pytest.raises(CannotStart, match=r"no installation in .* Run `sampan up` on it first"):
        installation.environment()
    assert list(installation.folder.iterdir()) == [], "no secret is made where nothing is installed"


def test_what_runs_is_told_to_the_owner_alone_and_forgotten_at_the_end(installation: Installation) -> None:
    assert installation.read_ready() is None
    installation.write_ready({"web": "http://127.0.0.1:8000", "pids": {"web": [1, 2]}})
    assert installation.read_ready() == {"web": "http://127.0.0.1:8000", "pids": {"web": [1, 2]}}
    assert mode(installation.folder / "ready.json") == 0o600
    installation.forget_ready()
    installation.forget_ready()
    assert installation.read_ready() is None


def test_two_at_once_on_one_folder_are_refused(installation: Installation) -> None:
    with script(HOLDS, str(installation.folder), STOPS_SLOWLY) as (process, heard):
        heard.line("ready")
        with pytest.raises(CannotStart, match=rf"already runs on {installation.folder} \(process {process.pid}\)"):
            with installation.locked():
                pytest.fail("the lock of another process was taken")
    with installation.locked():
        assert (installation.folder / "up.lock").read_text() == f"{os.getpid()}\n"


def test_a_start_after_a_killed_one_waits_for_the_programs_of_that_one(installation: Installation) -> None:
    with script(HOLDS, str(installation.folder), STOPS_SLOWLY) as (process, heard):
        program = int(heard.line(r"ready (\d+)"))
        process.kill()
        process.wait()
        with installation.locked():
            wait_for_end(program)
