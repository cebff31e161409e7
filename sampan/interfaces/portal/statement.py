"""The statement as a page, and as CSV, XLSX and PDF (spec S89)."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from reportlab.lib.units import mm

from sampan.accounts.permissions import Permission
from sampan.billing import statement as statements
from sampan.billing.money import in_pips
from sampan.interfaces.csv_files import csv_response
from sampan.interfaces.money_words import movement, signed, transfer_kind
from sampan.interfaces.papers import Column, Paper, pdf_response
from sampan.interfaces.portal.access import Member, for_permission, page
from sampan.interfaces.portal.money import UNPROCESSABLE
from sampan.interfaces.tags import HONG_KONG, full_moment
from sampan.interfaces.xlsx_files import xlsx_response

LONGEST_DAYS = 366
DAY = timedelta(days=1)
NOT_A_DATE = gettext_lazy("Not a date. Write it as 2026-11-21.")


@dataclass(frozen=True)
class Period:
    """Days of Hong Kong, both inside."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.first, datetime.min.time(), HONG_KONG)

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + DAY, datetime.min.time(), HONG_KONG)


class PeriodForm(forms.Form):
    """From a day to a day, a year at most."""

    first = forms.DateField(input_formats=["%Y-%m-%d"], error_messages={"invalid": NOT_A_DATE})
    last = forms.DateField(input_formats=["%Y-%m-%d"], error_messages={"invalid": NOT_A_DATE})

    def clean(self) -> None:
        """The days in order, and not too many."""
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first is None or last is None:
            return
        if last < first:
            self.add_error("last", _("Before the first day. Choose a later one."))
        elif (last - first).days >= LONGEST_DAYS:
            self.add_error("last", _("More than a year. Choose fewer days."))
        elif not date(2000, 1, 1) <= first <= last <= date(2100, 1, 1):
            self.add_error("first", NOT_A_DATE)

    def period(self) -> Period:
        """What was asked for."""
        return Period(self.cleaned_data["first"], self.cleaned_data["last"])


def _asked(request: HttpRequest) -> PeriodForm:
    today = timezone.now().astimezone(HONG_KONG).date()
    begin, end = today.replace(day=1).isoformat(), today.isoformat()
    return PeriodForm({"first": request.GET.get("from", begin), "last": request.GET.get("to", end)})


@require_safe
@for_permission(Permission.SEE_MONEY)
def statement(request: HttpRequest, member: Member) -> HttpResponse:
    """The page: charges by days, all else one by one; this month unless other days are asked for."""
    form = _asked(request)
    if not form.is_valid():
        return page(request, member, "portal/statement.html", status=UNPROCESSABLE, here="money", form=form)
    period = form.period()
    found = statements.statement(member.conn, member.customer.id, period.since, period.until)
    asked = f"from={period.first}&to={period.last}"
    return page(
        request, member, "portal/statement.html", here="money", form=form, period=period, found=found, asked=asked
    )


@require_safe
@for_permission(Permission.SEE_MONEY)
def statement_file(request: HttpRequest, member: Member, kind: str) -> HttpResponseBase:
    """The period as a file: every transfer as `csv` or `xlsx`, or the page as a `pdf`."""
    form = _asked(request)
    if not form.is_valid():
        return statement(request)
    period = form.period()
    name = f"statement-{period.first}-{period.last}.{kind}"
    if kind == "pdf":
        return pdf_response(name, _paper(member, period))
    if kind == "xlsx":
        return xlsx_response(name, _head(), _rows(member, period, numbers=True))
    return csv_response(name, _head(), _rows(member, period, numbers=False))


def _head() -> list[str]:
    words = _("Transfer"), _("Time, Hong Kong"), _("What"), _("Amount"), _("Available after"), _("Held after")
    return [*words[:3], *(f"{word}, HK$" for word in words[3:])]


def _rows(member: Member, period: Period, *, numbers: bool) -> Iterator[list[object]]:
    """One line a transfer. Amounts are what each moved; a hold and its release move between available and held."""
    for row in statements.every_movement(member.customer.id, period.since, period.until):
        at = row.at.astimezone(HONG_KONG).replace(microsecond=0, tzinfo=None)
        amounts = [row.amount_pips, row.available_pips, row.held_pips]
        written = [pips / 10_000 if numbers else in_pips(pips).replace(",", "") for pips in amounts]
        yield [row.id, at if numbers else str(at), transfer_kind(row.kind, row.note), *written]


def _paper(member: Member, period: Period) -> Paper:
    found = statements.statement(member.conn, member.customer.id, period.since, period.until)
    facts = [
        (_("Customer"), member.customer.name),
        (_("Opening balance"), f"HK${in_pips(found.opening_pips)}"),
        (_("In"), f"HK${in_pips(found.in_pips)}"),
        (_("Out"), f"HK${in_pips(found.out_pips)}"),
        (_("Closing balance"), f"HK${in_pips(found.closing_pips)}"),
    ]
    columns = [
        Column(_("When"), 32 * mm),
        Column(_("What"), 82 * mm),
        Column("HK$", 30 * mm, is_number=True),
        Column(_("Balance"), 30 * mm, is_number=True),
    ]
    rows = (
        (full_moment(line.at), movement(line), signed(line.amount_pips), in_pips(line.balance_pips))
        for line in found.lines
    )
    closing = [_("Charges of messages are one line a day; the CSV and XLSX files have every movement.")]
    if found.left_out:
        closing.append(_("Older lines left out: %(count)s.") % {"count": f"{found.left_out:,}"})
    title = _("Statement, %(first)s to %(last)s") % asdict(period)
    return Paper(title, settings.LETTERHEAD, facts, columns, rows, closing)
