"""What the platform says of itself to Prometheus."""

from datetime import timedelta

from django.utils import timezone
from prometheus_client.registry import CollectorRegistry

from sampan.database import Connection
from sampan.messages.tables import Purpose
from sampan.ops.metrics import FromDatabase
from tests.world import make_customer, make_places, send

WAITED_S = 600


def figure(name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(FromDatabase())
    return registry.get_sample_value(name, labels)


def test_the_age_of_the_oldest_message_that_may_go_shows_that_nobody_works(database: Connection) -> None:
    """An alarm on it tells of a dispatcher that stands still, whatever the reason."""
    make_places()
    assert figure("sampan_oldest_claimable_seconds", operator="kai-tak") is None
    send(database, make_customer(), now=timezone.now() - timedelta(seconds=WAITED_S))
    age = figure("sampan_oldest_claimable_seconds", operator="kai-tak")
    assert age is not None
    assert WAITED_S <= age < 2 * WAITED_S
    assert figure("sampan_queued_messages", operator="kai-tak", lane=str(Purpose.TRANSACTIONAL.value)) == 1
    assert figure("sampan_database_up") == 1
