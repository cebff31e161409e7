"""The addresses of signing up and of the settings."""

from django.urls import URLPattern, path

from sampan.interfaces import signing_in
from sampan.interfaces.portal import account, sign_up


def patterns() -> list[URLPattern]:
    """Made when the converters of urls.py are known."""
    return [
        path("sign-up/", sign_up.sign_up, name="sign-up"),
        path("sign-up/code/", sign_up.sign_up_code, name="sign-up-code"),
        path("sign-in/code/", signing_in.second_step, name="sign-in-code"),
        path("account/", account.company, name="account"),
        path("account/documents/<id:document_id>/", account.document, name="document"),
        path("account/security/", account.security, name="security"),
        path("account/security/second-factor/", account.second_factor, name="second-factor"),
    ]
