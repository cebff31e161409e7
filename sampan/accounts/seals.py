"""Secrets that must be read again (passwords of operators' links): encrypted (spec S136)."""

import base64

from cryptography.fernet import Fernet, InvalidToken

from sampan.settings import derived_key


class CannotUnseal(Exception):
    """The secret was sealed under another SAMPAN_SECRET, or damaged."""


def _box() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derived_key("seals")))


def seal(secret: str) -> bytes:
    """The secret, encrypted and authenticated."""
    return _box().encrypt(secret.encode())


def unseal(sealed: bytes) -> str:
    """The secret again. Raises CannotUnseal."""
    try:
        return _box().decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise CannotUnseal("sealed under another secret of this installation; enter it anew") from None
