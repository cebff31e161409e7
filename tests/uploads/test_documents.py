"""Documents: what they are is told by their octets, and where they lie by nobody else (spec S131)."""

import stat

import pytest

from sampan import settings
from sampan.reasons import Reason, Refused
from sampan.uploads import documents
from tests.uploads.papers import JPEG, PDF, PNG


@pytest.mark.parametrize(
    ("octets", "media_type", "ending"),
    [(PDF, documents.PDF, ".pdf"), (JPEG, documents.JPEG, ".jpg"), (PNG, documents.PNG, ".png")],
    ids=["pdf", "jpeg", "png"],
)
def test_the_three_kinds_are_known_by_their_octets_and_come_back_whole(
    octets: bytes, media_type: str, ending: str
) -> None:
    assert documents.media_type_of(octets) == media_type
    name = documents.keep(octets)
    assert name.endswith(ending)
    assert documents.read(name) == octets


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<script>alert(1)</script>%PDF-1.7",
        b"%PDF-1.7 cut off",
        b"\xff\xd8\xff cut off",
        PNG[:-20],
        b"GIF89a",
        b"MZ\x90\0",
        b"PK\x03\x04",
    ],
)
def test_anything_else_is_refused_whatever_it_is_called(octets: bytes) -> None:
    with pytest.raises(Refused) as refused:
        documents.keep(octets)
    assert refused.value.reason is Reason.NOT_A_DOCUMENT


def test_one_that_is_too_large_is_refused() -> None:
    with pytest.raises(Refused, match="larger than 4 MB"):
        documents.keep(PDF + b" " * documents.MOST_OCTETS)


def test_it_lies_under_the_data_folder_for_its_owner_alone_and_the_name_tells_nothing() -> None:
    first, second = documents.keep(PDF), documents.keep(PDF)
    assert first != second
    folder = settings.DATA / documents.FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / first).stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "0" * 32, "0" * 32 + ".pdf\n", "0" * 32 + ".pdf"])
def test_no_name_leads_elsewhere(name: str) -> None:
    with pytest.raises(FileNotFoundError):
        documents.read(name)
