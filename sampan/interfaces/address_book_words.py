"""What members are told where something about the address book cannot be done."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sampan.reasons import Reason

ADDRESS_BOOK_REFUSALS: dict[Reason, str | Promise] = {
    Reason.BAD_CONTACT_NAME: _("Longer than 100 characters ({value}…). Shorten the name."),
    Reason.BAD_FIELD: _(
        "“{value}” cannot be. Take braces out of its name, and shorten what it holds to 500 characters."
    ),
    Reason.TOO_MANY_FIELDS: _("More than {value} fields. Leave some out."),
    Reason.TOO_MANY_CONTACTS: _("An address book holds at most {value} people. Delete some first."),
    Reason.NAME_TAKEN: _("There is one of this name already. Choose another."),
    Reason.NO_SUCH_GROUP: _("There is no such group any more. Choose another."),
    Reason.BAD_GROUP_NAME: _("Not a name of 1 to 60 characters. Type one."),
    Reason.TOO_MANY_GROUPS: _("There are {value} groups already. Delete one first."),
}
