"""Contacts, groups, and who is in which. A customer's own alone: sub accounts share nothing (spec S88)."""

from typing import ClassVar

from django.db import models

from sampan.accounts.tables import Customer

LONGEST_NAME = 100
LONGEST_GROUP_NAME = 60


class Contact(models.Model):
    """A number and what is known of it. Written by contacts.py; stays until its customer deletes it."""

    customer = models.ForeignKey(Customer, models.CASCADE)
    number = models.BigIntegerField()  # with its country code
    name = models.CharField(max_length=LONGEST_NAME, blank=True)
    fields = models.JSONField(default=dict)  # name → text, for personal texts (spec S4)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "contact"
        constraints: ClassVar = [models.UniqueConstraint(fields=("customer", "number"), name="contact_once")]

    def __str__(self) -> str:
        return self.name or str(self.number)


class ContactGroup(models.Model):
    """A name for some contacts. Written by groups.py; stays until its customer deletes it."""

    customer = models.ForeignKey(Customer, models.CASCADE)
    name = models.CharField(max_length=LONGEST_GROUP_NAME)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "contact_group"
        constraints: ClassVar = [models.UniqueConstraint(fields=("customer", "name"), name="contact_group_once")]

    def __str__(self) -> str:
        return self.name


class GroupMember(models.Model):
    """A contact is in a group. Goes with either."""

    group = models.ForeignKey(ContactGroup, models.CASCADE)
    contact = models.ForeignKey(Contact, models.CASCADE)

    class Meta:
        db_table = "contact_group_member"
        constraints: ClassVar = [models.UniqueConstraint(fields=("group", "contact"), name="contact_group_member_once")]

    def __str__(self) -> str:
        return f"{self.group_id}: {self.contact_id}"
