"""The console's addresses of rented numbers and replies."""

from django.urls import URLPattern, path

from sampan.interfaces.staff import numbers, replies


def patterns() -> list[URLPattern]:
    """Made when the converters of urls.py are known."""
    return [
        path("numbers/", numbers.number_list, name="numbers"),
        path("numbers/new/", numbers.new_number, name="new-number"),
        path("numbers/<id:number_id>/", numbers.rent_number, name="number"),
        path("rentals/<id:rental_id>/", numbers.end_rental, name="rental"),
        path("replies/", replies.unmatched_list, name="unmatched"),
        path("replies/settings/", replies.reply_settings, name="reply-settings"),
        path("replies/<id:reply_id>/", replies.match, name="match-reply"),
    ]
