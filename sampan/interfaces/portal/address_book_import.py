"""A file of people into the address book: everybody with a mobile number; bad rows are listed (spec S1)."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sampan.interfaces.portal.access import Member, for_writers, page
from sampan.interfaces.portal.address_book_forms import ImportForm
from sampan.messages.address_book import groups
from sampan.messages.address_book.importing import Imported, import_file
from sampan.messages.drafts import BadRow
from sampan.reasons import Reason, Refused
from sampan.uploads.reading import MEBI, Limits

LIMITS = Limits()
BAD_ROWS_SHOWN = 100
UNPROCESSABLE = 422


@require_http_methods(["GET", "HEAD", "POST"])
@for_writers
def import_people(request: HttpRequest, member: Member) -> HttpResponse:
    """The form; then what became of the file."""
    book = groups.groups_of(member.conn, member.customer.id)
    form = ImportForm(book, request.POST or None, request.FILES or None)
    imported = None
    if form.is_valid():
        try:
            imported = _import(member, form)
        except Refused as refused:
            form.refuse(refused)
    bad = imported.bad[:BAD_ROWS_SHOWN] if imported else []
    return page(
        request,
        member,
        "portal/address-book-import.html",
        status=UNPROCESSABLE if form.errors else 200,
        here="address-book",
        form=form,
        imported=imported,
        bad_rows=[BadRow(form.cleaned_data["file"].name, each.row, each.flaw) for each in bad],
    )


def _import(member: Member, form: ImportForm) -> Imported:
    """All of it, or nothing. Raises Refused."""
    file, now = form.cleaned_data["file"], timezone.now()
    if file.size > LIMITS.file_octets:
        raise Refused(Reason.FILE_TOO_LARGE, "file", f"{LIMITS.file_octets // MEBI} MB")
    whose = member.conn, member.customer.id
    with member.conn.transaction():
        group_id = form.cleaned_data["group"]
        if new := form.cleaned_data["new_group"].strip():
            group_id = _group(member, new)
        return import_file(*whose, file.read(), now, limits=LIMITS, group_id=group_id)


def _group(member: Member, name: str) -> int:
    """The new one. Raises Refused about "new_group"."""
    try:
        return groups.make_group(member.conn, member.customer.id, name, timezone.now())
    except Refused as refused:
        raise Refused(refused.reason, "new_group", refused.value) from None
