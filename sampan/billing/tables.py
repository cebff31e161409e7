"""Accounts, transfers and prices. Money rows are only inserted; the database moves the balances (spec S80)."""

from typing import ClassVar

from django.db import models

from sampan.accounts.tables import Customer, Document, Person
from sampan.routing.tables import Destination, Route


class Account(models.Model):
    """One pot of one customer's money. Its balance is changed by the trigger on `transfer` alone; all sum to 0."""

    class Kind(models.IntegerChoices):
        AVAILABLE = 1  # never below 0
        HELD = 2  # set aside for open messages; never below 0
        CHARGED = 3  # what messages have cost
        PAID = 4  # what the customer paid in, as a negative
        TRIAL = 5  # trial credit given, as a negative (spec S87)
        BONUS = 6  # given on top of what was paid, as a negative (spec S86); what the platform gives itself, too
        DEBT = 7  # what a reversal could not take back, as a negative (spec S85a)
        MOVED = 8  # sent to the group's other accounts less received from them; sums to 0 over all (spec S88)

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="accounts", db_index=False)  # account_once is
    kind = models.SmallIntegerField(choices=Kind)
    balance_pips = models.BigIntegerField(default=0)

    class Meta:
        db_table = "account"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("customer", "kind"), name="account_once"),
            models.CheckConstraint(
                name="account_not_overdrawn",
                condition=~models.Q(kind__in=(1, 2)) | models.Q(balance_pips__gte=0),
            ),
            models.CheckConstraint(
                name="account_side",
                condition=~models.Q(kind__in=(5, 6, 7)) | models.Q(balance_pips__lte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.get_kind_display()}"


class Transfer(models.Model):
    """One movement from one account to another. One may cover many messages, each of which names it. Never changed.

    That its accounts exist is seen to by the trigger that moves them: foreign keys and their indexes cost a submission
    more than all else that it writes.
    """

    class Kind(models.IntegerChoices):
        HOLD = 1
        CHARGE = 2
        RELEASE = 3
        TOP_UP = 4
        TRIAL = 5
        BONUS = 6
        SERVICE = 7  # what is no message, such as rent (spec S110)
        REFUND = 8
        REVERSAL = 9
        BONUS_REVERSAL = 10
        DEBT = 11  # lent to a reversal by the customer's debt
        REPAYMENT = 12
        SENT = 13  # to another account of the group; its twin there is RECEIVED
        RECEIVED = 14
        OWN = 15  # of the platform, for codes and tests: nobody has paid it

    at = models.DateTimeField()
    kind = models.SmallIntegerField(choices=Kind)
    customer = models.ForeignKey(Customer, models.PROTECT, db_constraint=False, db_index=False)
    from_account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    to_account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    amount_pips = models.BigIntegerField()
    note = models.CharField(max_length=200, blank=True)
    entered_by = models.ForeignKey(Person, models.PROTECT, null=True, db_index=False)
    entry = models.ForeignKey(  # by which staff did it
        "StaffEntry", models.PROTECT, null=True, related_name="transfers", db_index=False
    )

    class Meta:
        db_table = "transfer"
        indexes: ClassVar = [
            models.Index(fields=("customer", "at"), name="transfer_of_customer"),
            models.Index(fields=("entry",), name="transfer_of_entry", condition=models.Q(entry__isnull=False)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="transfer_amount", condition=models.Q(amount_pips__gt=0)),
            models.CheckConstraint(name="transfer_moves", condition=~models.Q(from_account=models.F("to_account"))),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount_pips}"


class TopUp(models.Model):
    """Money that a customer says it has paid (spec S85). Filed by it or by staff; credited or refused by finance."""

    class Way(models.TextChoices):
        BANK = "bank"
        FPS = "fps"
        CHEQUE = "cheque"
        CARD = "card"

    class State(models.IntegerChoices):
        FILED = 1  # with finance
        CREDITED = 2
        REFUSED = 3
        REVERSED = 4  # the money never came, or went back (spec S85a)

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="top_ups")
    amount_pips = models.BigIntegerField()
    way = models.CharField(max_length=10, choices=Way)
    reference = models.CharField(max_length=60)  # as the bank's receipt shows it
    document = models.ForeignKey(Document, models.PROTECT, null=True, related_name="+")  # the bank's receipt
    filed_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    filed_at = models.DateTimeField()
    state = models.SmallIntegerField(choices=State, default=State.FILED)
    settled_at = models.DateTimeField(null=True)  # credited or refused
    words = models.CharField(max_length=200, blank=True)  # to the customer, why it was refused or reversed
    bonus_pips = models.BigIntegerField(default=0)  # credited with it (spec S86), the first bonus included

    class Meta:
        db_table = "top_up"
        indexes: ClassVar = [
            models.Index(fields=("customer", "filed_at"), name="top_up_of_customer"),
            models.Index(fields=("filed_at",), name="top_up_filed", condition=models.Q(state=1)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="top_up_amount", condition=models.Q(amount_pips__gt=0, bonus_pips__gte=0)),
            models.CheckConstraint(
                name="top_up_settled", condition=models.Q(state=1) ^ models.Q(settled_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"T-{self.pk}"


class StaffEntry(models.Model):
    """Money that staff move (spec S85, S85a, S88): who asked, who confirmed. Above a limit, a second person must."""

    class Kind(models.IntegerChoices):
        TOP_UP = 1
        BONUS = 2
        SERVICE = 3
        REFUND = 4
        REVERSAL = 5
        MOVE = 6  # between two accounts of one group

    class State(models.IntegerChoices):
        WAITING = 1  # for a second person
        DONE = 2
        REFUSED = 3

    kind = models.SmallIntegerField(choices=Kind)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="staff_entries")
    other_customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="+")  # who gets what is moved
    top_up = models.ForeignKey(TopUp, models.PROTECT, null=True, related_name="entries")
    amount_pips = models.BigIntegerField()
    why = models.CharField(max_length=200)
    made_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    state = models.SmallIntegerField(choices=State)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")  # the second person
    decided_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=200, blank=True)  # why the second person refused

    class Meta:
        db_table = "staff_entry"
        indexes: ClassVar = [
            models.Index(fields=("made_at",), name="staff_entry_waiting", condition=models.Q(state=1)),
            models.Index(fields=("customer", "made_at"), name="staff_entry_of_customer"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="staff_entry_amount", condition=models.Q(amount_pips__gt=0)),
            models.CheckConstraint(
                name="staff_entry_two_people",
                condition=(models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("made_by")))
                & (~models.Q(kind=4, state=2) | models.Q(decided_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="staff_entry_has_its_own",
                condition=(models.Q(kind__in=(1, 5)) ^ models.Q(top_up__isnull=True))
                & (models.Q(kind=6) ^ models.Q(other_customer__isnull=True)),
            ),
            models.UniqueConstraint(
                fields=("top_up", "kind"), condition=models.Q(state__in=(1, 2)), name="staff_entry_once"
            ),
        ]

    def __str__(self) -> str:
        return f"E-{self.pk}"


class TrialGrant(models.Model):
    """The trial credit that was given: once for a mobile and once for a business registration (spec S87)."""

    customer = models.OneToOneField(Customer, models.PROTECT, related_name="trial_grant")
    mobile = models.BigIntegerField(unique=True)
    registration = models.CharField(max_length=40, null=True, unique=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "trial_grant"

    def __str__(self) -> str:
        return f"trial of {self.customer_id}"


class Certificate(models.Model):
    """A charity's tax-exemption certificate on file (spec S86). Recorded and withdrawn by staff."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="certificates")
    number = models.CharField(max_length=40)  # of the Inland Revenue's file; it names the organisation
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    recorded_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "certificate"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("customer",), condition=models.Q(withdrawn_at__isnull=True), name="certificate_in_force"
            )
        ]

    def __str__(self) -> str:
        return self.number


class FirstBonus(models.Model):
    """The HK$200 that an organisation got once (spec S86). Written with its top-up; goes when that is reversed.

    An organisation is known by its certificate's number, by its account, and by its business registration: whichever of
    them comes again, it is the same one.
    """

    number = models.CharField(max_length=40, primary_key=True)  # of the certificate
    customer = models.OneToOneField(Customer, models.PROTECT, related_name="first_bonus")
    registration = models.CharField(max_length=8, null=True, unique=True)  # of the business, where it is known
    top_up = models.OneToOneField(TopUp, models.PROTECT, related_name="first_bonus")

    class Meta:
        db_table = "first_bonus"

    def __str__(self) -> str:
        return self.number


class LowBalanceAlert(models.Model):
    """Below which balance a customer wants to be told, and how (spec S89). Told once, until it is above again."""

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="low_balance_alert")
    below_pips = models.BigIntegerField()
    email = models.EmailField(blank=True)
    mobile = models.BigIntegerField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "low_balance_alert"
        constraints: ClassVar = [
            models.CheckConstraint(name="low_balance_alert_amount", condition=models.Q(below_pips__gt=0)),
            models.CheckConstraint(
                name="low_balance_alert_reaches", condition=~models.Q(email="") | models.Q(mobile__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} below {self.below_pips}"


class BookCheck(models.Model):
    """What the day's reconciliation found (spec S89). Written by the worker, once a day of Hong Kong."""

    day = models.DateField(primary_key=True)
    at = models.DateTimeField()
    found = models.JSONField(default=list)  # [[check, customer id, row id, expected, found], …]; empty: they balance

    class Meta:
        db_table = "book_check"

    def __str__(self) -> str:
        return f"{self.day}: {len(self.found)} off"


class VolumeTier(models.Model):
    """A tier of prices and the top-up that brings it (spec S83). Staff manage it."""

    tier = models.SmallIntegerField(primary_key=True)
    from_pips = models.BigIntegerField(unique=True)  # a top-up of this much or more

    class Meta:
        db_table = "volume_tier"
        constraints: ClassVar = [
            models.CheckConstraint(name="volume_tier_amount", condition=models.Q(tier__gte=1, from_pips__gte=0))
        ]

    def __str__(self) -> str:
        return f"tier {self.tier}"


class CustomerPrice(models.Model):
    """A price that one customer has of its own, from a day on (spec S83); without an amount it ends the one before."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="prices")
    destination = models.ForeignKey(Destination, models.PROTECT)
    route = models.ForeignKey(Route, models.PROTECT)
    effective_from = models.DateTimeField()
    unit_pips = models.BigIntegerField(null=True)

    class Meta:
        db_table = "customer_price"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("customer", "destination", "route", "effective_from"), name="customer_price_once"
            ),
            models.CheckConstraint(
                name="customer_price_amount", condition=models.Q(unit_pips__isnull=True) | models.Q(unit_pips__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.unit_pips}"


class Price(models.Model):
    """What one charge unit costs on one route to one destination for one tier, from a day on (spec S83)."""

    destination = models.ForeignKey(Destination, models.PROTECT)
    route = models.ForeignKey(Route, models.PROTECT)
    tier = models.SmallIntegerField(default=1)
    effective_from = models.DateTimeField()
    unit_pips = models.BigIntegerField()

    class Meta:
        db_table = "price"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("destination", "route", "tier", "effective_from"), name="price_once"),
            models.CheckConstraint(name="price_amount", condition=models.Q(unit_pips__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.destination_id} by {self.route_id}: {self.unit_pips}"
