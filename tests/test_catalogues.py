"""The pages in Chinese: every marked word stands in both catalogues, translated, and can be shown (spec S135)."""

import os
import re
import shutil
from collections import Counter
from pathlib import Path

import opencc
import pytest
from babel.messages.catalog import Catalog, Message
from django.utils.formats import date_format
from django.utils.translation import gettext, override

from sampan import catalogues
from tests.catalogues import (
    LOCALES,
    PACKAGE,
    PLACEHOLDER,
    catalogue,
    catalogue_file,
    is_for_staff_alone,
    marked,
    sources,
    translations,
)
from tests.world import NOW

NOT_WORDS = re.compile(r"[\W\d_]*(Unicode|HTTP API|JSON API|SOAP|SMPP|API|Sampan|URL|Webhooks?|PDF|CSV)?[\W\d_]*")
SIMPLIFIED = opencc.OpenCC("t2s")


@pytest.fixture(scope="module")
def words() -> Catalog:
    return marked()


def key(message: Message) -> tuple[str | None, tuple[str, ...]]:
    return message.context, tuple(sources(message))


@pytest.mark.parametrize("locale", LOCALES)
def test_the_catalogues_have_every_word_that_is_marked(words: Catalog, locale: str) -> None:
    """After a change: make words"""
    known = {key(message) for message in catalogue(locale) if message.id}
    assert {key(message) for message in words if message.id} - known == set()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_word_that_customers_read_is_translated(words: Catalog, locale: str) -> None:
    known = catalogue(locale)
    missing = [
        message.id
        for message in words
        if message.id
        and not is_for_staff_alone(message)
        and not all(translations(known.get(message.id, message.context) or Message("")))
    ]
    assert missing == []


@pytest.mark.parametrize("locale", LOCALES)
def test_a_translation_keeps_every_placeholder_and_tag(locale: str) -> None:
    for message in catalogue(locale):
        for text in filter(None, translations(message) if message.id else []):
            wanted = Counter(PLACEHOLDER.findall(sources(message)[-1]))
            assert Counter(PLACEHOLDER.findall(text)) == wanted, (message.id, text)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_translation_is_chinese(locale: str) -> None:
    for message in catalogue(locale):
        for text in filter(None, translations(message) if message.id else []):
            bare = PLACEHOLDER.sub("", text)
            is_chinese = re.search(r"[\u4e00-\u9fff]", bare)
            assert is_chinese or NOT_WORDS.fullmatch(bare) or message.context == "html lang", (message.id, text)
            if locale == "zh_Hans":
                assert SIMPLIFIED.convert(bare) == bare, message.id


def test_both_are_shown(tmp_path: Path) -> None:
    with override("zh-hant"):
        assert (gettext("Sender ID"), gettext("Charge units")) == ("發送人名稱", "收費單位")
        assert date_format(NOW, "j M") != ""
    with override("zh-hans"):
        assert (gettext("Sender ID"), gettext("Charge units")) == ("发送人名称", "计费单位")


def test_a_catalogue_is_compiled_again_when_it_changes(tmp_path: Path) -> None:
    source = tmp_path / "zh_Hant" / catalogues.SOURCE
    source.parent.mkdir(parents=True)
    shutil.copy(catalogue_file("zh_Hant"), source)
    assert catalogues.compiled(tmp_path, tmp_path / "data") == tmp_path
    made = source.with_suffix(".mo")
    first = made.stat()
    catalogues.compiled(tmp_path, tmp_path / "data")
    assert made.stat().st_ino == first.st_ino
    os.utime(source, ns=(first.st_mtime_ns + 1, first.st_mtime_ns + 1))
    catalogues.compiled(tmp_path, tmp_path / "data")
    assert made.stat().st_ino != first.st_ino
    assert made.stat().st_mtime_ns == source.stat().st_mtime_ns


def test_where_the_package_cannot_be_written_they_lie_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "zh_Hant" / catalogues.SOURCE
    source.parent.mkdir(parents=True)
    shutil.copy(catalogue_file("zh_Hant"), source)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    assert catalogues.compiled(tmp_path, tmp_path / "data") == tmp_path / "data"
    assert (tmp_path / "data/zh_Hant" / catalogues.COMPILED).exists()
    assert not source.with_suffix(".mo").exists()


def test_the_folder_of_the_platform_is_compiled() -> None:
    assert all((PACKAGE / "locale" / locale / catalogues.COMPILED).exists() for locale in LOCALES)
