"""The addresses of the inbox."""

from django.urls import URLPattern, path

from sampan.interfaces.portal import inbox, reply_settings


def patterns() -> list[URLPattern]:
    """To be called once the converter `id` is registered (urls.py)."""
    return [
        path("inbox/", inbox.inbox, name="inbox"),
        path("inbox.csv", inbox.inbox_csv, name="inbox-csv"),
        path("inbox/settings/", reply_settings.reply_settings, name="reply-settings"),
        path("inbox/<id:reply_id>/", inbox.thread, name="thread"),
    ]
