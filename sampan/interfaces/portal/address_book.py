"""The address book: people and their groups, found, ticked, put into groups and taken out (spec S1, S4)."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sampan.interfaces.csv_files import csv_response
from sampan.interfaces.portal.access import Member, for_writers, page
from sampan.interfaces.portal.address_book_forms import GroupForm, PersonForm
from sampan.interfaces.words import words_of_refusal
from sampan.messages.address_book import contacts, groups
from sampan.messages.address_book.contacts import Contact, Search
from sampan.messages.address_book.groups import Group
from sampan.reasons import Refused

PEOPLE_A_PAGE = 50
MOST_TICKED = 500
LONGEST_SEARCH = 60
LONGEST_ID_DIGITS = 18
FIELDS_SHOWN = 2
UNPROCESSABLE = 422


class Asked(NamedTuple):
    """What the address of the page asks for."""

    group: Group | None
    words: str
    after: tuple[str, int]

    def search(self, member: Member) -> Search:
        """Those who are meant."""
        return Search(member.customer.id, self.group.id if self.group else None, self.words)

    def address(self, after: Contact | None = None) -> str:
        """Of the same people, from the one after that on."""
        asked: dict[str, object] = {"group": self.group.id} if self.group else {}
        asked |= {"q": self.words} if self.words else {}
        asked |= {"name": after.name, "after": after.id} if after else {}
        return f"{reverse('address-book')}?{urlencode(asked)}" if asked else reverse("address-book")


def _asked(request: HttpRequest, book: Sequence[Group]) -> Asked:
    group_id = _id(request.GET.get("group", ""))
    group = next((group for group in book if group.id == group_id), None)
    if group_id and group is None:
        raise Http404
    words = request.GET.get("q", "").replace("\0", "")[:LONGEST_SEARCH]
    return Asked(group, words, (request.GET.get("name", "").replace("\0", ""), _id(request.GET.get("after", ""))))


def _id(given: str) -> int:
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= LONGEST_ID_DIGITS else 0


@require_http_methods(["GET", "HEAD", "POST"])
@for_writers
def address_book(request: HttpRequest, member: Member) -> HttpResponse:
    """The people, page by page; and what is done with those who are ticked."""
    book = groups.groups_of(member.conn, member.customer.id)
    asked = _asked(request, book)
    refused = ""
    if request.method == "POST":
        try:
            request.session["book_done"] = _act(request, member, asked)
            return redirect(asked.address())
        except Refused as caught:
            refused = words_of_refusal(caught)
    search = asked.search(member)
    found = contacts.by_name(member.conn, search, after=asked.after, most=PEOPLE_A_PAGE + 1)
    people = found[:PEOPLE_A_PAGE]
    shown = _fields_shown(people)
    return page(
        request,
        member,
        "portal/address-book.html",
        status=UNPROCESSABLE if refused else 200,
        here="address-book",
        asked=asked,
        book=book,
        fields=shown,
        people=[(each, _names(each, book), [each.fields.get(name, "") for name in shown]) for each in people],
        total=contacts.count(member.conn, Search(member.customer.id)),
        count=contacts.count(member.conn, search),
        following=asked.address(people[-1]) if len(found) > PEOPLE_A_PAGE else "",
        is_first=asked.after == ("", 0),
        done=request.session.pop("book_done", ""),
        refused=refused,
    )


def _fields_shown(people: Sequence[Contact]) -> list[str]:
    """The first fields that people of the page have."""
    return list(dict.fromkeys(name for each in people for name in each.fields))[:FIELDS_SHOWN]


def _names(contact: Contact, book: Sequence[Group]) -> list[str]:
    return [group.name for group in book if group.id in contact.group_ids]


def _act(request: HttpRequest, member: Member, asked: Asked) -> str:
    """What the button says, to the ticked people; gives what was done. Raises Refused."""
    numbers = [number for each in request.POST.getlist("person")[:MOST_TICKED] if (number := _id(each))]
    whose = member.conn, member.customer.id
    act = request.POST.get("do", "")
    if act == "add":
        count = groups.add_members(*whose, _id(request.POST.get("to", "")), numbers)
        return _("Put into the group: %(count)s") % {"count": count}
    if act == "remove" and asked.group:
        count = groups.remove_members(*whose, asked.group.id, numbers)
        return _("Taken out of the group: %(count)s") % {"count": count}
    if act == "delete":
        return _("Deleted: %(count)s") % {"count": contacts.delete(*whose, numbers)}
    raise Http404


@require_safe
@for_writers
def address_book_csv(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The people found, with all their fields."""
    book = groups.groups_of(member.conn, member.customer.id)
    asked = _asked(request, book)
    fields = contacts.field_names(member.conn, member.customer.id)
    rows = _rows(member, asked.search(member), book, fields)
    return csv_response("address-book.csv", [_("Number"), _("Name"), _("Groups"), *fields], rows)


def _rows(member: Member, search: Search, book: Sequence[Group], fields: Sequence[str]) -> Iterator[list[object]]:
    after = 0
    while people := contacts.by_id(member.conn, search, after=after, most=contacts.MOST_A_PAGE):
        for each in people:
            own = [each.fields.get(name, "") for name in fields]
            yield [each.number, each.name, "; ".join(_names(each, book)), *own]
        after = people[-1].id


# One person


@require_http_methods(["GET", "HEAD", "POST"])
@for_writers
def person(request: HttpRequest, member: Member, number: int | None = None) -> HttpResponse:
    """A person's name and fields; a new one where there is no number."""
    found = contacts.by_numbers(member.conn, member.customer.id, [number]) if number else []
    if number and not found:
        raise Http404
    known = found[0] if found else None
    form = PersonForm(known, contacts.field_names(member.conn, member.customer.id), request.POST or None)
    if request.method == "POST" and known and request.POST.get("do") == "delete":
        contacts.delete(member.conn, member.customer.id, [known.number])
        return redirect("address-book")
    if request.method == "POST" and form.is_valid():
        try:
            contacts.keep(member.conn, member.customer.id, [form.given()], timezone.now(), replace=True)
            return redirect("address-book")
        except Refused as refused:
            form.refuse(refused)
    return _show(request, member, "portal/address-book-person.html", form, known=known)


# Groups


@require_http_methods(["GET", "HEAD", "POST"])
@for_writers
def group(request: HttpRequest, member: Member, group_id: int | None = None) -> HttpResponse:
    """A group's name, and its end; a new one where there is none. Its people stay."""
    known = None
    whose = member.conn, member.customer.id
    if group_id:
        try:
            known = groups.group_of(*whose, group_id)
        except Refused as refused:
            raise Http404 from refused
    form = GroupForm(request.POST or None, initial={"name": known.name if known else ""})
    if request.method == "POST" and known and request.POST.get("do") == "delete":
        groups.delete_group(*whose, known.id)
        return redirect("address-book")
    if form.is_valid():
        try:
            name = form.cleaned_data["name"]
            if known:
                groups.rename_group(*whose, known.id, name)
            group_id = known.id if known else groups.make_group(*whose, name, timezone.now())
            return redirect(f"{reverse('address-book')}?group={group_id}")
        except Refused as refused:
            form.refuse(refused)
    return _show(request, member, "portal/address-book-group.html", form, known=known)


def _show(request: HttpRequest, member: Member, template: str, form: Any, **context: Any) -> HttpResponse:
    status = UNPROCESSABLE if form.errors else 200
    return page(request, member, template, status=status, here="address-book", form=form, **context)
