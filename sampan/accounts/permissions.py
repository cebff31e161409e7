"""What a member's role lets them do for their customer, at every door (spec S131; decision 0016)."""

from enum import Enum

from sampan.accounts.tables import Person

OWNER, SENDER, VIEWER, FINANCE = Person.Role


class Permission(Enum):
    """One thing a member may do, and the roles that do it."""

    roles: frozenset[Person.Role]

    def __new__(cls, code: str, *roles: Person.Role) -> "Permission":
        permission = object.__new__(cls)
        permission._value_ = code
        permission.roles = frozenset(roles)
        return permission

    SEE_RESULTS = "results", OWNER, SENDER, VIEWER, FINANCE
    WRITE_DRAFTS = "drafts", OWNER, SENDER
    SEND = "send", OWNER, SENDER  # and of senders only who may send besides
    SEE_ACCOUNT = "account", OWNER, SENDER, VIEWER, FINANCE
    SEE_MONEY = "money", OWNER, FINANCE
    TOP_UP = "money.top_up", OWNER, FINANCE
    MOVE_MONEY = "money.move", OWNER
    MANAGE_ACCOUNT = "account.manage", OWNER
    MANAGE_MEMBERS = "members.manage", OWNER
    MANAGE_SENDERS = "senders.manage", OWNER
    MANAGE_KEYS = "keys.manage", OWNER


def may(person: Person, permission: Permission) -> bool:
    """Whether this member does this. Staff and those who are inactive do nothing."""
    return person.is_active and role_may(person.role, permission, may_send=person.may_send)


def role_may(role: str, permission: Permission, *, may_send: bool) -> bool:
    """As `may`, of a role alone. An owner always sends: who makes senders could make themselves one."""
    return role in permission.roles and (permission is not Permission.SEND or may_send or role == OWNER)
