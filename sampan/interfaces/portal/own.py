"""What an address of a page names, where it is the member's own; else there is no such page."""

from django.http import Http404

from sampan.interfaces.portal.access import Member
from sampan.messages.reports import batches
from sampan.messages.reports.batches import BatchFacts


def own_batch(member: Member, batch_id: int) -> BatchFacts:
    """A batch of the member's organisation; 404 for any other."""
    found = batches.batches(member.conn, member.customer.id, [batch_id])
    if not found:
        raise Http404
    return found[0]
