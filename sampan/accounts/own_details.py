"""What members say of themselves: name, mail address, language, and the mobile that codes go to (spec S131, S132)."""

from datetime import datetime

from django.db import transaction

from sampan.accounts.codes import Purpose, wrong_code
from sampan.accounts.tables import Person
from sampan.reasons import Reason


@transaction.atomic
def change(person: Person, *, name: str, email: str, language: str) -> str:
    """Keep them; gives the mail address that counted before. The caller has asked for the password."""
    kept = Person.objects.select_for_update().get(pk=person.pk)
    before = kept.email
    kept.name, kept.email, kept.language = name, email, language
    kept.save(update_fields=["name", "email", "language"])
    return before


def change_mobile(person: Person, mobile: int, code: str, *, now: datetime) -> Reason | None:
    """The mobile whose code came back is the registered one; what is wrong with the code, or None.

    The code is sent by messages/codes.py with Purpose.OWN_MOBILE; wrong tries are counted.
    """
    with transaction.atomic():
        wrong = wrong_code(Purpose.OWN_MOBILE, code, mobile=mobile, person=person, now=now)
        if wrong is None:
            Person.objects.filter(pk=person.pk).update(mobile=mobile)
    return wrong
