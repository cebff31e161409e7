"""Every table, imported once so that Django knows them; outside the order of parts."""

from sampan.accounts.tables import ApiKey, Customer, Person, SenderId, SignInFailure
from sampan.billing.tables import Account, Price, Transfer
from sampan.dispatch.tables import Attempt, InboxReceipt, OperatorLease
from sampan.messages.tables import Batch, ClientReference, ComposeDraft, ComposeList, Message, MessagePart, Queued
from sampan.routing.tables import Destination, Link, LinkState, Operator, Route, RouteOperator

__all__ = [
    "Account",
    "ApiKey",
    "Attempt",
    "Batch",
    "ClientReference",
    "ComposeDraft",
    "ComposeList",
    "Customer",
    "Destination",
    "InboxReceipt",
    "Link",
    "LinkState",
    "Message",
    "MessagePart",
    "Operator",
    "OperatorLease",
    "Person",
    "Price",
    "Queued",
    "Route",
    "RouteOperator",
    "SenderId",
    "SignInFailure",
    "Transfer",
]
