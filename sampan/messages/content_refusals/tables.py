"""Batches that an operator refused for their content."""

from typing import ClassVar

from django.db import models

from sampan.accounts.tables import Customer, Person
from sampan.routing.tables import Operator


class ContentRefusal(models.Model):
    """Messages of one batch that one operator refused by its own rules for content (309, spec S91).

    Written by noting.py with the messages' status; goes with the batch.
    """

    batch_id = models.BigIntegerField()
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    messages = models.IntegerField()
    message_id = models.BigIntegerField()  # the latest of them
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    seen_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    seen_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "content_refusal"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("batch_id", "operator"), name="content_refusal_of_batch")
        ]
        indexes: ClassVar = [
            models.Index(fields=("first_at",), condition=models.Q(seen_at__isnull=True), name="content_refusal_waits")
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.messages}"
