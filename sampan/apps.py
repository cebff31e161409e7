"""The one Django app: every table of every part, in one migration history."""

from django.apps import AppConfig


class SampanConfig(AppConfig):
    """Sampan as Django sees it."""

    name = "sampan"
    default_auto_field = "django.db.models.BigAutoField"
