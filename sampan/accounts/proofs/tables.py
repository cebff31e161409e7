"""What people prove who they are by: codes, links, second factors, sessions, mail addresses; and mails that wait."""

from typing import ClassVar

from django.db import models

from sampan.accounts.tables import LONGEST_LOGIN_NAME, Customer, Person

LONGEST_BROWSER = 200


class SignUp(models.Model):
    """Somebody who has filled in the first form, and is to enter the code (spec S131). Goes after a day."""

    login_name = models.CharField(max_length=LONGEST_LOGIN_NAME)
    password = models.CharField(max_length=128)  # an Argon2 hash
    company = models.CharField(max_length=100)
    registration_number = models.CharField(max_length=8)
    contact = models.CharField(max_length=100)
    email = models.EmailField()
    mobile = models.BigIntegerField()
    language = models.CharField(max_length=10)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "sign_up"
        indexes: ClassVar = [models.Index(fields=("created_at",), name="sign_up_at")]

    def __str__(self) -> str:
        return self.login_name


class ProofSent(models.Model):
    """One code by SMS, or one link by mail. Counted for the limits of S132; goes after some days."""

    class Purpose(models.IntegerChoices):
        SIGN_UP = 1
        OWN_NUMBER = 2  # a number as sender ID (spec S62)
        PASSWORD_BY_SMS = 3
        PASSWORD_BY_MAIL = 4
        OWN_MOBILE = 5  # a member's registered mobile is another one

    purpose = models.SmallIntegerField(choices=Purpose)
    sign_up = models.ForeignKey(SignUp, models.CASCADE, null=True)
    person = models.ForeignKey(Person, models.CASCADE, null=True)
    mobile = models.BigIntegerField(null=True)  # where it went, unless it went by mail
    address = models.GenericIPAddressField(null=True)  # who asked for it
    digest = models.BinaryField(null=True)  # of the code, under a key of ours; of a link none is kept
    sent_at = models.DateTimeField()
    wrong_tries = models.SmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "proof_sent"
        indexes: ClassVar = [
            models.Index(fields=("mobile", "sent_at"), name="proof_sent_to_mobile"),
            models.Index(fields=("person", "sent_at"), name="proof_sent_to_person"),
            models.Index(fields=("address", "sent_at"), name="proof_sent_for_address"),
            models.Index(fields=("sent_at",), name="proof_sent_at"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.sent_at}"


class SecondFactor(models.Model):
    """The secret that one person's authenticator app shares with us (RFC 6238), and what was tried with it."""

    person = models.OneToOneField(Person, models.CASCADE, primary_key=True, related_name="second_factor")
    secret = models.BinaryField()  # sealed (seals.py)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)  # the first code was right; before, nothing is asked for
    last_step = models.BigIntegerField(default=0)  # of the last code taken: none is taken twice (RFC 6238 §5.2)
    failures = models.SmallIntegerField(default=0)  # since the last code that was right
    failed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "second_factor"

    def __str__(self) -> str:
        return f"{self.person_id}"


class RecoveryCode(models.Model):
    """One of a person's codes for the day the phone is lost; each works once."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="recovery_codes")
    digest = models.BinaryField()  # of the code, under a key of ours
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "recovery_code"

    def __str__(self) -> str:
        return f"{self.person_id}"


class OpenSession(models.Model):
    """Where one person is signed in: what the list of sessions shows. Its Django session is `key`; they go together."""

    key = models.CharField(max_length=40, unique=True)
    person = models.ForeignKey(Person, models.CASCADE, related_name="sessions")
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=LONGEST_BROWSER, blank=True)
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "open_session"

    def __str__(self) -> str:
        return f"{self.person_id} {self.created_at}"


class Invitation(models.Model):
    """Somebody who was asked by mail to become a member. Written by members.py; kept."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Person.Role)
    may_send = models.BooleanField(default=True)
    digest = models.BinaryField(unique=True)  # SHA-256 of the link's token
    invited_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "invitation"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("customer", "email"),
                condition=models.Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="invitation_one_waits",
            )
        ]

    def __str__(self) -> str:
        return self.email


class MailAddress(models.Model):
    """A mail address whose owner sends texts by mail (spec S122). Written by mail_addresses.py; kept when removed."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="mail_addresses")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")  # who asked, and for whom it acts
    address = models.EmailField()  # in small letters
    digest = models.BinaryField()  # of the code that went there, under a key of ours
    asked_at = models.DateTimeField()
    wrong_tries = models.SmallIntegerField(default=0)
    verified_at = models.DateTimeField(null=True)  # the code came back
    is_on = models.BooleanField(default=True)
    removed_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)  # the last mail in its name that its domain did not vouch for
    refused_why = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "mail_address"
        indexes: ClassVar = [
            models.Index(fields=("address", "asked_at"), name="mail_address_asked"),
            models.Index(fields=("customer", "asked_at"), name="mail_address_of_customer"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("address",),
                condition=models.Q(verified_at__isnull=False, removed_at__isnull=True),
                name="mail_address_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class Mail(models.Model):
    """One mail that waits to be sent. Written by mail.py in its writer's transaction; goes once it is sent."""

    to = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField()
    headers = models.JSONField(default=dict)  # its own beside the usual ones
    created_at = models.DateTimeField()
    try_after = models.DateTimeField()
    tries = models.SmallIntegerField(default=0)

    class Meta:
        db_table = "mail"
        indexes: ClassVar = [models.Index(fields=("try_after",), name="mail_try_after")]

    def __str__(self) -> str:
        return f"{self.pk}"
