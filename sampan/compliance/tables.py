"""The register, consents and unsubscribes, China's lists, words and signatures, and what was decided by them."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower

from sampan.accounts.tables import Customer, Person

LONGEST_EVIDENCE = 300
LONGEST_WORD = 60
LONGEST_CONTACT = 40


class RegisteredNumber(models.Model):
    """One number on OFCA's do-not-call register of short messages (spec S93). Written by register.py's imports."""

    number = models.BigIntegerField(primary_key=True)
    listed_on = models.DateField()

    class Meta:
        db_table = "registered_number"

    def __str__(self) -> str:
        return f"{self.number}"


class RegisterImport(models.Model):
    """One import of the register by staff; the latest says of what date the register is. Kept."""

    class Kind(models.IntegerChoices):
        REPLACE = 1, "the whole register"
        ADD = 2, "numbers to add"
        REMOVE = 3, "numbers to take off"

    at = models.DateTimeField()
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    kind = models.SmallIntegerField(choices=Kind)
    register_date = models.DateField()  # as of which OFCA made the file
    file_name = models.CharField(max_length=200)
    rows = models.IntegerField()
    bad_rows = models.IntegerField()
    added = models.IntegerField()
    removed = models.IntegerField()
    total = models.IntegerField()  # numbers on the register after it

    class Meta:
        db_table = "register_import"

    def __str__(self) -> str:
        return f"{self.register_date}"


class Preference(models.Model):
    """What one person said of one customer's promotional texts. Only ever added; the latest wins (spec S94, S96).

    It binds all accounts of one business registration. Kept, also when messages go.
    """

    class Kind(models.IntegerChoices):
        CONSENT = 1
        UNSUBSCRIBED = 2

    class Way(models.TextChoices):
        WRITTEN = "written"
        VERBAL = "verbal"
        HAND = "hand"  # a member wrote it down
        LINK = "link"  # the page that a footer names
        REPLY = "reply"  # a word such as STOP

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="preferences")
    number = models.BigIntegerField()
    kind = models.SmallIntegerField(choices=Kind)
    way = models.CharField(max_length=8, choices=Way)
    at = models.DateTimeField()  # when it was said
    recorded_at = models.DateTimeField()
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")  # who wrote it down
    evidence = models.CharField(max_length=LONGEST_EVIDENCE)

    class Meta:
        db_table = "preference"
        indexes: ClassVar = [
            models.Index(fields=("number", "customer", "at"), name="preference_of_number"),
            models.Index(fields=("customer", "kind", "id"), name="preference_of_customer"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="preference_way",
                condition=models.Q(kind=1, way__in=("written", "verbal"))
                | models.Q(kind=2, way__in=("hand", "link", "reply")),
            ),
            models.CheckConstraint(name="preference_said_before", condition=models.Q(at__lte=models.F("recorded_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.customer_id}"


class Screening(models.Model):
    """One asking of the register for one batch: of what date it was, or that the caller declared consent (spec S93).

    Written when a batch is accepted and each time it is asked again; goes after 3 years.
    """

    at = models.DateTimeField()
    batch_id = models.BigIntegerField()
    customer_id = models.BigIntegerField()
    register_date = models.DateField(null=True)  # null: none was imported yet, or it was not asked
    consent_declared = models.BooleanField()  # `dncr=0` on a promotional call
    asked = models.IntegerField()  # numbers
    filtered = models.IntegerField()  # by whichever rule

    class Meta:
        db_table = "screening"
        indexes: ClassVar = [
            models.Index(fields=("at",), name="screening_at"),
            models.Index(fields=("batch_id",), name="screening_of_batch"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}"


class FilterDecision(models.Model):
    """One number left out of one batch by a rule. Kept 3 years, longer than the message, so the number is hashed."""

    at = models.DateTimeField()
    batch_id = models.BigIntegerField()
    customer_id = models.BigIntegerField()
    rule = models.SmallIntegerField()  # a Reason's number
    number_hash = models.BinaryField()  # screening.number_hash
    register_date = models.DateField(null=True)

    class Meta:
        db_table = "filter_decision"
        indexes: ClassVar = [
            models.Index(fields=("at",), name="filter_decision_at"),
            models.Index(fields=("number_hash",), name="filter_decision_of_number"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.rule}"


class ChinaNumber(models.Model):
    """One number on China's block list or on the white list that lifts it (spec S92). Written by staff."""

    class Kind(models.IntegerChoices):
        BLOCK = 1, "blocked"
        WHITE = 2, "white-listed"

    number = models.BigIntegerField()
    kind = models.SmallIntegerField(choices=Kind)
    grounds = models.CharField(max_length=LONGEST_EVIDENCE)
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "china_number"
        constraints: ClassVar = [models.UniqueConstraint(fields=("number", "kind"), name="china_number_once")]

    def __str__(self) -> str:
        return f"{self.number} {self.get_kind_display()}"


class ChinaWord(models.Model):
    """One word that may not be sent to China (spec S91). Written by staff; a removed one is gone."""

    word = models.CharField(max_length=LONGEST_WORD)  # as staff wrote it
    folded = models.CharField(max_length=LONGEST_WORD * 2, unique=True)  # as texts are searched for it: words.fold
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "china_word"
        constraints: ClassVar = [models.CheckConstraint(name="china_word_is_some", condition=~models.Q(folded=""))]

    def __str__(self) -> str:
        return self.word


class ChinaSignature(models.Model):
    """A signature 【…】 that a customer asked for (spec S90). While approved nobody else has it. Kept."""

    class State(models.IntegerChoices):
        REQUESTED = 1
        APPROVED = 2
        SENT_BACK = 3  # with words that say what is missing
        WITHDRAWN = 4

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="china_signatures")
    name = models.CharField(max_length=6)  # without the brackets
    grounds = models.CharField(max_length=LONGEST_EVIDENCE)
    state = models.SmallIntegerField(choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=LONGEST_EVIDENCE, blank=True)  # of staff, to the customer

    class Meta:
        db_table = "china_signature"
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("name"), condition=models.Q(state=2), name="china_signature_is_exclusive"),
            models.UniqueConstraint(
                fields=("customer",), condition=models.Q(state=2), name="china_signature_one_in_force"
            ),
            models.UniqueConstraint(
                fields=("customer",), condition=models.Q(state=1), name="china_signature_one_waits"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class FooterProfile(models.Model):
    """What a customer's promotional texts say at their end (spec S95). Written by its members."""

    customer = models.OneToOneField(Customer, models.PROTECT, primary_key=True, related_name="footer_profile")
    name_en = models.CharField(max_length=LONGEST_CONTACT)
    name_zh = models.CharField(max_length=LONGEST_CONTACT)
    contact = models.CharField(max_length=LONGEST_CONTACT)  # a telephone number, an email or web address
    unsubscribe_number = models.CharField(max_length=11, blank=True)  # free, in Hong Kong; else our link
    is_added = models.BooleanField(default=True)  # else the customer writes it into each text
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(Person, models.PROTECT, related_name="+")

    class Meta:
        db_table = "footer_profile"

    def __str__(self) -> str:
        return self.name_en


class ComplianceSettings(models.Model):
    """The one row that says how strictly the platform takes the law. Written by staff."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    register_waits = models.BooleanField(default=False)  # for the 10th working day, as the law allows (spec S93)
    footer_refuses = models.BooleanField(default=False)  # a promotional text without its footer is refused (spec S95)

    class Meta:
        db_table = "compliance_settings"
        constraints: ClassVar = [models.CheckConstraint(name="compliance_settings_one", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return "how strictly"
