"""What the templates of accounts write besides tags.py: browsers, and where an account is."""

from django.template import Library
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from sampan.accounts.tables import Customer
from sampan.interfaces.account_words import GROUNDS, STATE_ACTS, STATES

register = Library()

# What a User-Agent says, most particular first: nearly all browsers claim to be others, too.
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "Mac"))
OTHER_SYSTEMS = (("CrOS", "ChromeOS"), ("Linux", "Linux"))


@register.filter
def browser(user_agent: str) -> str:
    """“Firefox, Windows”: enough to know one's own again."""
    known = [
        next((name for mark, name in marks if mark in user_agent), "")
        for marks in (BROWSERS, (*SYSTEMS, *OTHER_SYSTEMS))
    ]
    return ", ".join(filter(None, known)) or gettext("Unknown browser")


@register.simple_tag
def account_state(status: int) -> SafeString:
    """A customer's status: its shape, its word and its colour."""
    shape, words = STATES[Customer.Status(status)]
    return format_html(
        '<span class="status {}"><svg aria-hidden="true"><use href="{}#is-{}"/></svg>{}</span>',
        shape,
        static("sampan/icons.svg"),
        shape,
        words,
    )


@register.filter
def grounds_words(grounds: str) -> str:
    """Why a sender ID is somebody's."""
    return str(GROUNDS[grounds])


@register.filter
def state_act_words(act: str) -> str:
    """What staff do to an account."""
    return str(STATE_ACTS[act])
