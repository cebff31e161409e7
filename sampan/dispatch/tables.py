"""Attempts in flight, receipts not yet matched, and who owns which operator's links. Made by SQL (migrations/0002)."""

from django.db import models


class Attempt(models.Model):
    """One part handed to one link, from before the wire until its fate is known (the delivery contract).

    Where an operator takes a long text in one PDU (message_payload) that is part 1, and `carries` all.

    Written before the wire; goes to `message_part` with its final evidence, or back to the queue when proven unsent.
    """

    class State(models.IntegerChoices):
        SUBMITTING = 1  # no answer yet
        TAKEN = 2  # the operator has it; no final receipt yet
        RETRYING = 3  # the operator told of a first failure (spec S71: 19)
        UNKNOWN = 4  # written, and no answer: never sent again by itself (spec S76)

    message_id = models.BigIntegerField(primary_key=True)  # with `part` and `try_number`
    part = models.SmallIntegerField()
    try_number = models.SmallIntegerField()  # 2: sent again where a route may (spec S76)
    carries = models.SmallIntegerField()  # bits of the parts in it
    state = models.SmallIntegerField(choices=State)
    operator_id = models.IntegerField()
    link_id = models.IntegerField()
    sequence_number = models.BigIntegerField()
    epoch = models.BigIntegerField()  # of the owner that wrote it
    recipient = models.BigIntegerField()
    submitted_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    state_at = models.DateTimeField()
    deadline_at = models.DateTimeField()  # without a receipt by then it ends (spec S75)
    queried_at = models.DateTimeField(null=True)  # when the operator was last asked by query_sm (spec S78)
    operator_ref = models.TextField(null=True)  # the operator's message_id, as it came
    receipt_error = models.TextField(null=True)

    class Meta:
        db_table = "attempt"
        managed = False

    def __str__(self) -> str:
        return f"{self.message_id}/{self.part}"


class InboxReceipt(models.Model):
    """A receipt as the operator sent it, kept before it is acknowledged (spec S77); goes when it finds its message."""

    id = models.BigIntegerField(primary_key=True)
    operator_id = models.IntegerField()
    link_id = models.IntegerField()
    received_at = models.DateTimeField()
    operator_ref = models.TextField()
    recipient = models.BigIntegerField(null=True)
    source = models.TextField()  # the sender the receipt names
    submitted_at = models.DateTimeField(null=True)  # when the operator says it took the message
    user_reference = models.IntegerField(null=True)  # our user_message_reference, where it comes back (spec S76)
    receipt_state = models.SmallIntegerField()
    receipt_error = models.TextField(null=True)
    intermediate = models.BooleanField()
    text = models.TextField()  # the receipt's own words
    tries = models.SmallIntegerField()
    retry_at = models.DateTimeField()
    looked_for = models.BooleanField(default=False)  # among the parts that have ended (sweeps.py)

    class Meta:
        db_table = "inbox_receipt"
        managed = False

    def __str__(self) -> str:
        return f"{self.operator_id}:{self.operator_ref}"


class GatewayPresence(models.Model):
    """A gateway process that lives; so that several share the operators evenly."""

    owner = models.TextField(primary_key=True)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "gateway_presence"
        managed = False

    def __str__(self) -> str:
        return self.owner


class OperatorLease(models.Model):
    """Which process owns an operator's links, until when, and for how many owners it has been so (the epoch)."""

    operator_id = models.IntegerField(primary_key=True)
    owner = models.TextField()
    epoch = models.BigIntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "operator_lease"
        managed = False

    def __str__(self) -> str:
        return f"{self.operator_id} by {self.owner}"
