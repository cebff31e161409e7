"""What the templates of the console write besides tags.py: operators, roles, masked numbers."""

from django.template import Library
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from sampan.accounts.privacy.windows import mask
from sampan.dispatch.pulse import LinkPulse, OperatorPulse
from sampan.interfaces.tags import looking
from sampan.interfaces.words import LINK_STATES, OPERATOR_STATES, STAFF_ROLES
from sampan.routing.tables import Operator

register = Library()


@register.simple_tag
def operator_state(operator: OperatorPulse) -> SafeString:
    """Whether an operator takes messages."""
    states = {Operator.State.PAUSED: "paused", Operator.State.DRAINING: "draining"}
    return looking(OPERATOR_STATES[states.get(operator.state, "up" if operator.is_up else "down")])


@register.simple_tag
def link_state(link: LinkPulse) -> SafeString:
    """Whether a link is bound."""
    return looking(LINK_STATES[link.bound])


@register.simple_tag
def menu_count(counts: dict[str, int], page: str) -> SafeString:
    """How many things wait on a page of the console, where any do."""
    if page not in counts:
        return SafeString("")
    waiting = gettext("waiting")
    return format_html('<span class="count">{}<span class="aloud"> {}</span></span>', counts[page], waiting)


@register.filter
def staff_role_words(role: str) -> str:
    """What one of our people may do."""
    return str(STAFF_ROLES[role])


@register.filter
def masked(number: int) -> str:
    """A mobile as staff see it without a support window: 852••••••67 (spec S133)."""
    return mask(number)
