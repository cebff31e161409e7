"""Verifications: codes that customers have us send, and what became of them."""

import uuid
from typing import ClassVar

from django.db import models

from sampan.accounts.tables import Customer


class Verification(models.Model):
    """One code that was sent to a mobile for a customer. Written by asking.py; goes after 30 days."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    customer = models.ForeignKey(Customer, models.PROTECT)
    number = models.BigIntegerField()
    digest = models.BinaryField()  # seals.mark of the code
    is_test = models.BooleanField()  # asked for by a test key
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    wrong_tries = models.SmallIntegerField(default=0)
    verified_at = models.DateTimeField(null=True)
    batch_id = models.BigIntegerField()
    message_id = models.BigIntegerField()
    masked_text = models.TextField()  # the text with dots for the code; it takes the text's place when that has ended
    is_masked = models.BooleanField(default=False)
    reference = models.CharField(max_length=255, null=True)  # the customer's own name for the request (spec S8)
    fingerprint = models.BinaryField()  # of what was asked

    class Meta:
        db_table = "verification"
        indexes: ClassVar = [
            models.Index(fields=("customer", "number", "created_at"), name="verification_of_number"),
            models.Index(fields=("customer", "created_at"), name="verification_of_customer"),
            models.Index(fields=("created_at",), name="verification_at"),
            models.Index(fields=("expires_at",), condition=models.Q(is_masked=False), name="verification_unmasked"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("customer", "reference"), name="verification_reference_once")
        ]

    def __str__(self) -> str:
        return str(self.id)
