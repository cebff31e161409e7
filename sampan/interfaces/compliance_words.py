"""The pages' words for what the law refuses and asks for, marked for translation."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sampan.compliance.footers import Missing
from sampan.compliance.tables import ChinaSignature, Preference
from sampan.reasons import Reason

COMPLIANCE_REFUSALS: dict[Reason, str | Promise] = {
    Reason.NO_FOOTER: _("A promotional text names its sender, a contact and how to unsubscribe. Write them."),
    Reason.ILLEGAL_WORD: _("A word that may not be sent to China ({value}). Change the text."),
    Reason.REGISTER_EMPTY: _("There is no Hong Kong number in the first column of this file. Choose another."),
    Reason.REGISTER_UNREADABLE: _("Row {value} cannot be read. Save the file as CSV in UTF-8 and add it again."),
    Reason.REGISTER_SHRINKS: _("The register would lose more than half ({value}). If that is meant, tick it below."),
    Reason.NO_EVIDENCE: _("There is no evidence. Say how it is known."),
    Reason.NOT_YET: _("This time has not come yet. Choose one that has passed."),
    Reason.BAD_WAY: _("Not one of these. Choose one of the list."),
    Reason.SIGNATURE_MALFORMED: _("A signature has 2 to 6 characters and no brackets. Choose another."),
    Reason.SIGNATURE_TAKEN: _("Another customer has this signature. Choose another."),
    Reason.SIGNATURE_WAITS: _("A request is being looked at already. Wait for the answer."),
    Reason.NO_SUCH_SIGNATURE: _("There is no such signature any more. Look at the list again."),
    Reason.WORD_EMPTY: _("“{value}” has no letter or digit, or is longer than 60 characters. Write another."),
    Reason.NOT_IN_CHINA: _("“{value}” is no mobile number of mainland China. Write it as 8613812345678."),
    Reason.TOO_MANY_WORDS: _("Too many words at once ({value}). Split the file."),
}

NOTHING_TYPED = _("There is nothing here yet. Fill it in.")

MISSING: dict[Missing, Promise] = {
    Missing.SENDER: _("who sends it"),
    Missing.CONTACT: _("how to reach you"),
    Missing.WAY_OUT: _("how to unsubscribe"),
}

WAYS: dict[Preference.Way, Promise] = {
    Preference.Way.WRITTEN: _("in writing"),
    Preference.Way.VERBAL: _("spoken"),
    Preference.Way.HAND: _("told you"),
    Preference.Way.LINK: _("by the link in a text"),
    Preference.Way.REPLY: _("by a reply"),
}

SIGNATURE_STATES: dict[ChinaSignature.State, Promise] = {
    ChinaSignature.State.REQUESTED: _("With staff"),
    ChinaSignature.State.APPROVED: _("In use"),
    ChinaSignature.State.SENT_BACK: _("Sent back"),
    ChinaSignature.State.WITHDRAWN: _("Withdrawn"),
}
