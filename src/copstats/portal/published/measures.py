"""What is counted for Prometheus: requests as they are answered; the state of the home when it is asked."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Table, func, select

from copstats.portal.context import Portal
from copstats.portal.published.releases import labels
from copstats.store import portal_tables, tables

_SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 20.0, 60.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"})
_PROCESS = CollectorRegistry()
for _collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
    _PROCESS.register(_collector)
_REQUESTS = Counter(
    "copstats_requests", "Requests answered.", ("method", "route", "status"), registry=_PROCESS
)
_SENT = Counter("copstats_sent_bytes", "Bytes of answers.", ("route",), registry=_PROCESS)
_TIME = Histogram(
    "copstats_request_seconds", "Time to answer.", ("route",), registry=_PROCESS, buckets=_SECONDS
)


def observe(scope: Mapping[str, Any], status: int, seconds: float, size: int) -> None:
    """Count a request that was answered.

    Args:
        scope: of ASGI; the route's pattern is counted, not the path, which holds ids.
        status: of the answer; 0 if the connection was cut.
        seconds: until the answer was sent.
        size: bytes of its body.
    """
    route = str(getattr(scope.get("route"), "path", "none"))
    method = scope["method"] if scope["method"] in _METHODS else "other"
    _REQUESTS.labels(method, route, str(status)).inc()
    _SENT.labels(route).inc(size)
    _TIME.labels(route).observe(seconds)


def exposition(portal: Portal) -> bytes:
    """Return all measures in Prometheus' text format 0.0.4."""
    of_home = CollectorRegistry()
    of_home.register(_Home(portal))
    return generate_latest(of_home) + generate_latest(_PROCESS)


class _Home(Collector):
    """Reads the state of the home at the moment it is asked."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def describe(self) -> Iterator[Metric]:
        """Tell nothing beforehand: registering reads nothing."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        portal = self._portal
        began = time.perf_counter()
        yield self._by_state("copstats_submissions", "Submissions by state.", tables.submission)
        yield self._by_state("copstats_uploads", "Uploads by state.", portal_tables.upload)
        known = labels(portal.home)
        yield GaugeMetricFamily("copstats_releases", "Published releases.", value=len(known))
        if known:
            yield InfoMetricFamily("copstats_newest_release", "Newest release.", value={"label": known[0]})
        free = shutil.disk_usage(portal.home.path).free
        yield GaugeMetricFamily("copstats_disk_free_bytes", "Free space where the home lies.", value=free)
        if portal.supervisor is not None:
            running = float(portal.supervisor.alive)
            yield GaugeMetricFamily("copstats_worker_up", "Whether the worker runs.", value=running)
        spent = time.perf_counter() - began
        yield GaugeMetricFamily("copstats_registry_seconds", "Time to read this state.", value=spent)

    def _by_state(self, name: str, text: str, table: Table) -> Metric:
        family = GaugeMetricFamily(name, text, labels=("state",))
        query = select(table.c.state, func.count()).group_by(table.c.state)
        with self._portal.home.registry.database.reading() as connection:
            for state, count in connection.execute(query):
                family.add_metric((state,), count)
        return family
