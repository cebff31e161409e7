"""Long lists of the console, the newest first: each page begins after the last id of the one before."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

ROWS_A_PAGE = 50
LONGEST_ID_DIGITS = 18

M = TypeVar("M", bound=Model)


class Rows(NamedTuple, Generic[M]):
    """One page of a list, and the queries of the addresses before and after it; empty where there is none."""

    rows: Sequence[M]
    newest: str
    older: str


def paged(request: HttpRequest, found: QuerySet[M], *, most: int = ROWS_A_PAGE) -> Rows[M]:
    """The page of `found` that the address asks for by `?before=ID`."""
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) <= LONGEST_ID_DIGITS:
        found = found.filter(pk__lt=int(before))
    else:
        before = ""
    rows = list(found.order_by("-pk")[: most + 1])
    asked = request.GET.copy()
    asked.pop("before", None)
    newest = asked.urlencode() or "newest"
    if len(rows) <= most:
        return Rows(rows, newest if before else "", "")
    asked["before"] = str(rows[most - 1].pk)
    return Rows(rows[:most], newest if before else "", asked.urlencode())
