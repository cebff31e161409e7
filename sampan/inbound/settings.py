"""STOP words and usual rents of this installation, which staff change (spec S110, S112)."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from sampan.accounts import acts
from sampan.accounts.acts import Act
from sampan.accounts.tables import Person
from sampan.billing.money import in_pips, pips_of
from sampan.database import Connection
from sampan.inbound.tables import LONGEST_KEYWORD, ReplySettings
from sampan.inbound.words import fold
from sampan.reasons import Reason, Refused

STOP_WORDS = ("stop", "unsub", "退訂", "退订", "取消")
CHINA_STOP_WORDS = ("td", "t", "n", "0000")
NUMBER_DOLLARS, KEYWORD_DOLLARS = "500", "200"  # a month
MOST_WORDS = 50


class Usual(NamedTuple):
    """What is in force; words are folded."""

    stop_words: frozenset[str]
    china_stop_words: frozenset[str]  # of handsets in China, besides the others
    number_pips: int  # a month
    keyword_pips: int

    def stops_of(self, *, in_china: bool) -> frozenset[str]:
        """The words that unsubscribe such a handset."""
        return self.stop_words | self.china_stop_words if in_china else self.stop_words


IN_FORCE = "SELECT stop_words, china_stop_words, number_pips, keyword_pips FROM reply_settings"


def in_force(conn: Connection) -> Usual:
    """What staff have set, or what an installation begins with."""
    row = conn.execute(IN_FORCE).fetchone()
    if row is None:
        words = frozenset(map(fold, STOP_WORDS)), frozenset(map(fold, CHINA_STOP_WORDS))
        return Usual(*words, pips_of(NUMBER_DOLLARS), pips_of(KEYWORD_DOLLARS))
    return Usual(frozenset(row[0]), frozenset(row[1]), row[2], row[3])


@transaction.atomic
def change_settings(
    stop_words: Iterable[str],
    china_stop_words: Iterable[str],
    *,
    number_pips: int,
    keyword_pips: int,
    by: Person,
    why: str,
    now: datetime,
) -> None:
    """Staff set all of it; rents that run keep their price. Raises NotAllowed, Refused (WORD_EMPTY, TOO_MANY_WORDS)."""
    acts.require(by, Act.SET_REPLIES)
    words = {"stop_words": _folded(stop_words), "china_stop_words": _folded(china_stop_words)}
    if not words["stop_words"]:
        raise Refused(Reason.WORD_EMPTY, "stop_words")
    rents = {"number_pips": number_pips, "keyword_pips": keyword_pips}
    row = ReplySettings.objects.select_for_update().filter(id=1).first()
    before = {**_words(row), "number": in_pips(row.number_pips), "keyword": in_pips(row.keyword_pips)} if row else {}
    ReplySettings.objects.update_or_create(id=1, defaults=words | rents)
    after = words | {"number": in_pips(number_pips), "keyword": in_pips(keyword_pips)}
    acts.record(Act.SET_REPLIES, by=by, subject="reply settings", before=before, after=after, why=why, now=now)


def _words(row: ReplySettings) -> dict[str, list[str]]:
    return {"stop_words": row.stop_words, "china_stop_words": row.china_stop_words}


def _folded(words: Iterable[str]) -> list[str]:
    folded = sorted({fold(word) for word in words if word.strip()})
    if len(folded) > MOST_WORDS:
        raise Refused(Reason.TOO_MANY_WORDS, "stop_words", str(len(folded)))
    for word in folded:
        if not word or len(word) > LONGEST_KEYWORD:
            raise Refused(Reason.WORD_EMPTY, "stop_words", word)
    return folded
