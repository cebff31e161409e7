"""The pages' words for the routes and destinations that every platform begins with (ops/world.py)."""

from django.template import Library
from django.utils.translation import gettext, gettext_noop

register = Library()

PLACES = frozenset(
    {
        gettext_noop("Hong Kong, business"),
        gettext_noop("Hong Kong, economic"),
        gettext_noop("Macau"),
        gettext_noop("Mainland China"),
        gettext_noop("Overseas"),
        gettext_noop("Hong Kong"),
        gettext_noop("Taiwan"),
        gettext_noop("Singapore"),
        gettext_noop("Malaysia"),
        gettext_noop("Thailand"),
        gettext_noop("Philippines"),
        gettext_noop("Indonesia"),
        gettext_noop("Vietnam"),
        gettext_noop("Cambodia"),
        gettext_noop("Myanmar"),
        gettext_noop("Japan"),
        gettext_noop("South Korea"),
        gettext_noop("India"),
        gettext_noop("Pakistan"),
        gettext_noop("Bangladesh"),
        gettext_noop("Sri Lanka"),
        gettext_noop("Nepal"),
        gettext_noop("Australia"),
        gettext_noop("New Zealand"),
        gettext_noop("United Kingdom"),
        gettext_noop("Ireland"),
        gettext_noop("France"),
        gettext_noop("Germany"),
        gettext_noop("Italy"),
        gettext_noop("Spain"),
        gettext_noop("Netherlands"),
        gettext_noop("Switzerland"),
        gettext_noop("Sweden"),
        gettext_noop("United Arab Emirates"),
        gettext_noop("South Africa"),
        gettext_noop("United States and Canada"),
        gettext_noop("Jamaica"),
        gettext_noop("Brazil"),
        gettext_noop("Mexico"),
    }
)


@register.filter
def place_words(name: str) -> str:
    """A route or destination in the reader's language; one that staff have named is called as they named it."""
    return gettext(name) if name in PLACES else name
