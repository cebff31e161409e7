"""When the tests run as root, those of the processes run once more as an ordinary user."""

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.heard import ROOT

WITHIN_S = 300.0
AGAIN = ("test_postgres.py", "test_postgres_programs.py", "test_installation.py", "test_ports.py")
WHAT_MAY_DIFFER = "installation or ports or programs or private or plain_role or second_start or killed"


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder of nobody's own."""
    folder = Path(tempfile.mkdtemp())
    shutil.chown(folder, "nobody")
    yield folder
    shutil.rmtree(folder)


def environment(home: Path) -> dict[str, str]:
    packages = sysconfig.get_path("purelib")
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONPATH": packages, "PYTHONDONTWRITEBYTECODE": "1"}


def as_nobody(home: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    entry = pwd.getpwnam("nobody")
    return subprocess.run(
        argv,
        cwd=ROOT,
        env=environment(home),
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


def python_for_nobody(home: Path) -> str:
    """One of this version that nobody may run, with our packages; it need not be the one of the virtual environment."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for found in filter(None, [sys.executable, shutil.which(name, path="/usr/local/bin:/usr/bin")]):
        try:
            if as_nobody(home, found, "-c", "import psycopg, pytest, sampan.ops").returncode == 0:
                return found
        except PermissionError:
            continue
    pytest.skip(f"no {name} that an ordinary user may run with our packages, so nothing was tested as one")


@pytest.mark.skipif(os.geteuid() != 0, reason="all tests run as an ordinary user already")
def test_the_tests_of_processes_pass_for_an_ordinary_user(home: Path) -> None:
    python = python_for_nobody(home)
    files = [f"tests/ops/{name}" for name in AGAIN]
    options = ["-p", "no:cacheprovider", f"--basetemp={home}/tmp", "-k", WHAT_MAY_DIFFER]
    ran = as_nobody(home, python, "-m", "pytest", *options, *files)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout
