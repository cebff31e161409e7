"""Django's settings. What differs between installations comes from three variables, set by `sampan up`:

SAMPAN_DATABASE_URL (a libpq address), SAMPAN_DATA (the folder of this installation) and SAMPAN_SECRET (the master
secret, from which every key is derived by name).
"""

import hashlib
import hmac
import os
from pathlib import Path

import psycopg.conninfo

PACKAGE = Path(__file__).parent
DATA = Path(os.environ.get("SAMPAN_DATA", "var")).resolve()


def derived_key(name: str) -> bytes:
    """32 octets for one use, from the master secret."""
    return hmac.new(os.environ.get("SAMPAN_SECRET", "").encode(), name.encode(), hashlib.sha256).digest()


def _database(url: str) -> dict[str, object]:
    """Django's DATABASES entry for a libpq address or key=value string."""
    given = psycopg.conninfo.conninfo_to_dict(url)
    known = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    entry: dict[str, object] = {ours: str(given.pop(theirs, "") or "") for ours, theirs in known.items()}
    return entry | {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": given,
    }


SECRET_KEY = derived_key("django").hex()
DATABASES = {"default": _database(os.environ.get("SAMPAN_DATABASE_URL", ""))}
DEBUG = False
ALLOWED_HOSTS = os.environ.get("SAMPAN_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
AUTH_USER_MODEL = "sampan.Person"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "sampan",
]
USE_TZ = True
TIME_ZONE = "Asia/Hong_Kong"
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
