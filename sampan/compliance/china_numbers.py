"""Numbers in China that get no text, for they complained or refused; and those that staff let pass (spec S92)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from sampan.accounts import acts
from sampan.accounts.acts import Act
from sampan.accounts.tables import Person
from sampan.compliance.tables import LONGEST_EVIDENCE, ChinaNumber
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import parse_international

CHINA_CODE = "86"


@transaction.atomic
def list_numbers(given: Sequence[str], kind: ChinaNumber.Kind, *, grounds: str, by: Person, now: datetime) -> int:
    """Staff put these numbers on a list; gives how many are new. Raises NotAllowed, NOT_IN_CHINA, NO_EVIDENCE."""
    acts.require(by, Act.LIST_CHINA_NUMBER)
    if not grounds.strip():
        raise Refused(Reason.NO_EVIDENCE, "grounds")
    numbers = {_china_mobile(each) for each in given}
    if not numbers:
        raise Refused(Reason.NO_RECIPIENT, "numbers")
    known = set(ChinaNumber.objects.filter(kind=kind, number__in=numbers).values_list("number", flat=True))
    rows = [
        ChinaNumber(number=number, kind=kind, grounds=grounds.strip()[:LONGEST_EVIDENCE], by=by, at=now)
        for number in sorted(numbers - known)
    ]
    ChinaNumber.objects.bulk_create(rows, ignore_conflicts=True)
    after = {"list": kind.label, "added": len(rows)}
    acts.record(Act.LIST_CHINA_NUMBER, by=by, subject="china_number", after=after, why=grounds, now=now)
    return len(rows)


@transaction.atomic
def unlist_number(row_id: int, *, why: str, by: Person, now: datetime) -> bool:
    """Staff take a number off its list; whether it stood there. Raises NotAllowed, NO_GROUNDS."""
    acts.require(by, Act.LIST_CHINA_NUMBER)
    row = ChinaNumber.objects.select_for_update().filter(id=row_id).first()
    if row is None:
        return False
    before = {"list": row.get_kind_display()}
    acts.record(Act.LIST_CHINA_NUMBER, by=by, subject=row, before=before, why=why, now=now)
    row.delete()
    return True


def _china_mobile(given: str) -> int:
    try:
        number = parse_international(given.strip().removeprefix("+").replace(" ", ""))
    except Refused as refused:
        raise Refused(Reason.NOT_IN_CHINA, "numbers", given.strip()[:LONGEST_EVIDENCE]) from refused
    if not str(number).startswith(CHINA_CODE):
        raise Refused(Reason.NOT_IN_CHINA, "numbers", str(number))
    return number
