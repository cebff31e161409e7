"""Batches, messages and their parts. The wide tables are partitioned by id and made by SQL (migrations/0002)."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from sampan.accounts.tables import Customer, Person
from sampan.uploads.columns import letter_of


class Source(models.IntegerChoices):
    """Where a batch came from (spec S7)."""

    PORTAL = 1, "Portal"
    HTTP = 2, "HTTP API"
    JSON = 3, "JSON API"
    SOAP = 4, "SOAP"
    SMTP = 5, "SMTP"
    SMPP = 6, "SMPP"
    TEST = 7, "JSON API, test key"  # goes to nobody, and is free (messages/trying.py)
    REPLY = 8, "Reply"  # what a reply brought about by itself: a confirmation, an answer, a forward (spec S111, S112)


class Purpose(models.IntegerChoices):
    """What a text is for; it decides the filters (spec S93) and the lane (spec S9)."""

    TRANSACTIONAL = 1, "Transactional"
    PROMOTIONAL = 2, "Promotional"


class Lane(models.IntegerChoices):
    """Which queue of an operator a message waits in; the lower number goes first (spec S9)."""

    TRANSACTIONAL = 1
    PROMOTIONAL = 2


class Status(models.IntegerChoices):
    """What customers see (spec S71); the numbers are those of the HTTP API."""

    UPLOAD_FAILED = 1, "Upload failed"
    UPLOAD_SUCCESS = 2, "Upload success"
    SCHEDULING = 3, "Scheduling"
    PROCESSING = 4, "Processing"
    RETRY = 19, "Retry"
    EXPIRED = 20, "Expired"
    UNDELIVERABLE = 21, "Undeliverable"
    DELIVERED = 22, "Delivered"


class Batch(models.Model):
    """One submission: one text to one or more recipients. Written by submit.py; kept as long as its messages."""

    class State(models.IntegerChoices):
        SCHEDULED = 1
        RUNNING = 2
        PAUSED = 3
        HELD = 4  # until somebody releases it
        CANCELLED = 5

    class HeldFor(models.IntegerChoices):
        LATE = 1  # it came due too late (spec S53)
        SUSPENDED = 2  # its customer is (spec S97)

    id = models.BigIntegerField(primary_key=True)
    customer = models.ForeignKey(Customer, models.DO_NOTHING, db_constraint=False)
    person = models.ForeignKey(Person, models.DO_NOTHING, null=True, db_constraint=False)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)  # free to go: accepted, due or released
    scheduled_at = models.DateTimeField(null=True)
    state = models.SmallIntegerField(choices=State)
    held_for = models.SmallIntegerField(choices=HeldFor, null=True)
    resumes_at = models.DateTimeField(null=True)  # paused for quiet hours until then (spec S54)
    recurrence_id = models.BigIntegerField(null=True)  # a run of it
    resend_of = models.BigIntegerField(null=True)  # messages of that batch, sent again (spec S101)
    source = models.SmallIntegerField(choices=Source)
    purpose = models.SmallIntegerField(choices=Purpose)
    validity_minutes = models.SmallIntegerField()
    recipients = models.IntegerField()  # messages of it, filtered ones too
    price_pips = models.BigIntegerField()  # of those that could be sent, when it was accepted
    register_filter = models.BooleanField(null=True)  # `dncr` as the call said it (spec S93)
    coding = models.SmallIntegerField(null=True)  # forced by the sender (spec S3)
    route = models.CharField(max_length=20)  # a route's code, where the sender chose one
    sender = models.CharField(max_length=16)
    signature = models.CharField(max_length=8)  # before texts to China (spec S90)
    footers = ArrayField(models.TextField())  # after promotional texts, by Destination.Region; or none (spec S95)
    name = models.CharField(max_length=100)
    text = models.TextField()

    class Meta:
        db_table = "batch"
        managed = False

    def __str__(self) -> str:
        return self.name or f"{self.id}"


class Message(models.Model):
    """One recipient of one batch; its id is the SMSD ID (spec S6). The status is written by messages/status.py alone.

    The parts are bits of small numbers, part 1 the lowest: answered (settled for money), taken by the operator,
    delivered to the handset. Money is told by three transfers: hold, charge, release (spec S80).
    """

    id = models.BigIntegerField(primary_key=True)
    batch_id = models.BigIntegerField()
    customer = models.ForeignKey(Customer, models.DO_NOTHING, db_constraint=False)
    created_at = models.DateTimeField()
    recipient = models.BigIntegerField()
    price_pips = models.BigIntegerField()
    charged_pips = models.BigIntegerField()
    hold_id = models.BigIntegerField(null=True)
    charge_id = models.BigIntegerField(null=True)
    release_id = models.BigIntegerField(null=True)
    taken_at = models.DateTimeField(null=True)
    final_at = models.DateTimeField(null=True)
    destination_id = models.IntegerField()
    route_id = models.IntegerField(null=True)
    operator_id = models.IntegerField(null=True)
    status = models.SmallIntegerField(choices=Status)
    reason = models.SmallIntegerField()  # a Reason's number
    coding = models.SmallIntegerField()  # data_coding: 0 or 8
    units = models.SmallIntegerField()
    parts = models.SmallIntegerField()
    answered_parts = models.SmallIntegerField()
    taken_parts = models.SmallIntegerField()
    delivered_parts = models.SmallIntegerField()
    text = models.TextField(null=True)  # where it differs from the batch's: then that is a template (spec S4)
    fields = models.JSONField(null=True)  # those of its row that the template used, to fill it in once more

    class Meta:
        db_table = "message"
        managed = False

    def __str__(self) -> str:
        return f"{self.id}"


class MessagePart(models.Model):
    """What became of one part, once that is known: refused, or with a final receipt. Written by dispatch/."""

    message_id = models.BigIntegerField(primary_key=True)  # with `part` and `try_number`
    part = models.SmallIntegerField()
    try_number = models.SmallIntegerField()
    operator_id = models.IntegerField()
    link_id = models.IntegerField()
    sequence_number = models.BigIntegerField()
    submitted_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    command_status = models.IntegerField(null=True)
    operator_ref = models.TextField(null=True)  # the operator's message_id, as it came
    receipt_at = models.DateTimeField(null=True)
    receipt_state = models.SmallIntegerField(null=True)  # message_state, SMPP 3.4 §5.2.28
    receipt_error = models.TextField(null=True)  # the operator's own code, for staff (spec S72)

    class Meta:
        db_table = "message_part"
        managed = False

    def __str__(self) -> str:
        return f"{self.message_id}/{self.part}"


class Queued(models.Model):
    """A message that is free to go by one operator and not yet handed over. Claimed by dispatch/claims.py alone."""

    operator_id = models.IntegerField()
    lane = models.SmallIntegerField(choices=Lane)
    customer_id = models.BigIntegerField()
    message_id = models.BigIntegerField(primary_key=True)  # with the three before
    batch_id = models.BigIntegerField()
    send_by = models.DateTimeField()  # past it: not sent in time (spec S70)
    not_before = models.DateTimeField(null=True)  # the operator asked to wait
    parts_left = models.SmallIntegerField()  # bits of the parts still to send
    try_number = models.SmallIntegerField()  # 2: sent again where a route may (spec S76)

    class Meta:
        db_table = "queued"
        managed = False

    def __str__(self) -> str:
        return f"{self.message_id}"


class BatchAct(models.Model):
    """What was done to a batch after it was accepted, and by whom. Written by batches.py; goes with the batch."""

    class Kind(models.IntegerChoices):
        PAUSED = 1
        RESUMED = 2
        CANCELLED = 3
        DELETED = 4  # before it started
        RELEASED = 5
        CHANGED = 6
        HELD = 7
        QUIET = 8  # paused by quiet hours

    batch_id = models.BigIntegerField()
    customer = models.ForeignKey(Customer, models.DO_NOTHING, db_constraint=False)
    at = models.DateTimeField()
    kind = models.SmallIntegerField(choices=Kind)
    person = models.ForeignKey(Person, models.PROTECT, null=True)  # null: the platform

    class Meta:
        db_table = "batch_act"
        indexes: ClassVar = [models.Index(fields=("batch_id", "at"), name="batch_act_of_batch")]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.get_kind_display()}"


class BatchToTell(models.Model):
    """A batch some of whose messages became final, whose end its customer's server is to be told (spec S103).

    Written by telling.py, maybe several times; goes when that is told.
    """

    batch_id = models.BigIntegerField()
    customer = models.ForeignKey(Customer, models.DO_NOTHING, db_constraint=False)
    created_at = models.DateTimeField()  # of the batch
    look_at = models.DateTimeField()  # whether its last message is final

    class Meta:
        db_table = "batch_to_tell"
        indexes: ClassVar = [
            models.Index(fields=("look_at",), name="batch_to_tell_look_at"),
            models.Index(fields=("batch_id",), name="batch_to_tell_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}"


class Recurrence(models.Model):
    """A batch that is sent every day, week or month (spec S54). Written by recurring.py; kept when it has ended."""

    class Every(models.TextChoices):
        DAY = "day"
        WEEK = "week"
        MONTH = "month"

    customer = models.ForeignKey(Customer, models.PROTECT)
    person = models.ForeignKey(Person, models.PROTECT)
    created_at = models.DateTimeField()
    every = models.CharField(max_length=5, choices=Every)
    first_on = models.DateField()  # the day of a month that has none is its last
    at = models.TimeField()  # by the clock of `time_zone`
    time_zone = models.CharField(max_length=40)
    until = models.DateField(null=True)  # the last day on which it may run
    batch_id = models.BigIntegerField(null=True)  # the latest run, or the one to come
    run_at = models.DateTimeField(null=True)  # when that run is by the series' own clock, wherever it was moved to
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    reason = models.SmallIntegerField(null=True)  # a Reason's number, where it ended because a run was refused
    name = models.CharField(max_length=100, blank=True)
    text = models.TextField()
    sender = models.CharField(max_length=16, blank=True)
    route = models.CharField(max_length=20, blank=True)
    purpose = models.SmallIntegerField(choices=Purpose)
    validity_minutes = models.SmallIntegerField()
    numbers = ArrayField(models.BigIntegerField())
    fields = models.JSONField(null=True)  # for each number, where the text is a template (spec S4)

    class Meta:
        db_table = "recurrence"
        indexes: ClassVar = [
            models.Index(fields=("customer", "created_at"), name="recurrence_of_customer"),
            models.Index(fields=("batch_id",), condition=models.Q(ended_at__isnull=True), name="recurrence_going_on"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.pk)


class ClientReference(models.Model):
    """A customer's own name for a request, so that a repeat gives the first answer (spec S8). Kept 30 days."""

    customer_id = models.BigIntegerField(primary_key=True)  # with `reference`
    reference = models.TextField()
    fingerprint = models.BinaryField()  # SHA-256 of what was asked
    batch_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "client_reference"
        managed = False

    def __str__(self) -> str:
        return self.reference


class ComposeDraft(models.Model):
    """What a member is about to send. Goes after 30 days untouched; once it was sent it only tells as which batch."""

    class Source(models.TextChoices):
        FILE = "file"
        TYPED = "typed"
        GROUPS = "groups"  # of the address book, as they are when it is sent
        RESEND = "resend"  # messages of a batch that ended for some reasons (spec S101)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    customer = models.ForeignKey(Customer, models.CASCADE)
    person = models.ForeignKey(Person, models.CASCADE)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    batch_id = models.BigIntegerField(null=True)  # once it is sent
    name = models.CharField(max_length=100, blank=True)
    source = models.CharField(max_length=6, choices=Source, default=Source.FILE)  # which of its lists are meant
    text = models.TextField(blank=True)
    sender = models.CharField(max_length=16, blank=True)
    route = models.CharField(max_length=20, blank=True)  # a route's code, where the member chose one
    purpose = models.SmallIntegerField(choices=Purpose, default=Purpose.PROMOTIONAL)
    scheduled_at = models.DateTimeField(null=True)
    every = models.CharField(max_length=5, choices=Recurrence.Every, blank=True)
    repeat_until = models.DateField(null=True)
    validity_minutes = models.SmallIntegerField(null=True)
    resend_of = models.BigIntegerField(null=True)  # a batch
    group_ids = ArrayField(models.BigIntegerField(), default=list)  # of the address book

    class Meta:
        db_table = "compose_draft"
        indexes: ClassVar = [models.Index(fields=("customer", "updated_at"), name="compose_draft_of_customer")]
        constraints: ClassVar = [
            # so that two who resend at once get the same draft, and it is sent once
            models.UniqueConstraint(
                fields=("resend_of",), condition=models.Q(batch_id__isnull=True), name="compose_draft_resend_once"
            )
        ]

    def __str__(self) -> str:
        return self.name or str(self.id)


class ComposeList(models.Model):
    """Numbers of a draft: of a file, or those typed or sent again. Written by drafts.py; goes with its draft."""

    draft = models.ForeignKey(ComposeDraft, models.CASCADE, related_name="lists")
    source = models.CharField(max_length=6, choices=ComposeDraft.Source)
    file_name = models.CharField(max_length=200, blank=True)
    octets = models.BinaryField()  # the file, to be read once more by another column; what was typed, as UTF-8
    sheet = models.CharField(max_length=31, blank=True)
    column = models.SmallIntegerField(null=True)  # where the numbers are, from 0; null where no column has any
    column_name = models.CharField(max_length=100, blank=True)
    rows = models.IntegerField(default=0)  # that were looked at
    numbers = ArrayField(models.BigIntegerField(), default=list)  # each once
    field_names = ArrayField(models.TextField(), default=list)  # of the columns that personal texts may name (spec S4)
    field_values = models.BinaryField(default=b"")  # JSON: for each number a list of texts, in the order of the names
    bad = models.IntegerField(default=0)
    bad_rows = models.JSONField(default=list)  # [row, Fault's name, value, digits] each

    class Meta:
        db_table = "compose_list"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("draft", "source"),
                condition=~models.Q(source=ComposeDraft.Source.FILE),
                name="compose_list_once_but_files",
            )
        ]

    def __str__(self) -> str:
        return self.file_name or self.source

    @property
    def column_letter(self) -> str:
        """As spreadsheets call it: A … Z, AA …"""
        return letter_of(self.column or 0)


class PlatformState(models.Model):
    """The one row that says whether sending is held, such as after a restore (spec S53). Written by staff."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    sending_held = models.BooleanField(default=False)
    words = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "platform_state"

    def __str__(self) -> str:
        return self.words
