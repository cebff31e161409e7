"""Support windows: while one is open, staff may see what a customer sent, and to whom."""

from typing import ClassVar

from django.db import models

from sampan.accounts.tables import Customer, Person


class SupportWindow(models.Model):
    """A time in which staff see one customer's recipients and texts (spec S133). Written by windows.py; kept.

    The customer opens it, or staff do for an abuse case with a reason, of which the customer learns when it is closed.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="support_windows")
    is_abuse_case = models.BooleanField(default=False)
    opened_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    until = models.DateTimeField()
    why = models.CharField(max_length=500, blank=True)
    closed_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)  # before its time

    class Meta:
        db_table = "support_window"
        indexes: ClassVar = [models.Index(fields=("customer", "until"), name="support_window_of_customer")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="support_window_abuse_has_a_reason", condition=models.Q(is_abuse_case=False) | ~models.Q(why="")
            ),
            models.CheckConstraint(name="support_window_ends", condition=models.Q(until__gt=models.F("opened_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} until {self.until}"
