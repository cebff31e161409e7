"""Destinations, routes, and the operators and links that carry them (spec S40–S43)."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Route(models.Model):
    """A named way for messages (spec S40). Staff manage it."""

    code = models.SlugField(max_length=20, unique=True)
    name = models.CharField(max_length=60)
    own_sender = models.BooleanField(default=True)  # the customer's sender ID is shown; else the operator's (spec S64)
    receipts = models.BooleanField(default=True)  # else it never claims DELIVERED (spec S74)
    resends_unknown = models.BooleanField(default=False)  # codes without an answer go once more (spec S76)

    class Meta:
        db_table = "route"

    def __str__(self) -> str:
        return self.name


class Destination(models.Model):
    """A country or network that has one price (spec S41–S43), found by the longest of its prefixes. Staff manage it."""

    class Region(models.IntegerChoices):
        HONG_KONG = 1
        MACAU = 2
        CHINA = 3  # other units, a signature, no own sender ID (spec S24, S64, S90)
        OVERSEAS = 4

    name = models.CharField(max_length=60, unique=True)
    region = models.SmallIntegerField(choices=Region)
    prefixes = ArrayField(models.CharField(max_length=15))
    route = models.ForeignKey(Route, models.PROTECT)  # where the sender does not choose

    class Meta:
        db_table = "destination"

    def __str__(self) -> str:
        return self.name


class Operator(models.Model):
    """An upstream SMSC account (spec S42). Its links share its rate; its receipts come in by any of them."""

    class State(models.IntegerChoices):
        ACTIVE = 1
        PAUSED = 2  # nothing is handed over; what waits goes by another operator where there is one
        DRAINING = 3  # what waits is handed over, and nothing new comes

    name = models.SlugField(max_length=40, unique=True)
    state = models.SmallIntegerField(choices=State, default=State.ACTIVE)
    rate_parts_per_s = models.IntegerField(default=0)  # 0: as fast as it takes them
    sender = models.CharField(max_length=15, blank=True)  # shown where a customer's own is not possible (spec S61)
    dialect = models.JSONField(default=dict, blank=True)  # how this SMSC deviates: dispatch/dialects.py
    down_since = models.DateTimeField(null=True, blank=True)  # no link bound; written by the worker (failover.py)

    class Meta:
        db_table = "operator"

    def __str__(self) -> str:
        return self.name


class Link(models.Model):
    """One SMPP session (bind) to an operator."""

    class Bind(models.IntegerChoices):
        RECEIVER = 1
        TRANSMITTER = 2
        TRANSCEIVER = 9

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="links")
    host = models.CharField(max_length=255)
    port = models.IntegerField()
    bind = models.SmallIntegerField(choices=Bind, default=Bind.TRANSCEIVER)
    system_id = models.CharField(max_length=15)
    password_sealed = models.BinaryField()  # accounts/seals.py
    system_type = models.CharField(max_length=12, blank=True)
    window_size = models.SmallIntegerField(default=10)  # requests without an answer, at most
    tls = models.BooleanField(default=False)
    tls_authorities = models.TextField(blank=True)  # PEM, where the SMSC's certificate is from a CA of its own
    tls_certificate = models.TextField(blank=True)  # PEM, ours, where the SMSC asks for one
    tls_key_sealed = models.BinaryField(default=bytes)
    enquire_link_s = models.SmallIntegerField(default=30)
    response_timeout_s = models.SmallIntegerField(default=60)

    class Meta:
        db_table = "link"
        constraints: ClassVar = [
            models.CheckConstraint(name="link_window", condition=models.Q(window_size__range=(1, 1000))),
            models.CheckConstraint(name="link_port", condition=models.Q(port__range=(1, 65535))),
        ]

    def __str__(self) -> str:
        return f"{self.system_id}@{self.host}:{self.port}"


class RouteOperator(models.Model):
    """One operator that carries one route (spec S42): those of the lowest position that work, by their shares."""

    route = models.ForeignKey(Route, models.CASCADE, related_name="carriers")
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="carries")
    position = models.SmallIntegerField(default=1)
    share = models.SmallIntegerField(default=100)

    class Meta:
        db_table = "route_operator"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("route", "operator"), name="route_operator_once"),
            models.CheckConstraint(name="route_operator_share", condition=models.Q(share__range=(1, 1000))),
        ]

    def __str__(self) -> str:
        return f"{self.route_id} by {self.operator_id}"


class LinkState(models.Model):
    """What the gateway last knew of a link; written by it when that changes."""

    link = models.OneToOneField(Link, models.CASCADE, primary_key=True, related_name="live")
    bound = models.BooleanField()
    words = models.CharField(max_length=200)  # why it is not bound
    since = models.DateTimeField()

    class Meta:
        db_table = "link_state"

    def __str__(self) -> str:
        return "bound" if self.bound else self.words
