"""`sampan prepare`: migrations, the first world and, where wanted, the demo. Each only where it is not there yet."""

import argparse
from datetime import UTC, datetime

from django.core.management import call_command

from sampan.database import beneath_django
from sampan.messages.holding import hold_after_restore
from sampan.messages.platform import make_platform_account
from sampan.ops.demo import make_demo
from sampan.ops.logins import simulator_account
from sampan.ops.world import make_first_world
from sampan.settings import DATA, MASTER_SECRET


def prepare(arguments: argparse.Namespace) -> None:
    """Bring the database up to date."""
    call_command("migrate", verbosity=0, interactive=False)
    make_first_world()
    make_platform_account(datetime.now(UTC))
    if arguments.after_restore:
        with beneath_django() as conn:
            hold_after_restore(conn, datetime.now(UTC))
    if arguments.demo:
        host, _, port = arguments.demo.rpartition(":")
        account = simulator_account(MASTER_SECRET)
        make_demo(DATA, host=host, port=int(port), account=account, now=datetime.now(UTC))
