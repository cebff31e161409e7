"""Private files are whole, and nobody else's to read."""

import os
import stat
from pathlib import Path

import pytest

from sampan.ops.private import read_or_make_secret, write_private


def test_a_private_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        write_private(tmp_path / "file", "words")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    assert (tmp_path / "file").read_text() == "words"


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_private(tmp_path / "file", "before")
    write_private(tmp_path / "file", "after")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "after")]


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="irectory"):
        write_private(tmp_path / "file", "words")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_secret_is_made_once_and_is_long(tmp_path: Path) -> None:
    secret = read_or_make_secret(tmp_path / "secret")
    assert read_or_make_secret(tmp_path / "secret") == secret
    assert read_or_make_secret(tmp_path / "other") != secret
    assert len(secret) >= 43
