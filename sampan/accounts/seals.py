"""Secrets that must be read again (passwords of operators' links): encrypted (spec S136)."""

import base64

from cryptography.fernet import Fernet, InvalidToken

from sampan.settings import MASTER_SECRET, derived_key


class CannotUnseal(Exception):
    """There is no SAMPAN_SECRET, or the secret was sealed under another, or it is damaged."""


def _box() -> Fernet:
    if not MASTER_SECRET:
        raise CannotUnseal("SAMPAN_SECRET is not set. Name the installation's folder with --data")
    return Fernet(base64.urlsafe_b64encode(derived_key("seals")))


def seal(secret: str) -> bytes:
    """The secret, encrypted and authenticated. Raises CannotUnseal where nothing could unseal it."""
    return _box().encrypt(secret.encode())


def unseal(sealed: bytes) -> str:
    """The secret again. Raises CannotUnseal."""
    try:
        return _box().decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise CannotUnseal("sealed under another secret of this installation; enter it anew") from None
