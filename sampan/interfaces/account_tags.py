"""What the templates of accounts write besides tags.py: browsers."""

from django.template import Library
from django.utils.translation import gettext

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
