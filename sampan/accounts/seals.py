"""Secrets that are read again (passwords of operators' links): sealed. Short codes: only marks of them (spec S136)."""

import base64
import hashlib
import hmac

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


def mark(use: str, code: str) -> bytes:
    """What is kept of a short code: it tells whether another is the same, and nothing without our secret."""
    return hmac.new(derived_key(use), code.encode("utf-8", "replace"), hashlib.sha256).digest()
