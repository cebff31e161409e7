"""The console's addresses of approvals and of what staff do to an account."""

from django.urls import URLPattern, path

from sampan.interfaces.staff import accounts, people


def patterns() -> list[URLPattern]:
    """Made when the converters of urls.py are known."""
    return [
        path("approvals/", accounts.approvals, name="approvals"),
        path("approvals/registrations/<id:application_id>/", accounts.application, name="application"),
        path("approvals/senders/<id:request_id>/", accounts.sender_request, name="sender-request"),
        path("documents/<id:document_id>/", accounts.document, name="document"),
        path("customers/<id:customer_id>/account/", accounts.account, name="account"),
        path("customers/<id:customer_id>/sender-ids/", accounts.make_sender, name="make-sender"),
        path("senders/<id:sender_id>/withdraw/", accounts.withdraw_sender, name="withdraw-sender"),
        path("people/", people.people, name="people"),
        path("people/<id:person_id>/", people.person, name="person"),
        path("members/<id:person_id>/second-factor/", accounts.reset_second_factor, name="reset-second-factor"),
    ]
