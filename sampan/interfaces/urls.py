"""Every page's address."""

from django.urls import include, path, register_converter
from django.views.i18n import set_language

from sampan.interfaces import api_pages, errors, unsubscribing
from sampan.interfaces.portal import (
    account_urls,
    address_book_urls,
    batch_urls,
    cases,
    compose,
    home,
    inbox_urls,
    message,
    money_urls,
    own_data,
    preferences,
    privacy,
    promotions,
    results,
    review,
    sign_in,
)


class IdConverter:
    """A number of ours in an address; longer ones cannot be any, and no database takes them."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        """From the address."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Into an address."""
        return str(value)


register_converter(IdConverter, "id")  # before staff/urls.py, which uses it, is included

urlpatterns = [
    path("", home.home, name="home"),
    path("sending-now/", home.sending_now, name="sending-now"),
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    *account_urls.patterns(),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("u/<str:token>", unsubscribing.unsubscribing, name="unsubscribing"),  # texts pay for each character
    path("language/", set_language, name="language"),
    path("too-large/", errors.too_large, name="too-large"),
    path("compose/", compose.compose, name="compose"),
    path("compose/live/", compose.live, name="compose-live"),
    path("compose/<uuid:draft_id>/live/", compose.live, name="draft-live"),
    path("compose/<uuid:draft_id>/", compose.compose, name="draft"),
    path("compose/<uuid:draft_id>/columns/<id:list_id>/", compose.column, name="column"),
    path("compose/<uuid:draft_id>/review/", review.review, name="review"),
    path("compose/<uuid:draft_id>/bad-rows/", review.bad_rows, name="bad-rows"),
    path("compose/<uuid:draft_id>/bad-rows.csv", review.bad_rows_csv, name="bad-rows-csv"),
    path("compose/<uuid:draft_id>/left-out.csv", review.left_out_csv, name="left-out"),
    *batch_urls.patterns(),
    path("messages/<id:message_id>/", message.show_message, name="message"),
    path("messages/<id:message_id>/case/", cases.new_case, name="new-case"),
    path("cases/", cases.cases, name="cases"),
    path("cases/<id:case_id>/", cases.case, name="case"),
    path("results/", results.results, name="results"),
    path("results.csv", results.results_file, {"kind": "csv"}, name="results-csv"),
    path("results.xlsx", results.results_file, {"kind": "xlsx"}, name="results-xlsx"),
    path("account/promotions/", promotions.promotions, name="promotions"),
    path("unsubscribes/", preferences.unsubscribes, name="unsubscribes"),
    path("unsubscribes.csv", preferences.preferences_csv, {"list_name": "unsubscribes"}, name="unsubscribes-csv"),
    path("consents/", preferences.consents, name="consents"),
    path("consents.csv", preferences.preferences_csv, {"list_name": "consents"}, name="consents-csv"),
    *inbox_urls.patterns(),
    *address_book_urls.patterns(),
    *money_urls.patterns(),
    path("account/own-data/", own_data.own_data, name="own-data"),
    path("account/own-data/erase/", own_data.erase, name="own-data-erase"),
    path("account/own-data.zip", own_data.download, name="own-data-file"),
    path("account/support-access/", privacy.support_access, name="support-access"),
    path("v1/docs", api_pages.docs, name="api-docs"),
    path("v1/problems/", api_pages.problems, name="api-problems"),
    path("v1/problems/<slug:name>", api_pages.problem, name="api-problem"),
    path("staff/", include("sampan.interfaces.staff.urls")),
]
handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.no_such_page
handler500 = errors.fault
