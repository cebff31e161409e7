"""What the platform measures of itself, for Prometheus: read from the database when it is asked for."""

from collections.abc import Iterable

import psycopg
import structlog
from prometheus_client import start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from sampan.database import connect

GAUGES = {
    "sampan_queued_messages": (
        "Messages that wait for an operator",
        "SELECT o.name, q.lane::text, count(*) FROM queued q JOIN operator o ON o.id = q.operator_id GROUP BY 1, 2",
        ("operator", "lane"),
    ),
    "sampan_oldest_claimable_seconds": (
        "How long the first message of each operator that may go has waited",
        """SELECT o.name, extract(epoch FROM clock_timestamp() - min(b.started_at))
             FROM operator o CROSS JOIN LATERAL (
                  SELECT batch_id FROM queued WHERE operator_id = o.id
                     AND (not_before IS NULL OR not_before <= now()) ORDER BY message_id LIMIT 1) q
             JOIN batch b ON b.id = q.batch_id GROUP BY 1""",
        ("operator",),
    ),
    "sampan_attempts": (
        "Parts with operators, by what is known of them",
        """SELECT o.name, (ARRAY['submitting', 'taken', 'retrying', 'unknown'])[a.state], count(*)
             FROM attempt a JOIN operator o ON o.id = a.operator_id GROUP BY 1, 2""",
        ("operator", "state"),
    ),
    "sampan_inbox_receipts": (
        "Receipts that have not found their message",
        "SELECT o.name, count(*) FROM inbox_receipt i JOIN operator o ON o.id = i.operator_id GROUP BY 1",
        ("operator",),
    ),
    "sampan_books_off": (
        "Rows that were off when the books were last checked; alert where it is above 0",
        "SELECT jsonb_array_length(found) FROM book_check ORDER BY day DESC LIMIT 1",
        (),
    ),
    "sampan_books_checked_seconds": (
        "How long ago the books were last checked; alert above 30 hours",
        "SELECT extract(epoch FROM clock_timestamp() - max(at)) FROM book_check HAVING max(at) IS NOT NULL",
        (),
    ),
    "sampan_own_balance_hkd": (
        "What the platform's own account can spend on codes and tests; alert below 1000",
        """SELECT a.balance_pips / 10000.0 FROM account a JOIN customer c ON c.id = a.customer_id
            WHERE c.is_platform AND a.kind = 1""",
        (),
    ),
    "sampan_webhooks_overdue_seconds": (
        "How long the first delivery that is due to a customer's server has waited; alert above 2 hours",
        """SELECT max(extract(epoch FROM clock_timestamp() - d.next_at)) FROM webhook_endpoint e
             CROSS JOIN LATERAL (SELECT next_at FROM webhook_delivery WHERE endpoint_id = e.id AND state = 1
                                  ORDER BY next_at LIMIT 1) d
            WHERE e.off_since IS NULL AND e.removed_at IS NULL AND coalesce(e.resume_at, now()) <= now()
              AND d.next_at <= now() HAVING count(*) > 0""",
        (),
    ),
    "sampan_links_bound": (
        "Links of each operator that are bound",
        """SELECT o.name, count(*) FILTER (WHERE s.bound) FROM operator o JOIN link l ON l.operator_id = o.id
             LEFT JOIN link_state s ON s.link_id = l.id GROUP BY 1""",
        ("operator",),
    ),
}

log = structlog.get_logger()


class FromDatabase(Collector):
    """Reads all gauges in one go; a database that is away shows as `sampan_database_up 0`."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges as they stand."""
        up = GaugeMetricFamily("sampan_database_up", "Whether the database answers")
        try:
            with connect("metrics") as conn:
                for name, (words, sql, labels) in GAUGES.items():
                    gauge = GaugeMetricFamily(name, words, labels=labels)
                    for *values, figure in conn.execute(sql):
                        gauge.add_metric(values, float(figure))
                    yield gauge
        except psycopg.OperationalError as error:
            log.warning("metrics.database_away", error=str(error).strip())
            up.add_metric([], 0)
        else:
            up.add_metric([], 1)
        yield up


def serve_metrics(host: str, port: int) -> None:
    """Answer Prometheus in a thread of its own."""
    registry = CollectorRegistry()
    registry.register(FromDatabase())
    start_http_server(port, host, registry)
