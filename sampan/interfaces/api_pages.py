"""Pages about the JSON API for who writes programs: all that can be asked, and every problem by its address."""

from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sampan.interfaces.json_api.outline import described
from sampan.interfaces.json_api.problems import KINDS, OWN_KINDS


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Everything, made from the types as the OpenAPI document is."""
    groups = [(name, list(found)) for name, found in groupby(described(), key=lambda each: each.group)]
    return render(request, "public/api.html", {"here": "api", "groups": groups, "host": request.get_host()})


@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """All problems: the door's own and those of reasons."""
    own = {kind.name for kind in OWN_KINDS}
    lists = [[kind for kind in KINDS.values() if (kind.name in own) is is_own] for is_own in (True, False)]
    return render(request, "public/problems.html", {"here": "api", "lists": lists})


@require_safe
def problem(request: HttpRequest, name: str) -> HttpResponse:
    """One type of problem."""
    if name not in KINDS:
        raise Http404
    return render(request, "public/problem.html", {"here": "api", "kind": KINDS[name]})
