"""What members are told of their top-ups by mail, each in their own language, in the transaction of what is told."""

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import override

from sampan.accounts.mail import write_mail
from sampan.accounts.tables import Customer, Person
from sampan.billing.tables import StaffEntry, TopUp
from sampan.interfaces.account_mails import Letter, owners_of
from sampan.interfaces.tags import exact


def tell_of_entry(entry: StaffEntry, now: datetime) -> None:
    """Where staff have credited a top-up or taken one back."""
    if entry.top_up_id is not None and entry.state == StaffEntry.State.DONE:
        tell_of_top_up(entry.top_up_id, now)


def tell_of_top_up(top_up_id: int, now: datetime) -> None:
    """Those who own the account, and who filed it, read what became of it."""
    top_up = TopUp.objects.select_related("customer", "filed_by").get(pk=top_up_id)
    people = {person.email.lower(): person for person in _readers(top_up)}
    for person in people.values():
        with override(person.language):
            subject, text = _letter(top_up)
        write_mail(person.email, subject, text, now=now)


def _readers(top_up: TopUp) -> list[Person]:
    filed_by = top_up.filed_by
    is_theirs = filed_by.customer_id == top_up.customer_id and filed_by.is_active and bool(filed_by.email)
    return [*owners_of(top_up.customer), *([filed_by] if is_theirs else [])]


def _letter(top_up: TopUp) -> Letter:
    about = {
        "top_up": str(top_up),
        "amount": exact(top_up.amount_pips),
        "bonus": exact(top_up.bonus_pips),
        "reference": top_up.reference,
        "words": top_up.words,
    }
    if top_up.state == TopUp.State.CREDITED:
        text = _("%(amount)s (%(reference)s) is on your balance. The receipt is in the portal under Money.")
        if top_up.bonus_pips:
            text += " " + _("With it came a bonus of %(bonus)s.")
        return _("Top-up %(top_up)s is credited") % about, text % about + "\n"
    if top_up.state == TopUp.State.REFUSED:
        text = _("We have not found %(amount)s (%(reference)s):\n\n%(words)s\n\nFile it once more, or call us.")
        return _("Top-up %(top_up)s was not found") % about, text % about + "\n"
    text = _("We have taken %(amount)s (%(reference)s) back, with its bonus:\n\n%(words)s")
    if top_up.customer.status == Customer.Status.SUSPENDED:
        text += "\n\n" + _("The account is suspended. Call us.")
    return _("Top-up %(top_up)s was taken back") % about, text % about + "\n"
