"""Django's settings. What differs between installations comes from three variables, set by `sampan up`:

SAMPAN_DATABASE_URL (a libpq address), SAMPAN_DATA (the folder of this installation) and SAMPAN_SECRET (the master
secret, from which every key is derived by name); and from SAMPAN_HOSTS, by which names it is reached.
"""

import hashlib
import hmac
import ipaddress
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg.conninfo

from sampan.catalogues import compiled

PACKAGE = Path(__file__).parent
DATA = Path(os.environ.get("SAMPAN_DATA", "var")).resolve()


MASTER_SECRET = os.environ.get("SAMPAN_SECRET", "")
# What the platform says of itself, where a customer has nothing of its own to say (spec S87, S90).
PLATFORM_SIGNATURE = os.environ.get("SAMPAN_SIGNATURE", "舢舨")
PLATFORM_SENDER = os.environ.get("SAMPAN_SENDER", "Sampan")

# How long a name may be that begins with # (spec S63), and by how many minutes a scheduled batch may start late before
# it waits for somebody's word (spec S53).
LONGEST_REGISTERED_NAME = int(os.environ.get("SAMPAN_LONGEST_REGISTERED_NAME", "10"))
STALE_AFTER_MINUTES = int(os.environ.get("SAMPAN_STALE_AFTER_MINUTES", "60"))

# Where people reach the pages, as links in texts and mails say it; without it there are no such links.
PUBLIC_URL = os.environ.get("SAMPAN_PUBLIC_URL", "").rstrip("/")

# Mails to numbers of this domain become texts (spec S122); the port of its door is the platform's.
MAIL_DOMAIN = os.environ.get("SAMPAN_MAIL_DOMAIN", "sms.localhost").lower()

# What staff enter above this, in HK$, a second person confirms; a refund always (spec S85, S85a).
SECOND_PERSON_ABOVE_DOLLARS = int(os.environ.get("SAMPAN_SECOND_PERSON_ABOVE", "10000"))
# Who we are on receipts and statements: the name, then lines of the address, divided by "|".
LETTERHEAD = os.environ.get("SAMPAN_LETTERHEAD", "Sampan SMS|Hong Kong").split("|")
# Where top-ups are paid to, by billing's TopUp.Way; shown to customers.
PAYMENT_DETAILS = {
    "fps": os.environ.get("SAMPAN_FPS_ID", ""),
    "bank": os.environ.get("SAMPAN_BANK_ACCOUNT", ""),
    "cheque": os.environ.get("SAMPAN_CHEQUE_PAYEE", ""),
    "card": "",
}


LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]


def derived_key(name: str) -> bytes:
    """32 octets for one use, from the master secret."""
    return hmac.new(MASTER_SECRET.encode(), name.encode(), hashlib.sha256).digest()


def _digest(folder: Path) -> str:
    """Of the names and contents of all its files: it stands in their addresses, so that browsers keep them for good."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _database(url: str) -> dict[str, object]:
    """Django's DATABASES entry for a libpq address or key=value string."""
    given = {"application_name": "sampan django"} | psycopg.conninfo.conninfo_to_dict(url)
    known = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    entry: dict[str, object] = {ours: str(given.pop(theirs, "") or "") for ours, theirs in known.items()}
    return entry | {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": given,
    }


def _mail(smarthost: str) -> dict[str, object]:
    """Django's EMAIL settings for smtp://user:password@host:587 (STARTTLS off this machine) or smtps://…:465."""
    if not smarthost:
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": DATA / "mail",
        }
    address = urlsplit(smarthost)
    is_here = address.hostname in LOOPBACK
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": address.hostname,
        "EMAIL_PORT": address.port or (465 if address.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(address.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(address.password or ""),
        "EMAIL_USE_SSL": address.scheme == "smtps",
        "EMAIL_USE_TLS": address.scheme == "smtp" and not is_here,
        "EMAIL_TIMEOUT": 10,
    }


SECRET_KEY = derived_key("django").hex()
DATABASES = {"default": _database(os.environ.get("SAMPAN_DATABASE_URL", ""))}
DEBUG = False
ALLOWED_HOSTS = os.environ.get("SAMPAN_HOSTS", ",".join(LOOPBACK)).split(",")
AUTH_USER_MODEL = "sampan.Person"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "sampan",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["sampan.accounts.hashing.PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("login_name", "name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Pages
ROOT_URLCONF = "sampan.interfaces.urls"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "sampan.interfaces.security.safe_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sampan.interfaces.signing_in.note_use",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "interfaces/templates"],
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request"],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "sampan.interfaces.tags",
                "sampan.interfaces.account_tags",
                "sampan.interfaces.staff_tags",
                "sampan.interfaces.money_words",
                "sampan.interfaces.place_words",
            ],
        },
    }
]
STATIC_FOLDER = PACKAGE / "interfaces/static"
STATIC_URL = f"/static/{_digest(STATIC_FOLDER)}/"  # served by interfaces/static_files.py
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
CSRF_FAILURE_VIEW = "sampan.interfaces.errors.form_too_old"

# Off the loopback every door has TLS (spec S136), whether ours or that of a proxy before us.
IS_PUBLIC = not set(ALLOWED_HOSTS) <= set(LOOPBACK)
# Networks of our own that webhooks may reach, besides what is public: while trying on one machine, that machine.
WEBHOOK_NETWORKS = [
    ipaddress.ip_network(network)
    for network in os.environ.get("SAMPAN_WEBHOOK_NETWORKS", "" if IS_PUBLIC else "127.0.0.0/8,::1/128").split(",")
    if network
]
CSRF_TRUSTED_ORIGINS = [f"https://{'*' * host.startswith('.')}{host}" for host in ALLOWED_HOSTS if IS_PUBLIC]
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_PUBLIC
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
SESSION_COOKIE_AGE = 12 * 3600
SECURE_REFERRER_POLICY = "same-origin"

# Mails of ours, to members and staff; without a smarthost they are files in the data folder (accounts/mail.py).
globals().update(_mail(os.environ.get("SAMPAN_SMARTHOST", "")))
DEFAULT_FROM_EMAIL = os.environ.get("SAMPAN_MAIL_FROM", "Sampan <sampan@localhost>")
PASSWORD_RESET_TIMEOUT = 3600

# Languages and time
USE_TZ = True
TIME_ZONE = "Asia/Hong_Kong"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hant", "繁體"), ("zh-hans", "简体")]  # spec S135
LOCALE_PATHS = [compiled(PACKAGE / "locale", otherwise=DATA / "locale")]
