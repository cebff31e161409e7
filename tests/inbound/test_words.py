"""STOP in three scripts, however it is typed, and as nothing else (spec S112)."""

import pytest

from sampan.inbound.settings import CHINA_STOP_WORDS, STOP_WORDS
from sampan.inbound.words import as_keyword, fold, is_stop, split

EVERYWHERE = frozenset(map(fold, STOP_WORDS))
CHINA = EVERYWHERE | frozenset(map(fold, CHINA_STOP_WORDS))


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "S T O P",
        "ＳＴＯＰ",
        "“stop”",
        "stop\r\n",
        "UNSUB",
        "unsub!",
        "退訂",
        "退订",
        " 取消。",
        "「退訂」",
        "st\u200bop",
    ],
)
def test_a_stop_word_is_known_in_any_case_width_and_between_any_marks(text: str) -> None:
    assert is_stop(text, EVERYWHERE)


@pytest.mark.parametrize("text", ["TD", "t", "Ｔ", "n", "0000", "0 000", "退订"])
def test_in_china_some_more_words_stop(text: str) -> None:
    assert is_stop(text, CHINA)


@pytest.mark.parametrize(
    "text", ["", "   ", "!", "please stop sending", "Stop by at 5?", "TD", "T", "N", "0000", "退訂我", "不要取消"]
)
def test_what_only_contains_a_stop_word_or_is_one_elsewhere_does_not_stop(text: str) -> None:
    assert not is_stop(text, EVERYWHERE)


@pytest.mark.parametrize(
    ("text", "word", "rest"),
    [
        ("FLOWERS two bunches", "flowers", "two bunches"),
        ("ｆｌｏｗｅｒｓ", "flowers", ""),
        ("flowers: for Monday", "flowers", "for Monday"),
        ("訂花 兩打", "訂花", "兩打"),
        ("訂花\u3000兩打", "訂花", "兩打"),
        ("flowers\nfor Monday", "flowers", "for Monday"),
        ("", "", ""),
    ],
)
def test_the_first_word_is_the_keyword_and_the_rest_the_text(text: str, word: str, rest: str) -> None:
    assert split(text) == (word, rest)


def test_a_keyword_is_one_word_of_letters_or_digits() -> None:
    assert [as_keyword(typed) for typed in ["Flowers", "訂花", " ＶＩＰ8. "]] == ["flowers", "訂花", "vip8"]
    assert not any(map(as_keyword, ["", "a", "two words", "a" * 21, "a_b", "!"]))
