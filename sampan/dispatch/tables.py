"""Attempts in flight, receipts not yet matched, and who owns which operator's links. Made by SQL (migrations/0002)."""

from django.db import models


class Attempt(models.Model):
    """One part handed to one link, from before the wire until its fate is known (the delivery contract).

    Written before the wire; goes to `message_part` with its final evidence, or back to the queue when proven unsent.
    """

    class State(models.IntegerChoices):
        SUBMITTING = 1  # no answer yet
        TAKEN = 2  # the operator has it; no final receipt yet
        RETRYING = 3  # the operator told of a first failure (spec S71: 19)
        UNKNOWN = 4  # written, and no answer: never sent again by itself (spec S76)

    message_id = models.BigIntegerField(primary_key=True)  # with `part`
    part = models.SmallIntegerField()
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
    receipt_state = models.SmallIntegerField()
    receipt_error = models.TextField(null=True)
    intermediate = models.BooleanField()
    text = models.TextField()  # the receipt's own words
    tries = models.SmallIntegerField()
    retry_at = models.DateTimeField()

    class Meta:
        db_table = "inbox_receipt"
        managed = False

    def __str__(self) -> str:
        return f"{self.operator_id}:{self.operator_ref}"


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
