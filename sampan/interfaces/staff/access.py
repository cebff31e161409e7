"""Who looks at a page of the console: staff whose role does what the page is for. Nobody else learns that it is there.

A view names the acts it is for; the functions below the doors ask once more, and record what was done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from sampan.accounts.acts import LONGEST_WHY, Act, NotAllowed, may, require
from sampan.accounts.second_factor import has_second_factor
from sampan.accounts.tables import Person
from sampan.database import Connection, OwnConnections
from sampan.interfaces.staff import navigation
from sampan.interfaces.words import REFUSALS
from sampan.reasons import Refused

P = ParamSpec("P")

SAID = "said"  # in the session: what the last press did, for the next page to say once
FORBIDDEN, UNPROCESSABLE = 403, 422

_connections = OwnConnections("staff pages")


@dataclass(frozen=True)
class Staffer:
    """One of our people who is signed in, and this thread's connection for SQL on many rows."""

    person: Person
    conn: Connection

    def may(self, act: Act) -> bool:
        """Whether their role does this."""
        return may(self.person, act)

    def require(self, act: Act) -> None:
        """Raises NotAllowed where their role does not do this."""
        require(self.person, act)


View = Callable[Concatenate[HttpRequest, Staffer, P], HttpResponseBase]
Admitted = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def for_staff(*acts: Act, needs_second_factor: bool = True) -> Callable[[View[P]], Admitted[P]]:
    """A view for staff whose role does one of these acts; for all staff where none is named.

    Strangers are asked to sign in; for members of customers there is no such page. Staff without a second factor are
    sent to set one up: the sign-in asks for it from then on, and only the pages for that are open before.
    """

    def decorated(view: View[P]) -> Admitted[P]:
        @wraps(view)
        def admitted(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            person = request.user
            if not isinstance(person, Person):
                return redirect_to_login(request.get_full_path())
            if not person.staff_role:
                raise Http404
            if needs_second_factor and not has_second_factor(person):
                return redirect("staff:second-factor")
            person.acting_from = request.META.get("REMOTE_ADDR")
            with _connections.get(tried=True) as conn:
                staffer = Staffer(person, conn)
                if acts and not any(staffer.may(act) for act in acts):
                    return _not_allowed(request, staffer)
                try:
                    return view(request, staffer, *args, **kwargs)
                except NotAllowed:
                    return _not_allowed(request, staffer)
                except Refused as refused:
                    return _refused(request, staffer, refused)

        admitted.acts = acts  # type: ignore[attr-defined] # for the test that walks every page
        return admitted

    return decorated


def _not_allowed(request: HttpRequest, staffer: Staffer) -> HttpResponse:
    words = _("Nothing has been changed. Ask somebody whose role does it: see Roles.")
    context = {"heading": _("Your role does not do this"), "words": words}
    return page(request, staffer, "staff/refused.html", status=FORBIDDEN, **context)


def _refused(request: HttpRequest, staffer: Staffer, refused: Refused) -> HttpResponse:
    """What a function below the doors refused: it has changed nothing."""
    words = str(REFUSALS.get(refused.reason, refused)).replace("{value}", refused.value)
    context = {"heading": _("Nothing has been changed"), "words": words, "back": _page_before(request)}
    return page(request, staffer, "staff/refused.html", status=UNPROCESSABLE, **context)


def _page_before(request: HttpRequest) -> str:
    """Where the button stood that was pressed: what it leads to may be for pressing alone."""
    here = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(here, {request.get_host()}, require_https=request.is_secure())
    return here if is_ours else request.get_full_path()


def page(
    request: HttpRequest, staffer: Staffer, template: str, *, here: str = "", status: int = 200, **context: Any
) -> HttpResponse:
    """A page in the console's frame; `here` is the name of the menu's line that leads to it."""
    frame = {
        "staffer": staffer,
        "menu": navigation.menu(staffer.person, staffer.conn, timezone.now()),
        "said": request.session.pop(SAID, ""),
        "here": here,
    }
    return render(request, template, frame | context, status=status)


def say(request: HttpRequest, words: str) -> None:
    """What was done, for the next page to say once."""
    request.session[SAID] = words


def typed(request: HttpRequest, name: str) -> str:
    """What was typed in one field, as far as the longest of them goes."""
    return request.POST.get(name, "")[:LONGEST_WHY].replace("\0", "").strip()
