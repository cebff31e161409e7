"""Customers, the people who sign in, sender IDs and API keys."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

SHORTEST_VALIDITY_MINUTES, LONGEST_VALIDITY_MINUTES, DEFAULT_VALIDITY_MINUTES = 10, 1380, 120  # spec S70
LONGEST_KEPT_MONTHS = 84  # spec S130
LONGEST_LOGIN_NAME = 20  # http_api.md: `username` has at most 20 characters


class Customer(models.Model):
    """One organisation that prepays (spec S131). Written by sign-up and staff; never deleted, only closed."""

    class Status(models.IntegerChoices):
        TRIAL = 1  # sends only to its own verified mobile (spec S87)
        NORMAL = 2
        SUSPENDED = 3
        CLOSED = 4

    name = models.CharField(max_length=100)
    status = models.SmallIntegerField(choices=Status, default=Status.TRIAL)
    tier = models.SmallIntegerField(default=1)  # which prices (spec S83)
    time_zone = models.CharField(max_length=40, default="Asia/Hong_Kong")
    validity_minutes = models.SmallIntegerField(default=DEFAULT_VALIDITY_MINUTES)
    message_limit_pips = models.BigIntegerField(null=True, blank=True)  # spec S84
    # What a text is for where the sender does not say (spec S93); messages.tables.Purpose.
    api_purpose = models.SmallIntegerField(default=1)
    portal_purpose = models.SmallIntegerField(default=2)
    economic_purpose = models.SmallIntegerField(default=2)
    promotional_only = models.BooleanField(default=False)  # whatever the sender says; set by staff
    api_password_allowed = models.BooleanField(default=True)  # else only keys open the HTTP API
    verified_mobile = models.BigIntegerField(null=True, blank=True)
    registration_number = models.CharField(max_length=8, blank=True)  # of the business; accounts may share one
    status_words = models.CharField(max_length=500, blank=True)  # what staff say of it, shown to the customer
    is_platform = models.BooleanField(default=False)  # our own account: it sends codes and tests (spec S132, S137)
    # No promotional text starts from one to the other, by the clock of `time_zone` (spec S54); both or neither.
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    results_kept_months = models.SmallIntegerField(default=2)  # after a message became final (spec S130)
    created_at = models.DateTimeField()
    primary = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="subs")  # spec S88

    class Meta:
        db_table = "customer"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="customer_purposes",
                condition=models.Q(api_purpose__in=(1, 2), portal_purpose__in=(1, 2), economic_purpose__in=(1, 2)),
            ),
            models.CheckConstraint(name="customer_is_no_sub_of_itself", condition=~models.Q(primary=models.F("id"))),
            models.CheckConstraint(
                name="customer_validity",
                condition=models.Q(validity_minutes__range=(SHORTEST_VALIDITY_MINUTES, LONGEST_VALIDITY_MINUTES)),
            ),
            models.CheckConstraint(
                name="customer_limit",
                condition=models.Q(message_limit_pips__isnull=True) | models.Q(message_limit_pips__gt=0),
            ),
            models.CheckConstraint(
                name="customer_quiet_hours",
                condition=models.Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False)
                & ~models.Q(quiet_from=models.F("quiet_until")),
            ),
            models.CheckConstraint(
                name="customer_results_kept", condition=models.Q(results_kept_months__range=(1, LONGEST_KEPT_MONTHS))
            ),
            models.UniqueConstraint("is_platform", condition=models.Q(is_platform=True), name="customer_one_platform"),
        ]

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    """Finds people by login name, in any case."""

    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(login_name__iexact=username)


class Person(AbstractBaseUser):
    """Somebody who signs in: a member of one customer, or staff. The password is an Argon2 hash (spec S136)."""

    class Role(models.TextChoices):
        OWNER = "owner"
        SENDER = "sender"
        VIEWER = "viewer"
        FINANCE = "finance"

    class StaffRole(models.TextChoices):
        SUPPORT = "support"
        COMPLIANCE = "compliance"
        FINANCE = "finance"
        ADMIN = "admin"

    login_name = models.CharField(max_length=LONGEST_LOGIN_NAME, unique=True)
    name = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True)
    mobile = models.BigIntegerField(null=True, blank=True)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="members")
    role = models.CharField(max_length=10, choices=Role, blank=True)
    may_send = models.BooleanField(default=True)  # else a sender only writes drafts, which somebody else sends
    staff_role = models.CharField(max_length=10, choices=StaffRole, blank=True)
    language = models.CharField(max_length=10, default="en")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects: ClassVar[PersonManager] = PersonManager()
    USERNAME_FIELD = "login_name"
    acting_from: str | None = None  # the address of the request they act by; set by the door, for the audit log

    class Meta:
        db_table = "person"
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("login_name"), name="person_login_name"),
            models.CheckConstraint(
                name="person_is_member_or_staff",
                condition=(
                    models.Q(customer__isnull=False, staff_role="") & ~models.Q(role="")
                    | models.Q(customer__isnull=True, role="") & ~models.Q(staff_role="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.login_name


class SenderId(models.Model):
    """One sender ID of one customer (spec S60–S65). Made and withdrawn by staff; kept when withdrawn."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="sender_ids")
    text = models.CharField(max_length=15)
    grounds = models.CharField(max_length=200)  # on what document or verification staff allowed it
    registered_on = models.DateField(null=True, blank=True)  # with OFCA; one that begins with # has it (spec S63)
    takes_replies = models.BooleanField(default=False)  # a number the customer rents: its replies reach us (spec S110)
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "sender_id"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("customer", "text"), condition=models.Q(withdrawn_at__isnull=True), name="sender_id_once"
            ),
            models.CheckConstraint(
                name="sender_id_registered",
                condition=~models.Q(text__startswith="#") | models.Q(registered_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.text


class Document(models.Model):
    """A file of a customer's that staff decide by. It lies under DATA by a random name (uploads/documents.py)."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="documents")
    stored_name = models.CharField(max_length=48, unique=True)
    file_name = models.CharField(max_length=100)  # as it was called; only ever shown
    media_type = models.CharField(max_length=20)  # by its content
    octets = models.IntegerField()
    uploaded_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "document"

    def __str__(self) -> str:
        return self.file_name


class Decision(models.IntegerChoices):
    """What became of something a customer asked staff for."""

    WAITING = 0
    GRANTED = 1
    SENT_BACK = 2  # with words that say what is missing


class Application(models.Model):
    """A trial customer's business registration, for staff to approve or send back (spec S131). Kept."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="applications")
    document = models.ForeignKey(Document, models.PROTECT)
    asked_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decision = models.SmallIntegerField(choices=Decision, default=Decision.WAITING)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=500, blank=True)  # of staff, to the customer

    class Meta:
        db_table = "application"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("customer",), condition=models.Q(decision=Decision.WAITING), name="application_one_waits"
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}"


class SenderRequest(models.Model):
    """A sender ID that a member asks for, with its grounds (spec S60). Decided by staff; kept."""

    class Grounds(models.TextChoices):
        REGISTRATION = "registration"  # the name on the business registration
        TRADE_MARK = "trade-mark"
        OFCA = "ofca"  # registered with OFCA; begins with # (spec S63)
        OWN_NUMBER = "own-number"  # verified by a code (spec S62)

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="sender_requests")
    text = models.CharField(max_length=15)
    grounds = models.CharField(max_length=12, choices=Grounds)
    document = models.ForeignKey(Document, models.PROTECT, null=True)  # none for a number: it has a code
    verified_at = models.DateTimeField(null=True)  # the code that was sent to the number came back
    asked_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decision = models.SmallIntegerField(choices=Decision, default=Decision.WAITING)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=500, blank=True)  # of staff, to the customer

    class Meta:
        db_table = "sender_request"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("customer", "text"),
                condition=models.Q(decision=Decision.WAITING),
                name="sender_request_one_waits",
            ),
            models.CheckConstraint(
                name="sender_request_has_grounds",
                condition=models.Q(document__isnull=False) | models.Q(verified_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.text


class ApiKey(models.Model):
    """One key that opens the APIs of one customer. Shown once; we keep its SHA-256 (it has 100 bits of its own)."""

    class Kind(models.IntegerChoices):
        PASSWORD = 1  # stands for the password of its member at the HTTP API, SOAP, mail and SMPP
        LIVE = 2  # of the JSON API
        TEST = 3  # of the JSON API; what it sends goes to nobody and is free

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="api_keys")
    person = models.ForeignKey(Person, models.PROTECT)  # who made it, and for whom it acts
    name = models.CharField(max_length=60)
    kind = models.SmallIntegerField(choices=Kind, default=Kind.PASSWORD)
    sha256 = models.BinaryField(unique=True)
    hint = models.CharField(max_length=16, blank=True)  # how it begins, so that people tell theirs apart
    scopes = ArrayField(models.CharField(max_length=10), default=list)  # keys.Scope, of the JSON API
    networks = ArrayField(models.CharField(max_length=43), default=list)  # it works from there alone; none: anywhere
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)  # to the minute
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_key"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="api_key_scopes_are_of_the_json_api", condition=~models.Q(kind=1) | models.Q(scopes=[])
            )
        ]

    def __str__(self) -> str:
        return self.name


class SignInFailure(models.Model):
    """One wrong password or key, at the pages or at an API. Written and counted by sign_in.py and blocking.py.

    It goes after a day.
    """

    login_name = models.CharField(max_length=LONGEST_LOGIN_NAME)  # as tried, in small letters
    door = models.CharField(max_length=10, default="pages")
    address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "sign_in_failure"
        indexes: ClassVar = [
            models.Index(fields=("login_name", "at"), name="sign_in_failure_of_name"),
            models.Index(fields=("address", "at"), name="sign_in_failure_of_address"),
            models.Index(fields=("at",), name="sign_in_failure_at"),
        ]

    def __str__(self) -> str:
        return f"{self.login_name} from {self.address}"


class AuditEntry(models.Model):
    """One act of staff: who, what, before, after, why (spec S134). Written by acts.py; never changed, never deleted."""

    at = models.DateTimeField()
    act = models.CharField(max_length=40)  # an Act's value
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    role = models.CharField(max_length=10, choices=Person.StaffRole)  # theirs at that time
    subject = models.CharField(max_length=120)  # the row's table and id, or words
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="+")  # whom it concerns
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    why = models.CharField(max_length=500, blank=True)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        db_table = "audit_entry"
        indexes: ClassVar = [
            models.Index(fields=("at", "id"), name="audit_entry_at"),
            models.Index(fields=("customer", "at"), name="audit_entry_of_customer"),
            models.Index(fields=("by", "at"), name="audit_entry_by"),
            models.Index(fields=("act", "at"), name="audit_entry_act"),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.subject}"


class AllowedNetwork(models.Model):
    """A network that one customer's APIs may be called from; without any, all may (spec S125, allow_lists.py)."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="allowed_networks")
    network = models.CharField(max_length=43)  # as `ipaddress` writes it
    note = models.CharField(max_length=60, blank=True)
    added_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        db_table = "allowed_network"
        constraints: ClassVar = [models.UniqueConstraint(fields=("customer", "network"), name="allowed_network_once")]

    def __str__(self) -> str:
        return self.network


class RefusedAddress(models.Model):
    """An address that knew the password and was turned away, as it is on no list of the customer's.

    Written by allow_lists.py, for the customer's owner to see; the latest 100 of a customer are kept.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    door = models.CharField(max_length=10)
    address = models.GenericIPAddressField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "refused_address"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("customer", "door", "address"), name="refused_address_once")
        ]

    def __str__(self) -> str:
        return f"{self.address} at {self.door}"


class BlockedAddress(models.Model):
    """An address that is let in at no door of the APIs for a while (spec S125). Written by blocking.py; kept a day."""

    address = models.GenericIPAddressField(unique=True)
    door = models.CharField(max_length=10)  # where it was noticed
    failures = models.IntegerField()  # wrong passwords or keys, or times turned away, within the time that counts
    is_crowd = models.BooleanField(default=False)  # it was turned away for doing too much at once; else for guessing
    login_name = models.CharField(max_length=LONGEST_LOGIN_NAME, blank=True)  # the last that was tried
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        db_table = "blocked_address"

    def __str__(self) -> str:
        return f"{self.address} until {self.until}"
