"""`sampan staff`: the first administrator of a platform; the others are let in on the pages."""

import argparse
from datetime import UTC, datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from sampan.accounts.staff_people import make_first_administrator
from sampan.ops.cli import Answer, VerbRefused
from sampan.reasons import Refused


def add_first(arguments: argparse.Namespace) -> Answer:
    """Somebody who signs in under /staff/, sets up a second factor there, and lets the others in."""
    try:
        validate_password(arguments.password)
        person = make_first_administrator(
            arguments.login,
            name=arguments.name or arguments.login,
            password=arguments.password,
            now=datetime.now(UTC),
        )
    except ValidationError as error:
        raise VerbRefused(" ".join(error.messages)) from error
    except Refused as refused:
        raise VerbRefused(str(refused)) from refused
    return Answer({"login": person.login_name}, [f"{person.login_name} is the administrator; sign in at /staff/"])
