"""Every table, imported once so that Django knows them; outside the order of parts."""

from sampan.accounts.tables import ApiKey, AuditEntry, Customer, Person, SenderId, SignInFailure
from sampan.billing.tables import Account, Price, Transfer
from sampan.dispatch.tables import Attempt, GatewayPresence, InboxReceipt, OperatorLease
from sampan.messages.tables import (
    Batch,
    ClientReference,
    ComposeDraft,
    ComposeList,
    Message,
    MessagePart,
    PlatformState,
    Queued,
)
from sampan.routing.tables import Destination, Link, LinkState, Operator, Route, RouteOperator

__all__ = [
    "Account",
    "ApiKey",
    "Attempt",
    "AuditEntry",
    "Batch",
    "ClientReference",
    "ComposeDraft",
    "ComposeList",
    "Customer",
    "Destination",
    "GatewayPresence",
    "InboxReceipt",
    "Link",
    "LinkState",
    "Message",
    "MessagePart",
    "Operator",
    "OperatorLease",
    "Person",
    "PlatformState",
    "Price",
    "Queued",
    "Route",
    "RouteOperator",
    "SenderId",
    "SignInFailure",
    "Transfer",
]
