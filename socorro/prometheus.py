# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Metrics for Prometheus: a backend that keeps them, and the page that shows them.

Values live in files that all processes of a server share, if `socorro.shared_metrics` made a folder
for them before this module was imported; else in memory.
"""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markus.backends import BackendBase
from markus.main import MetricsRecord
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from socorro.metrics import DECLARED, Metric
from socorro.shared_metrics import FOLDER_VARIABLE, held_still

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

# Values of tags may come from outside; each combination of them is kept for ever.
MOST_LABELS = 200
_OTHER = "other"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_SIZES = tuple(4.0**power for power in range(2, 15))
_registry = CollectorRegistry()


class PrometheusMetrics(BackendBase):  # type: ignore[misc]
    """Keeps every declared metric as one of Prometheus.

    The option ``service`` names the program whose metrics are shown with zero from the start.
    """

    def __init__(self, options: Mapping[str, Any] | None = None, filters: Any = None) -> None:
        super().__init__(options, filters)
        global _registry
        _registry = CollectorRegistry()
        self._declared = {f"socorro.{metric.name}": metric for metric in DECLARED}
        self._kept: dict[str, _Kept] = {}
        service = self.options.get("service", "")
        for key, metric in self._declared.items():
            if service and metric.name.startswith(f"{service}."):
                self._kept[key] = _Kept(metric)

    def emit(self, record: MetricsRecord) -> None:
        """Keep a value; what nobody declared is left out."""
        kept = self._kept.get(record.key)
        if kept is None:
            if record.key not in self._declared:
                return
            kept = self._kept[record.key] = _Kept(self._declared[record.key])
        kept.add(record.value, tuple(record.tags))


class _Kept:
    """One metric with its values by tags."""

    def __init__(self, metric: Metric) -> None:
        self._tags = metric.tags
        self._kind = metric.kind
        self._children: dict[tuple[str, ...], Any] = {}
        name = "socorro_" + metric.name.replace(".", "_")
        self._parent: Any
        if metric.kind == "incr":
            self._parent = Counter(name, metric.doc, metric.tags, registry=_registry)
        elif metric.kind == "gauge":
            self._parent = Gauge(
                name, metric.doc, metric.tags, registry=_registry, multiprocess_mode="mostrecent"
            )
        else:
            timing = metric.kind == "timing"
            self._parent = Histogram(
                f"{name}_seconds" if timing else name,
                metric.doc,
                metric.tags,
                buckets=_SECONDS if timing else _SIZES,
                registry=_registry,
            )

    def add(self, value: float, tags: tuple[str, ...]) -> None:
        """Count, set or observe a value."""
        child = self._children.get(tags)
        if child is None:
            child = self._child(tags)
        if self._kind == "incr":
            child.inc(value)
        elif self._kind == "gauge":
            child.set(value)
        else:
            # Timings come in milliseconds; Prometheus wants seconds.
            child.observe(value / 1000 if self._kind == "timing" else value)

    def _child(self, tags: tuple[str, ...]) -> Any:
        if not self._tags:
            return self._parent
        given = dict(tag.partition(":")[::2] for tag in tags)
        labels = [given.get(name, "") for name in self._tags]
        if len(self._children) >= MOST_LABELS:
            return self._parent.labels(*[_OTHER] * len(labels))
        child = self._children[tags] = self._parent.labels(*labels)
        return child


def exposition() -> bytes:
    """Return the metrics of all processes in Prometheus' text format."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return generate_latest(_registry)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    with held_still(Path(folder), fcntl.LOCK_SH):
        return generate_latest(registry)


def fold_counts(folder: Path, pid: int) -> None:
    """Add what an ended process counted to one file for all of them, so that files do not pile up.

    What it last said of a gauge is forgotten.
    """
    with held_still(folder, fcntl.LOCK_EX):
        for kind in ("counter", "histogram"):
            counted = folder / f"{kind}_{pid}.db"
            if counted.exists():
                _add_counts(counted, folder / f"{kind}_ended.db")
                counted.unlink()
        for gauge in folder.glob(f"gauge_*_{pid}.db"):
            gauge.unlink()


def _add_counts(counted: Path, total: Path) -> None:
    sums = MmapedDict(str(total))  # type: ignore[no-untyped-call]
    try:
        for key, value, *_ in MmapedDict.read_all_values_from_file(str(counted)):  # type: ignore[no-untyped-call]
            before, _ = sums.read_value(key)  # type: ignore[no-untyped-call]
            sums.write_value(key, before + value, 0.0)  # type: ignore[no-untyped-call]
    finally:
        sums.close()  # type: ignore[no-untyped-call]
