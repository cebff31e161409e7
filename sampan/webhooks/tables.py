"""Endpoints of customers, and what was or will be delivered to them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from sampan.accounts.tables import Customer, Person

LONGEST_URL, LONGEST_NAME, LONGEST_ANSWER = 500, 60, 200


class WebhookEndpoint(models.Model):
    """An address of a customer's server that is told of events (spec S103). Written by endpoints.py and its members.

    The last six columns are the deliverer's (leases.py). One that was removed stays until its deliveries are gone.
    """

    class Form(models.IntegerChoices):
        CALLBACK = 1, "GET callback"  # eight parameters in the query, as clients of the HTTP API know them
        SIGNED_JSON = 2, "Signed JSON"  # Standard Webhooks

    class Off(models.IntegerChoices):
        BY_MEMBER = 1, "Switched off by a member"
        GONE = 2, "The server answered 410 Gone"
        FAILING = 3, "Nothing was taken for a day"

    customer = models.ForeignKey(Customer, models.PROTECT, db_index=False, related_name="webhook_endpoints")
    name = models.CharField(max_length=LONGEST_NAME, blank=True)
    url = models.CharField(max_length=LONGEST_URL)
    form = models.SmallIntegerField(choices=Form)
    events = ArrayField(models.CharField(max_length=40))  # names of events, or of groups of them: message.*
    secret = models.BinaryField(null=True)  # sealed (accounts/seals.py); signed JSON has one
    old_secret = models.BinaryField(null=True)  # signs too until `old_secret_until`
    old_secret_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)
    off_since = models.DateTimeField(null=True)  # null: it is told
    off_why = models.SmallIntegerField(choices=Off, null=True)
    owner = models.CharField(max_length=40, blank=True)  # the process that delivers to it, until `lease_until`
    lease_until = models.DateTimeField(null=True)
    resume_at = models.DateTimeField(null=True)  # nothing is sent before: it fails, or asked to wait
    failures = models.IntegerField(default=0)  # since it last took something
    failing_since = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)  # when it last took something

    class Meta:
        db_table = "webhook_endpoint"
        indexes: ClassVar = [models.Index(fields=("customer",), name="webhook_endpoint_of_customer")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="webhook_endpoint_off",
                condition=models.Q(off_since__isnull=True, off_why__isnull=True)
                | models.Q(off_since__isnull=False, off_why__isnull=False),
            ),
            models.CheckConstraint(
                name="webhook_endpoint_secret", condition=~models.Q(form=2) | models.Q(secret__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.url


class WebhookDelivery(models.Model):
    """One event for one endpoint; its id is the webhook-id. Written by events.py, then by leases.py; kept a week."""

    class State(models.IntegerChoices):
        WAITING = 1, "Waiting"
        TAKEN = 2, "Taken"
        GIVEN_UP = 3, "Given up"

    id = models.BigAutoField(primary_key=True)  # grows with the events of one subject, so it tells their order
    endpoint = models.ForeignKey(WebhookEndpoint, models.DO_NOTHING, db_constraint=False, db_index=False)
    customer = models.ForeignKey(Customer, models.DO_NOTHING, db_constraint=False, db_index=False)
    at = models.DateTimeField()  # of the event
    begun_at = models.DateTimeField()  # when it was first, or once more, to be delivered
    next_at = models.DateTimeField()  # of the next try, where it waits
    answered_at = models.DateTimeField(null=True)  # of the latest try
    subject_id = models.BigIntegerField()  # what the event is about: a message, a batch … in order per subject
    state = models.SmallIntegerField(choices=State, default=State.WAITING)
    tries = models.SmallIntegerField(default=0)
    answer_status = models.SmallIntegerField(null=True)  # of HTTP; null where there was no answer
    answer_ms = models.IntegerField(null=True)
    kind = models.CharField(max_length=40)
    data = models.TextField()  # JSON
    answer = models.CharField(max_length=LONGEST_ANSWER, blank=True)  # how it began, or why there was none

    class Meta:
        db_table = "webhook_delivery"
        indexes: ClassVar = [
            models.Index(fields=("endpoint", "next_at"), condition=models.Q(state=1), name="webhook_delivery_due"),
            models.Index(
                fields=("endpoint", "subject_id", "id"), condition=models.Q(state=1), name="webhook_delivery_in_order"
            ),
            models.Index(fields=("endpoint", "at", "id"), name="webhook_delivery_log"),
        ]

    def __str__(self) -> str:
        return f"{self.id}"
