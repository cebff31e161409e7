"""Accounts, transfers and prices. Money rows are only inserted; the database moves the balances (spec S80)."""

from typing import ClassVar

from django.db import models

from sampan.accounts.tables import Customer, Person
from sampan.routing.tables import Destination, Route


class Account(models.Model):
    """One pot of one customer's money. Its balance is changed by the trigger on `transfer` alone; all sum to 0."""

    class Kind(models.IntegerChoices):
        AVAILABLE = 1  # never below 0
        HELD = 2  # set aside for open messages; never below 0
        CHARGED = 3  # what messages have cost
        PAID = 4  # what the customer paid in, as a negative
        TRIAL = 5  # trial credit given, as a negative (spec S87)

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="accounts")
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
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.get_kind_display()}"


class Transfer(models.Model):
    """One movement from one account to another. One may cover many messages, each of which names it. Never changed."""

    class Kind(models.IntegerChoices):
        HOLD = 1
        CHARGE = 2
        RELEASE = 3
        TOP_UP = 4
        TRIAL = 5

    at = models.DateTimeField()
    kind = models.SmallIntegerField(choices=Kind)
    customer = models.ForeignKey(Customer, models.PROTECT)
    from_account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    to_account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    amount_pips = models.BigIntegerField()
    note = models.CharField(max_length=200, blank=True)
    entered_by = models.ForeignKey(Person, models.PROTECT, null=True)

    class Meta:
        db_table = "transfer"
        indexes: ClassVar = [models.Index(fields=("customer", "at"), name="transfer_of_customer")]
        constraints: ClassVar = [
            models.CheckConstraint(name="transfer_amount", condition=models.Q(amount_pips__gt=0)),
            models.CheckConstraint(name="transfer_moves", condition=~models.Q(from_account=models.F("to_account"))),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount_pips}"


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
