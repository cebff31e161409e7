"""The words that may not be sent to China, and the disguises that do not help (spec S91)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Person
from sampan.compliance import words
from sampan.compliance.tables import ChinaWord
from sampan.compliance.words import Words, fold
from sampan.database import Connection, Snapshot
from sampan.reasons import Reason, Refused
from tests.billing.money import at_once
from tests.world import NOW, make_staff


def library(*of: str) -> Words:
    return Words([(word, fold(word)) for word in of])


@pytest.mark.parametrize(
    "disguised",
    [
        "发票",
        "發票",  # traditional
        "發.票",
        "发　票",  # an ideographic space
        "发\u200b票",  # zero-width space
        "发\u2060\ufeff\u00ad票",  # word joiner, byte order mark, soft hyphen
        "发\u200d票\ufe0f",  # zero-width joiner, variation selector
        "发\r\n票",
        "发★票",
        "代开發·票!",
        "发-_-票",
        "发\u0301票",  # a combining accent
        "发\U000e0100票",  # a variation selector of another plane
        "发\u3164票",  # a letter that shows nothing: Hangul's filler
        "发\uffa0\u115f\u1160票",  # its half-width form, and those of its parts
    ],
)
def test_a_disguised_word_is_found(disguised: str) -> None:
    assert library("发票").in_text(f"您好，{disguised}，谢谢") == ["发票"]


@pytest.mark.parametrize(
    "disguised", ["fapiao", "FaPiao", "ｆａpiao", "ＦＡＰＩＡＯ", "f a p i a o", "f.a*p-i_a|o", "𝐟𝐚piao"]
)
def test_full_width_case_and_spaces_do_not_hide_a_latin_word(disguised: str) -> None:
    assert library("fapiao").in_text(disguised) == ["fapiao"]


def test_a_library_in_traditional_characters_finds_simplified_text() -> None:
    assert library("發票", "賭博").in_text("开发票，也有赌 博") == ["發票", "賭博"]


def test_words_that_overlap_are_all_named_once() -> None:
    assert library("赌", "赌博", "博彩").in_text("赌博彩，赌博") == ["赌", "赌博", "博彩"]


def test_other_texts_have_no_such_word() -> None:
    assert library("发票").in_text("票已发出") == []
    assert library().in_text("发票") == []


@given(
    st.text(), st.text(), st.lists(st.sampled_from(["", " ", ".", "\u200b", "　", "★", "\n"]), min_size=1, max_size=1)
)
def test_what_stands_around_or_between_never_hides_a_word(before: str, after: str, between: list[str]) -> None:
    disguised = before + "發" + between[0] + "票" + after
    assert "发票" in library("发票").in_text(disguised)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold(text)
    assert all(character.isalnum() or not character.isspace() for character in once)
    assert library(text).in_text(text) == [text] if once else True


def test_twenty_thousand_words_are_imported_and_exported(database: Connection) -> None:
    ada = make_staff()
    given_words = [f"词{n}号" for n in range(20_000)]
    file = ("\ufeff" + "\r\n".join(given_words)).encode()
    assert words.add_words(words.read_words(file), by=ada, now=NOW, why="the list") == 20_000
    assert sorted(words.all_words()) == sorted(given_words)
    Snapshot.forget_all()
    assert words.illegal_words(database, "我有 词 19999 號") == ["词19999号"]
    assert words.illegal_words(database, "平安" * 200) == []


def test_the_same_word_in_another_form_is_not_added_twice(database: Connection) -> None:
    ada = make_staff()
    assert words.add_words(["发票", "發 票"], by=ada, now=NOW, why="a test") == 1
    assert words.add_words(["發票", "賭博"], by=ada, now=NOW, why="a test") == 1
    assert words.all_words() == ["发票", "賭博"]


def test_a_new_library_replaces_the_old_one_and_a_word_can_go(database: Connection) -> None:
    ada = make_staff()
    words.add_words(["发票", "赌博"], by=ada, now=NOW, why="a test")
    assert words.replace_words(["赌博", "枪"], by=ada, now=NOW, why="a test") == (1, 1)
    assert words.remove_word(ChinaWord.objects.get(word="枪").pk, by=ada, now=NOW, why="a test")
    assert words.all_words() == ["赌博"]
    assert set(AuditEntry.objects.values_list("act", flat=True)) == {"china_words.change"}


def test_of_two_who_replace_the_library_at_once_the_later_ones_is_whole(database: Connection) -> None:
    ada, ben = make_staff(), make_staff("ben")
    words.add_words(["枪"], by=ada, now=NOW, why="a test")
    raised = at_once(
        lambda: words.replace_words(["发票", "枪"], by=ada, now=NOW, why="a list"),
        lambda: words.replace_words(["赌博", "枪"], by=ben, now=NOW, why="another"),
        lambda: words.add_words(["枪"], by=ben, now=NOW, why="once more"),
    )
    assert set(raised) == {None}
    assert set(words.all_words()) in ({"发票", "枪"}, {"赌博", "枪"})


@pytest.mark.parametrize("word", ["", "。。。", "\u200b", "字" * 61])
def test_a_word_of_nothing_is_refused(database: Connection, word: str) -> None:
    with pytest.raises(Refused) as caught:
        words.add_words(["发票", word], by=make_staff(), now=NOW, why="a test")
    assert caught.value.reason == Reason.WORD_EMPTY
    assert words.all_words() == []


def test_finance_may_not_change_the_library(database: Connection) -> None:
    with pytest.raises(NotAllowed):
        words.add_words(["发票"], by=make_staff(role=Person.StaffRole.FINANCE), now=NOW, why="a test")
