"""What the templates write: icons, statuses, amounts, numbers and times."""

from django.template import Library

register = Library()
