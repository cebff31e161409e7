"""Drafts: what was begun and not sent, by anybody of the organisation; go on with one, or delete it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from sampan.interfaces.portal.access import Member, for_writers, page
from sampan.interfaces.portal.compose import own_draft
from sampan.messages.drafts import KEPT_FOR
from sampan.messages.tables import ComposeDraft

MOST_SHOWN = 200


@require_safe
@for_writers
def draft_list(request: HttpRequest, member: Member) -> HttpResponse:
    """The page, the latest first."""
    drafts = ComposeDraft.objects.filter(customer_id=member.customer.id, batch_id=None).select_related("person")
    rows = list(drafts.order_by("-updated_at")[:MOST_SHOWN])
    return page(request, member, "portal/draft-list.html", here="drafts", drafts=rows, days=KEPT_FOR.days)


@require_http_methods(["GET", "HEAD", "POST"])
@for_writers
def delete_draft(request: HttpRequest, member: Member, draft_id: UUID) -> HttpResponse:
    """Ask once more, then delete it. One that was sent is kept: it says as which batch."""
    draft = own_draft(member, draft_id)
    if request.method != "POST":
        return page(request, member, "portal/delete-draft.html", here="drafts", draft=draft)
    ComposeDraft.objects.filter(pk=draft.pk, batch_id=None).delete()
    return redirect("drafts")
