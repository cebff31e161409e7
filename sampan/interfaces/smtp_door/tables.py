"""What the SMTP door remembers of the mails it took."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from sampan.accounts.tables import Customer


class SmtpPortion(models.Model):
    """Recipients of one mail that are submitted together. Written by portions.py before they are; kept 30 days.

    A mail server that has many recipients for us gives the mail in portions, and one whose answer was lost may cut them
    differently when it comes again: each recipient stays in the portion where it first was.
    """

    customer = models.ForeignKey(Customer, models.CASCADE)
    mail = models.BinaryField()  # SHA-256 of its Message-ID
    place = models.SmallIntegerField()  # among the portions of this mail
    recipients = ArrayField(models.BigIntegerField())
    answered = models.BinaryField(null=True)  # SHA-256 of the last answer that was written: none goes twice
    created_at = models.DateTimeField()

    class Meta:
        db_table = "smtp_portion"
        indexes: ClassVar = [models.Index(fields=("created_at",), name="smtp_portion_created")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("customer", "mail", "place"), name="smtp_portion_once")
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
