"""Where people are signed in: the list of sessions, and ending them (spec S132)."""

from datetime import datetime, timedelta

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef

from sampan.accounts.proofs.tables import LONGEST_BROWSER, OpenSession
from sampan.accounts.tables import Person

SEEN_EVERY = timedelta(minutes=5)


def note_sign_in(person: Person, key: str, *, address: str | None, browser: str, now: datetime) -> None:
    """One more session of this person; `key` is its Django session's."""
    OpenSession.objects.create(
        key=key, person=person, address=address, browser=browser[:LONGEST_BROWSER], created_at=now, seen_at=now
    )


def note_seen(key: str, *, address: str | None, now: datetime) -> None:
    """The session was used; noted every few minutes."""
    lately = OpenSession.objects.filter(key=key, seen_at__lt=now - SEEN_EVERY)
    lately.update(seen_at=now, address=address)


def note_new_key(old: str, new: str) -> None:
    """Django gave the session another key, as it does when its password changes."""
    OpenSession.objects.filter(key=old).update(key=new)


def sessions_of(person: Person) -> list[OpenSession]:
    """Those that still stand, the one used last first."""
    standing = Exists(Session.objects.filter(session_key=OuterRef("key")))
    return list(OpenSession.objects.filter(standing, person=person).order_by("-seen_at", "-id"))


@transaction.atomic
def end(session: OpenSession) -> None:
    """Sign out there."""
    SessionStore(session.key).delete()
    session.delete()


def end_all(person: Person, *, but: str = "") -> int:
    """Sign out everywhere, or everywhere else than in the session `but`; how many were ended."""
    others = OpenSession.objects.filter(person=person).exclude(key=but)
    for session in (ended := list(others)):
        end(session)
    return len(ended)


def forget_ended() -> int:
    """Remove from the list what has run out or was signed out; how many."""
    standing = Exists(Session.objects.filter(session_key=OuterRef("key")))
    return OpenSession.objects.exclude(standing).delete()[0]
