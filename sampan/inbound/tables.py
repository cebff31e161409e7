"""Numbers that customers rent, replies that come to them, and what customers want done with those (spec S110–S112)."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from sampan.accounts.tables import Customer, Person
from sampan.routing.tables import Operator

LONGEST_ADDRESS = 21  # SMPP 3.4 §5.2.9
LONGEST_KEYWORD = 20
LONGEST_ANSWER = 459  # characters: three parts at most (spec S20)
LONGEST_GROUNDS = 200


class RentedNumber(models.Model):
    """A number of ours at an operator, whose replies come to us. Written by staff; retired, never deleted."""

    operator = models.ForeignKey(Operator, models.PROTECT, related_name="rented_numbers")
    number = models.BigIntegerField()  # with its country code, or a short number
    is_shared = models.BooleanField()  # by keywords; else it is one customer's alone
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    retired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "rented_number"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("number",), condition=models.Q(retired_at__isnull=True), name="rented_number_once"
            ),
            models.CheckConstraint(name="rented_number_positive", condition=models.Q(number__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.number}"


class Rental(models.Model):
    """One customer's right to the replies of a number, or of a keyword on a shared one. Written by staff and the rent.

    Paid monthly in advance (spec S110). Kept when it has ended.
    """

    number = models.ForeignKey(RentedNumber, models.PROTECT, related_name="rentals")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="rentals")
    keyword = models.CharField(max_length=LONGEST_KEYWORD, blank=True)  # folded; empty for a number of one's own
    monthly_pips = models.BigIntegerField()
    begun_at = models.DateTimeField()
    begun_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    months_paid = models.SmallIntegerField(default=0)
    paid_until = models.DateTimeField()
    short_since = models.DateTimeField(null=True)  # the rent that fell due then was not covered
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=LONGEST_GROUNDS, blank=True)

    class Meta:
        db_table = "rental"
        indexes: ClassVar = [
            models.Index(fields=("paid_until",), name="rental_due", condition=models.Q(ended_at__isnull=True)),
            models.Index(fields=("customer",), name="rental_of_customer"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("number", "keyword"), condition=models.Q(ended_at__isnull=True), name="rental_once"
            ),
            models.CheckConstraint(name="rental_rent", condition=models.Q(monthly_pips__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.number_id} {self.keyword}".strip()


class ReplyPart(models.Model):
    """A delivery that is no receipt, as it came, committed before it is answered (spec S111). Written by parts.py.

    `look_at` says when to look at it; without one it has been read, and is kept a day to know its repeats by `digest`.
    """

    id = models.BigAutoField(primary_key=True)
    operator_id = models.IntegerField()
    received_at = models.DateTimeField()
    handset = models.CharField(max_length=LONGEST_ADDRESS)
    number = models.CharField(max_length=LONGEST_ADDRESS)
    data_coding = models.SmallIntegerField()
    octets = models.BinaryField()  # without a header; a character may be cut in two over parts
    reference = models.IntegerField()  # of a long text; of a short one 0, with part 1 of 1
    total = models.SmallIntegerField()
    part = models.SmallIntegerField()
    digest = models.BinaryField()
    look_at = models.DateTimeField(null=True)
    tries = models.SmallIntegerField(default=0)

    class Meta:
        db_table = "reply_part"
        indexes: ClassVar = [
            models.Index(fields=("look_at",), name="reply_part_due", condition=models.Q(look_at__isnull=False)),
            models.Index(fields=("digest", "received_at"), name="reply_part_repeats"),
            models.Index(fields=("received_at",), name="reply_part_age"),
        ]

    def __str__(self) -> str:
        return f"{self.operator_id}: {self.part}/{self.total}"


class Reply(models.Model):
    """What a handset wrote to a number of ours, put together (spec S111). Without a customer it waits for staff.

    Written by taking.py; it goes with its customer's messages of that age (spec S130), or unmatched after 30 days.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="replies")
    rental = models.ForeignKey(Rental, models.PROTECT, null=True)  # by which it found its customer, where by one
    operator_id = models.IntegerField()
    received_at = models.DateTimeField()
    handset = models.CharField(max_length=LONGEST_ADDRESS)  # digits with the country code; or as it came
    number = models.CharField(max_length=LONGEST_ADDRESS)  # to which it was written
    keyword = models.CharField(max_length=LONGEST_KEYWORD, blank=True)
    text = models.TextField()
    parts = models.SmallIntegerField(default=1)
    parts_missing = models.SmallIntegerField(default=0)
    message_id = models.BigIntegerField(null=True)  # which it answers
    unsubscribed = models.BooleanField(default=False)
    answer = models.CharField(max_length=LONGEST_KEYWORD, blank=True)  # the word that was answered by itself
    answer_batch_id = models.BigIntegerField(null=True)
    forward_batch_id = models.BigIntegerField(null=True)  # by SMS
    not_sent = models.SmallIntegerField(null=True)  # a Reason's number: why an answer or a forward did not go
    read_at = models.DateTimeField(null=True)  # by a member
    tell_at = models.DateTimeField(null=True)  # when to tell it to a bound ESME next; without one it needs no telling

    class Meta:
        db_table = "reply"
        indexes: ClassVar = [
            models.Index(fields=("customer", "id"), name="reply_of_customer"),
            models.Index(fields=("customer", "handset", "id"), name="reply_of_handset"),
            models.Index(fields=("customer",), name="reply_unread", condition=models.Q(read_at__isnull=True)),
            models.Index(fields=("id",), name="reply_unmatched", condition=models.Q(customer__isnull=True)),
            models.Index(
                fields=("customer", "tell_at"), name="reply_to_tell", condition=models.Q(tell_at__isnull=False)
            ),
            models.Index(fields=("received_at",), name="reply_age"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class AutoAnswer(models.Model):
    """A word that a customer's number answers by itself, charged as a message (spec S112). Written by members."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="auto_answers")
    word = models.CharField(max_length=LONGEST_KEYWORD)  # folded
    text = models.CharField(max_length=LONGEST_ANSWER)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Person, models.PROTECT, related_name="+")

    class Meta:
        db_table = "auto_answer"
        constraints: ClassVar = [models.UniqueConstraint(fields=("customer", "word"), name="auto_answer_once")]

    def __str__(self) -> str:
        return self.word


class Forwarding(models.Model):
    """Where else a customer wants its replies: a mail, an SMS (charged), its SMPP sessions (spec S111)."""

    customer = models.OneToOneField(Customer, models.PROTECT, primary_key=True, related_name="forwarding")
    email = models.EmailField(blank=True)
    mobile = models.BigIntegerField(null=True)
    to_smpp = models.BooleanField(default=False)
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(Person, models.PROTECT, related_name="+")

    class Meta:
        db_table = "forwarding"

    def __str__(self) -> str:
        return f"{self.customer_id}"


class ReplySettings(models.Model):
    """The installation's STOP words and usual rents; one row, where staff have changed them."""

    id = models.SmallIntegerField(primary_key=True)
    stop_words = ArrayField(models.CharField(max_length=LONGEST_KEYWORD))  # folded
    china_stop_words = ArrayField(models.CharField(max_length=LONGEST_KEYWORD))  # of handsets in China besides
    number_pips = models.BigIntegerField()  # a month
    keyword_pips = models.BigIntegerField()

    class Meta:
        db_table = "reply_settings"
        constraints: ClassVar = [
            models.CheckConstraint(name="reply_settings_one", condition=models.Q(id=1)),
            models.CheckConstraint(
                name="reply_settings_rents", condition=models.Q(number_pips__gte=0, keyword_pips__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return "replies"
