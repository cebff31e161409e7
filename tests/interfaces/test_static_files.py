"""Stylesheet, icons and modules: served from memory, for good, at addresses that change with them."""

import asyncio
import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings

from sampan.interfaces.static_files import StaticFiles
from sampan.settings import _digest
from tests.interfaces.calling import Reply, call

FOLDER: Path = settings.STATIC_FOLDER
DOOR = StaticFiles(FOLDER, settings.STATIC_URL)
CSS = f"{settings.STATIC_URL}sampan/sampan.css"


def get(path: str, **more: object) -> Reply:
    return asyncio.run(call(DOOR, path, **more))  # type: ignore[arg-type]


def test_every_file_of_the_folder_has_its_address() -> None:
    assert len(DOOR.addresses) == sum(path.is_file() for path in FOLDER.rglob("*"))
    assert CSS in DOOR.addresses


@pytest.mark.parametrize("address", DOOR.addresses)
def test_a_file_is_kept_for_good_and_is_what_it_says(address: str) -> None:
    reply = get(address)
    assert reply.status == 200
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["x-content-type-options"] == "nosniff"
    kinds = {"css": "text/css", "mjs": "text/javascript", "svg": "image/svg+xml"}
    assert reply.headers["content-type"].startswith(kinds[address.rpartition(".")[2]])
    assert int(reply.headers["content-length"]) == len(reply.body)
    assert reply.body == (FOLDER / address.removeprefix(settings.STATIC_URL)).read_bytes()


def test_who_takes_gzip_gets_it_packed() -> None:
    plain, packed = get(CSS), get(CSS, headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) * 3 < len(plain.body)
    assert gzip.decompress(packed.body) == plain.body
    assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"


def test_head_gives_the_headers_and_post_nothing() -> None:
    assert (get(CSS, method="HEAD").headers, get(CSS, method="HEAD").body) == (get(CSS).headers, b"")
    assert get(CSS, method="POST").status == 405


def test_the_address_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "js").mkdir()
    file = tmp_path / "js/a.mjs"
    digests = set()
    for name, text in (("js/a.mjs", "1"), ("js/a.mjs", "2"), ("js/b.mjs", "2")):
        (tmp_path / name).write_text(text)
        digests.add(_digest(tmp_path))
    assert len(digests) == 3
    file.unlink()
    assert _digest(tmp_path) not in digests


def test_modules_find_each_other_by_relative_names() -> None:
    """So the digest in the address of one is that of all."""
    imports = {
        (path.name, name) for path in FOLDER.rglob("*.mjs") for name in re.findall(r"from '([^']+)'", path.read_text())
    }
    assert imports
    for importer, name in imports:
        assert name.startswith("./"), importer
        assert (FOLDER / "sampan/js" / name).exists(), name


def test_every_icon_a_template_asks_for_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([a-z-]+)"', (FOLDER / "sampan/icons.svg").read_text()))
    asked = {
        name
        for path in (FOLDER.parent / "templates").rglob("*.html")
        for name in re.findall(r'{% (?:icon|drawing) "([a-z-]+)"|icons.svg" %}#([a-z-]+)"', path.read_text())
        for name in name
        if name
    }
    assert asked - drawn == set()
