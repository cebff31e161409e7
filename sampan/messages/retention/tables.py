"""What deleted messages came to: by day for reports, by transfer for the books."""

from typing import ClassVar

from django.db import models

from sampan.accounts.tables import Customer


class ClosedTotal(models.Model):
    """Deleted messages of one customer, accepted on one day of Hong Kong, that ended alike. Only ever grows."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    day = models.DateField()
    source = models.SmallIntegerField()
    purpose = models.SmallIntegerField()
    destination_id = models.IntegerField()
    route_id = models.IntegerField(default=0)  # 0: none
    status = models.SmallIntegerField()
    reason = models.SmallIntegerField()
    messages = models.BigIntegerField()
    units = models.BigIntegerField()  # of those that were charged
    charged_pips = models.BigIntegerField()

    class Meta:
        db_table = "closed_total"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("customer", "day", "source", "purpose", "destination_id", "route_id", "status", "reason"),
                name="closed_total_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.day}: {self.messages}"


class ClosedShare(models.Model):
    """How much of one transfer was for messages that are deleted now: the rest is named by those that are kept."""

    transfer_id = models.BigIntegerField(primary_key=True)
    amount_pips = models.BigIntegerField()

    class Meta:
        db_table = "closed_share"

    def __str__(self) -> str:
        return f"{self.transfer_id}: {self.amount_pips}"
