"""Pages for what went wrong: say what happened, what did not, and the way out (design: Principles, 4)."""

import secrets
import sys

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

log = structlog.get_logger()


def no_such_page(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """404; the same for what is another customer's as for what does not exist."""
    return render(request, "404.html", status=404)


def fault(request: HttpRequest) -> HttpResponse:
    """500; the reference leads to the log's line."""
    reference = f"{timezone.localtime():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    log.error("page.failed", path=request.path, reference=reference, exc_info=sys.exc_info())
    return render(request, "500.html", {"reference": reference}, status=500)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """400: what no browser of ours sends."""
    words = _("The request could not be read. Nothing has been sent or charged. Go back and try again.")
    return render(request, "refused.html", {"heading": _("Not understood"), "words": words}, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """403."""
    words = _("Nothing has been sent or charged. Sign in as somebody who may.")
    return render(request, "refused.html", {"heading": _("Not allowed"), "words": words}, status=403)


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django names it
    """403 of a form without its token: the page was open while somebody signed in or out, or is not ours."""
    context = {
        "heading": _("This page was out of date"),
        "words": _("You signed in or out since it was opened. Nothing has been sent or charged. Open it once more."),
        "again": request.get_full_path(),
    }
    return render(request, "refused.html", context, status=403)


def too_large(request: HttpRequest) -> HttpResponse:
    """413: the bridge gives this instead of a request it has not kept (django_below.py)."""
    context = {
        "heading": _("This file is larger than 4 MB"),
        "words": _("Nothing has been sent or charged. Go back, split the file in two and add both."),
        "again": "/compose/",
    }
    return render(request, "refused.html", context, status=413)
