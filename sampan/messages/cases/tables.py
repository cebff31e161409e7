"""Support cases with what was said, and the tests that staff sent."""

from typing import ClassVar

from django.db import models

from sampan.accounts.tables import Customer, Person


class SupportCase(models.Model):
    """A customer's question about one message (spec S137). Written by desk.py; kept when the message goes."""

    class Kind(models.IntegerChoices):
        SENT_NOT_RECEIVED = 1
        DELIVERED_NOT_RECEIVED = 2

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="support_cases")
    message_id = models.BigIntegerField()
    kind = models.SmallIntegerField(choices=Kind)
    opened_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    waits_for_staff = models.BooleanField(default=True)  # else for the customer
    waits_since = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "support_case"
        indexes: ClassVar = [
            models.Index(fields=("customer", "opened_at"), name="support_case_of_customer"),
            models.Index(
                fields=("waits_since",),
                condition=models.Q(closed_at__isnull=True, waits_for_staff=True),
                name="support_case_waits",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("message_id",), condition=models.Q(closed_at__isnull=True), name="support_case_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class CaseWord(models.Model):
    """Something said in a case, by the customer, by staff, or by the operator as staff wrote it down. Never changed."""

    class Speaker(models.IntegerChoices):
        CUSTOMER = 1
        STAFF = 2
        OPERATOR = 3  # for staff alone: customers see only our reason (spec S72)

    case = models.ForeignKey(SupportCase, models.PROTECT, related_name="words")
    speaker = models.SmallIntegerField(choices=Speaker)
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.CharField(max_length=1000)

    class Meta:
        db_table = "case_word"

    def __str__(self) -> str:
        return self.text


class CaseTest(models.Model):
    """One text that staff sent from the platform's own account to find out what arrives; the customer says whether."""

    case = models.ForeignKey(SupportCase, models.PROTECT, related_name="tests")
    message_id = models.BigIntegerField()  # of the platform's account
    sender = models.CharField(max_length=16)
    route = models.CharField(max_length=20)  # a route's code
    text = models.TextField()
    sent_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField()
    received = models.BooleanField(null=True)  # as the customer says
    marked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "case_test"

    def __str__(self) -> str:
        return f"{self.message_id}"
