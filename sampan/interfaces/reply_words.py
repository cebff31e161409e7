"""What members are told where something about replies cannot be done."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sampan.reasons import Reason

REPLY_REFUSALS: dict[Reason, str | Promise] = {
    Reason.BAD_NUMBER: _("“{value}” is no number. Write it in digits, with its country code."),
    Reason.NUMBER_THERE: _("{value} is set up already. Look at it in the list."),
    Reason.NUMBER_RENTED: _("Somebody rents {value}. End that first."),
    Reason.KEYWORD_MALFORMED: _("Not 2 to 20 letters or digits. Choose another word."),
    Reason.KEYWORD_TAKEN: _("“{value}” is taken, or unsubscribes. Choose another word."),
    Reason.RENTAL_ENDED: _("This rent has ended already. Look at it again."),
    Reason.NO_SUCH_REPLY: _("Somebody has seen to this reply already. Look at the list again."),
    Reason.TOO_MANY_ANSWERS: _("There are {value} answers already. Remove one first."),
    Reason.FORWARDS_TO_ITSELF: _("{value} is one of the numbers that replies come to. Choose another."),
}
