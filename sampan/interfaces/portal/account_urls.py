"""The addresses of signing up and of the settings."""

from django.urls import URLPattern, path

from sampan.interfaces import signing_in
from sampan.interfaces.portal import (
    account,
    forgotten,
    keys,
    mail_addresses,
    members,
    networks,
    own_details,
    sender_ids,
    sign_up,
    webhooks,
)


def patterns() -> list[URLPattern]:
    """Made when the converters of urls.py are known."""
    return [
        path("sign-up/", sign_up.sign_up, name="sign-up"),
        path("sign-up/code/", sign_up.sign_up_code, name="sign-up-code"),
        path("sign-in/code/", signing_in.second_step, name="sign-in-code"),
        path("password/", forgotten.forgotten, name="forgotten"),
        path("password/code/", forgotten.by_code, name="password-code"),
        path("password/<id:person_id>/<str:token>/", forgotten.by_link, name="password-link"),
        path("invitations/<str:token>/", members.invitation, name="invitation"),
        path("account/", account.company, name="account"),
        path("account/members/", members.member_list, name="members"),
        path("account/sender-ids/", sender_ids.sender_ids, name="sender-ids"),
        path("account/keys/", keys.keys, name="keys"),
        path("account/networks/", networks.networks, name="networks"),
        path("account/webhooks/", webhooks.webhooks, name="webhooks"),
        path("account/webhooks/<id:webhook_id>/", webhooks.webhook, name="webhook"),
        path("account/webhooks/deliveries/<id:delivery_id>/", webhooks.webhook_delivery, name="webhook-delivery"),
        path("account/mail/", mail_addresses.addresses, name="mail-addresses"),
        path("account/documents/<id:document_id>/", account.document, name="document"),
        path("account/you/", own_details.details, name="own-details"),
        path("account/security/", account.security, name="security"),
        path("account/security/second-factor/", account.second_factor, name="second-factor"),
    ]
