"""The words that may not be sent to China, and texts searched for them in one pass (spec S91).

A word and a text are folded alike before they are compared: NFKC makes full-width and other compatibility forms plain,
case goes, traditional characters become simplified ones, and everything but letters and digits goes: spaces,
punctuation, symbols, zero-width characters, variation selectors, fillers. So 發.票 is 发票, and ｆａ　piao is fapiao.
"""

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import opencc
from ahocorasick_rs import AhoCorasick, MatchKind
from django.db import transaction

from sampan.accounts import acts
from sampan.accounts.acts import Act
from sampan.accounts.tables import Person
from sampan.compliance.tables import LONGEST_WORD, ChinaWord
from sampan.database import Connection, Snapshot, beneath_django
from sampan.reasons import Reason, Refused

# Letters that show nothing: fillers of Hangul (Unicode: Default_Ignorable_Code_Point).
INVISIBLE_LETTERS = "\u115f\u1160\u3164\uffa0"
MOST_WORDS_AT_ONCE = 200_000
MOST_WORDS_NAMED = 10


@lru_cache(1)
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


class _Fold(dict[int, str]):
    """What each character is folded to; one that was not met before is worked out and remembered."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kept = unicodedata.category(character)[0] in "LN" and character not in INVISIBLE_LETTERS
        # Character by character, not by phrase: otherwise what stands between two of them would change the result.
        folded = _converter().convert(character) if kept else ""
        self[code] = folded
        return folded


_FOLD = _Fold()


def fold(text: str) -> str:
    """The text as it is compared."""
    return unicodedata.normalize("NFKC", text).casefold().translate(_FOLD)


class Words:
    """A library of words, ready to be looked for all at once."""

    def __init__(self, words: Iterable[tuple[str, str]]) -> None:
        """`words` are pairs of a word and its folded form."""
        pairs = list(words)
        self._words = [word for word, _ in pairs]
        self._search = AhoCorasick([folded for _, folded in pairs], matchkind=MatchKind.Standard) if pairs else None

    def __len__(self) -> int:
        return len(self._words)

    def in_text(self, text: str) -> list[str]:
        """The words a text has, as the library writes them, each once, in the order in which they end in it."""
        if self._search is None:
            return []
        matches = self._search.find_matches_as_indexes(fold(text), overlapping=True)
        return list(dict.fromkeys(self._words[place] for place, _, _ in matches))


words = Snapshot(lambda conn: Words(conn.execute("SELECT word, folded FROM china_word").fetchall()), "china_word")


def illegal_words(conn: Connection, text: str) -> list[str]:
    """The words that keep this text from China."""
    return words.get(conn).in_text(text)


def named(found: list[str]) -> str:
    """Those words for people to read: the first few of them."""
    return ", ".join(found[:MOST_WORDS_NAMED]) + ", …" * (len(found) > MOST_WORDS_NAMED)


# The library


def add_words(given: Iterable[str], *, by: Person, now: datetime, why: str) -> int:
    """These words besides those there are; gives how many are new. Raises NotAllowed, WORD_EMPTY, TOO_MANY_WORDS."""
    acts.require(by, Act.CHANGE_WORDS)
    folded = _folded(given)
    with transaction.atomic():
        _one_after_the_other()
        known = set(ChinaWord.objects.filter(folded__in=list(folded)).values_list("folded", flat=True))
        rows = [ChinaWord(word=word, folded=key, by=by, at=now) for key, word in folded.items() if key not in known]
        ChinaWord.objects.bulk_create(rows, batch_size=5_000)
        _record(by, now, {"added": [row.word for row in rows], "count": len(rows)}, why)
    return len(rows)


def replace_words(given: Iterable[str], *, by: Person, now: datetime, why: str) -> tuple[int, int]:
    """These words and no others; gives how many came and how many went. Raises as `add_words`."""
    acts.require(by, Act.CHANGE_WORDS)
    folded = _folded(given)
    with transaction.atomic():
        _one_after_the_other()
        gone = ChinaWord.objects.exclude(folded__in=list(folded)).delete()[0]
        added = add_words(folded.values(), by=by, now=now, why=why)
        _record(by, now, {"removed": gone}, why)
    return added, gone


def _one_after_the_other() -> None:
    """Who changes the library waits for who is changing it; texts are searched meanwhile."""
    with beneath_django() as conn:
        conn.execute("LOCK TABLE china_word IN SHARE ROW EXCLUSIVE MODE")


def remove_word(word_id: int, *, by: Person, now: datetime, why: str) -> bool:
    """One word less; whether it was there. Raises NotAllowed."""
    acts.require(by, Act.CHANGE_WORDS)
    with transaction.atomic():
        row = ChinaWord.objects.select_for_update().filter(id=word_id).first()
        if row is None:
            return False
        _record(by, now, {"removed": [row.word]}, why)
        row.delete()
    return True


def all_words() -> list[str]:
    """Every word as staff wrote it, in order; for export."""
    return list(ChinaWord.objects.order_by("word").values_list("word", flat=True))


def read_words(octets: bytes) -> list[str]:
    """The words of a text file, one a line. Raises REGISTER_UNREADABLE where it is no UTF-8."""
    try:
        lines = octets.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise Refused(Reason.REGISTER_UNREADABLE, "file", f"{octets[: error.start].count(10) + 1}") from error
    return [line.strip() for line in lines if line.strip()]


def _folded(given: Iterable[str]) -> dict[str, str]:
    """By folded form each word once, as first written."""
    folded: dict[str, str] = {}
    for word in given:
        key = fold(word)
        if not key or len(word) > LONGEST_WORD or len(key) > LONGEST_WORD:
            raise Refused(Reason.WORD_EMPTY, "words", word[:LONGEST_WORD])
        folded.setdefault(key, word)
    if len(folded) > MOST_WORDS_AT_ONCE:
        raise Refused(Reason.TOO_MANY_WORDS, "words", f"{len(folded):,}")
    return folded


MOST_WORDS_LOGGED = 100


def _record(by: Person, now: datetime, after: dict[str, object], why: str) -> None:
    short = {key: value[:MOST_WORDS_LOGGED] if isinstance(value, list) else value for key, value in after.items()}
    acts.record(Act.CHANGE_WORDS, by=by, subject="china_word", after=short, why=why, now=now)
