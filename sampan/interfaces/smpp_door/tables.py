"""What the SMPP door has promised and must keep over a restart."""

from typing import ClassVar

from django.db import models

from sampan.accounts.tables import Customer, Person


class SmppPart(models.Model):
    """A part of a long text that was answered; afterwards, which message the id of that answer means.

    Written by joining.py; goes a week after it came, or when its text is refused.
    """

    id = models.BigIntegerField(primary_key=True)  # what submit_sm_resp said; of the row of message ids
    person = models.ForeignKey(Person, models.CASCADE)
    customer = models.ForeignKey(Customer, models.CASCADE)
    received_at = models.DateTimeField()
    source = models.CharField(max_length=21)
    destination = models.CharField(max_length=21)
    reference = models.IntegerField()
    total = models.SmallIntegerField()
    number = models.SmallIntegerField()
    registered = models.SmallIntegerField()  # registered_delivery
    source_ton_npi = models.SmallIntegerField()  # TON × 256 + NPI
    scheduled_at = models.DateTimeField(null=True)
    validity_minutes = models.SmallIntegerField(null=True)
    data_coding = models.SmallIntegerField()
    octets = models.BinaryField()  # a character may be cut in two over parts; empty once it is a message's
    message_id = models.BigIntegerField(null=True)  # null: others are missing

    class Meta:
        db_table = "smpp_part"
        indexes: ClassVar = [models.Index(fields=("received_at",), name="smpp_part_received")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("person", "source", "destination", "reference", "total", "number"),
                condition=models.Q(message_id__isnull=True),
                name="smpp_part_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.id}"


class SmppReceipt(models.Model):
    """A receipt an ESME asked for and has not acknowledged. Written by receipts.py; goes with the deliver_sm_resp."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(Person, models.CASCADE)  # whose sessions get it
    customer = models.ForeignKey(Customer, models.CASCADE)
    message_id = models.BigIntegerField(null=True)  # null: it never became a message
    told_id = models.BigIntegerField()  # what submit_sm_resp said
    reason = models.SmallIntegerField(null=True)  # a Reason's number, where it never became a message
    registered = models.SmallIntegerField()  # registered_delivery
    source_ton_npi = models.SmallIntegerField()  # TON × 256 + NPI
    source = models.CharField(max_length=21)
    destination = models.CharField(max_length=21)
    submitted_at = models.DateTimeField()
    look_at = models.DateTimeField()  # when to look at it next
    enroute_told = models.BooleanField(default=False)

    class Meta:
        db_table = "smpp_receipt"
        indexes: ClassVar = [models.Index(fields=("person", "look_at"), name="smpp_receipt_due")]

    def __str__(self) -> str:
        return f"{self.told_id}"
