"""What members are told of their account by mail, each in their own language, in the transaction of what is told."""

from collections.abc import Callable
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import override

from sampan.accounts.mail import write_mail
from sampan.accounts.tables import Customer, Person

Letter = tuple[str, str]  # subject and text


def owners_of(customer: Customer) -> list[Person]:
    """Its owners who have a mail address."""
    return list(customer.members.filter(role=Person.Role.OWNER, is_active=True).exclude(email=""))


def tell_owners(customer: Customer, letter: Callable[[], Letter], now: datetime) -> None:
    """A mail to each owner who has an address."""
    for owner in owners_of(customer):
        with override(owner.language):
            subject, text = letter()
        write_mail(owner.email, subject, text, now=now)


def approved() -> Letter:
    """The account is normal."""
    return (
        _("Your Sampan account is approved"),
        _("It sends to everybody from now on. Ask for a sender ID and top up in the settings.") + "\n",
    )


def sent_back(words: str) -> Callable[[], Letter]:
    """The registration is not enough."""
    return lambda: (
        _("Your Sampan account: something is missing"),
        _("We have sent your business registration back:\n\n%(words)s\n\nFile it once more in the settings.")
        % {"words": words}
        + "\n",
    )


def changed_state(words: str) -> Callable[[], Letter]:
    """Suspended, reopened or closed."""
    return lambda: (
        _("Your Sampan account was changed"),
        _("What we say about it:\n\n%(words)s\n\nYour settings show the account’s state.") % {"words": words} + "\n",
    )


def sender_granted(sender: str) -> Callable[[], Letter]:
    """It may be used."""
    return lambda: (
        _("Your sender ID %(sender)s") % {"sender": sender},
        _("You may use %(sender)s as sender ID from now on.") % {"sender": sender} + "\n",
    )


def sender_sent_back(sender: str, words: str) -> Callable[[], Letter]:
    """It may not be used yet."""
    return lambda: (
        _("Your sender ID %(sender)s") % {"sender": sender},
        _("We have sent your request for %(sender)s back:\n\n%(words)s") % {"sender": sender, "words": words} + "\n",
    )


def sender_withdrawn(sender: str, words: str) -> Callable[[], Letter]:
    """It may be used no more."""
    return lambda: (
        _("Your sender ID %(sender)s") % {"sender": sender},
        _("You may use %(sender)s no more:\n\n%(words)s") % {"sender": sender, "words": words} + "\n",
    )
