"""The page behind the link in a promotional text: one press, and no more of them come (spec S95, S96).

Nobody signs in, and it says everything in Chinese and English at once. Only the press unsubscribes: programs that look
at links before people do only see the page.
"""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sampan.compliance import preferences
from sampan.compliance.links import message_of
from sampan.compliance.tables import Preference
from sampan.database import Connection, OwnConnections
from sampan.messages.lookup import Party, party_of
from sampan.reasons import Refused

SHOWN_DIGITS = 4

_connections = OwnConnections("unsubscribing")


@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribing(request: HttpRequest, token: str) -> HttpResponse:
    """The question, and what comes of it; 404 for a link of nobody's, or of a message that was deleted."""
    try:
        message_id = message_of(token)
    except Refused as refused:
        raise Http404 from refused
    with _connections.get(tried=True) as conn:
        party = party_of(conn, message_id)
        if party is None:
            raise Http404
        if request.method == "POST":
            _unsubscribe(conn, party, message_id, request, timezone.now())
    context = {"party": party, "number": f"…{str(party.recipient)[-SHOWN_DIGITS:]}", "done": request.method == "POST"}
    return render(request, "unsubscribing.html", context)


def _unsubscribe(conn: Connection, party: Party, message_id: int, request: HttpRequest, now: datetime) -> None:
    evidence = f"link in message {message_id}, pressed from {request.META.get('REMOTE_ADDR') or 'an unknown address'}"
    preferences.unsubscribe(
        conn, party.customer_id, [party.recipient], way=Preference.Way.LINK, at=now, evidence=evidence, now=now
    )
