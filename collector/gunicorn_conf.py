# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""How gunicorn serves the collector. Values that depend on a deployment are settings."""

import ctypes
import logging
import os
import resource
import shutil
import struct
import sys
from pathlib import Path
from typing import Any

from collector.limits.rate_limits import shared_rate_limits
from collector.serving.gathering import HeadLimits
from collector.serving.patient_socket import PatientSocket
from collector.serving.worker import CollectorWorker
from collector.startup import load_settings_or_exit, verify_or_exit
from collector.throttling import reload_throttler
from socorro.logging import set_up_logging
from socorro.metrics import METRICS, set_up_metrics
from socorro.settings import describe
from socorro.shared_metrics import share_metrics

logger = logging.getLogger(__name__)

# Names of mallopt's parameters in <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8

_settings = load_settings_or_exit()
# The folder of shared metrics, by the process that made it.
_shared_metrics: dict[int, Path] = {}

bind = [
    f"[{_settings.collector_host}]:{_settings.collector_port}"
    if ":" in _settings.collector_host
    else f"{_settings.collector_host}:{_settings.collector_port}"
]
proc_name = "collector"
# A service manager that holds the socket (systemd's protocol) hands it on: gunicorn then ignores
# `bind`, and who waits in its queue while we restart is served by the next collector.
CollectorWorker.inherited = os.environ.get("LISTEN_PID") == str(os.getpid())

# One process per core does the inflating and hashing; threads wait for clients and disks. A thread
# costs some 100 kB, so there are enough for all uploads that are let in and for health checks.
workers = _settings.collector_workers
worker_class = CollectorWorker
threads = _settings.collector_threads
# Idle kept-alive connections take no thread, only a descriptor.
worker_connections = threads + 1900
# Longer than the 60 s for which nginx and the common load balancers keep idle connections to us:
# the side that may send a request must be the one that closes.
keepalive = 75
# A worker's main loop beats this often whatever its threads wait for; it protects from a process
# that hangs, not from slow clients (see collector.serving.worker).
timeout = 60
# SIGTERM: uploads in progress may finish.
graceful_timeout = 30
backlog = 2048
# The heartbeat file must not wait for a busy disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

# Gunicorn refuses what exceeds these; the worker adds a bound of the whole head.
limit_request_line = _settings.max_request_line
limit_request_fields = _settings.max_headers
limit_request_field_size = _settings.max_header_size

# Gunicorn reads nothing of X-Forwarded-*: a client must not set the scheme or script name.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
# Both servers of `socorro run` would open the same socket in the home folder.
control_socket_disable = True

# Query strings hold ids, addresses are personal data: no access log. Metrics count the requests.
accesslog = None
logger_class = "socorro.gunicorn_logging.GunicornLogger"
reload = _settings.debug


def on_starting(server: Any) -> None:  # noqa: ARG001
    """Check storage and queue once, before the port is opened."""
    set_up_logging(_settings, "collector")
    # Before anything imports Prometheus' library, and before the workers are forked.
    _shared_metrics[os.getpid()] = share_metrics()
    set_up_metrics(_settings, prometheus="collector")
    _limit_arenas()
    for entry in describe():
        level = logging.DEBUG if entry.source == "default" else logging.INFO
        logger.log(level, "setting %s=%s (%s)", entry.name, entry.value, entry.source)
    _raise_descriptor_limit()
    # Workers inherit the memory in which all count together.
    shared_rate_limits(_settings)
    verify_or_exit(_settings)


def on_reload(server: Any) -> None:  # noqa: ARG001
    """Read the throttle rules again on SIGHUP, before the workers that will use them start."""
    reload_throttler(_settings)


def when_ready(server: Any) -> None:
    """Say where reports can be sent."""
    METRICS.gauge("collector.gunicorn.workers", server.num_workers)
    logger.info("takes reports at %s/submit", _settings.collector_address)


def pre_exec(server: Any) -> None:
    """Start the successor (SIGUSR2) as this one was; gunicorn would run its module as a script."""
    server.START_CTX[0] = sys.executable
    server.START_CTX["args"] = [sys.executable, "-m", "gunicorn", *sys.argv[1:]]


def nworkers_changed(server: Any, new: int, old: int | None) -> None:  # noqa: ARG001
    """Tell how many workers there are."""
    METRICS.gauge("collector.gunicorn.workers", new)


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Set the patience with clients and the limits of what they send."""
    CollectorWorker.limits = HeadLimits(_settings.max_request_line, _settings.max_head_size)
    PatientSocket.idle = _settings.upload_idle_seconds
    PatientSocket.grace = _settings.upload_grace_seconds
    PatientSocket.min_rate = _settings.upload_min_rate


def post_request(worker: Any, req: Any, environ: Any, resp: Any) -> None:  # noqa: ARG001
    """Count the answers by status."""
    if resp is not None and resp.status_code is not None:
        METRICS.incr("collector.gunicorn.requests", tags=[f"status:{resp.status_code}"])


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Publish what still waits; the requests in progress are done by now."""
    application = getattr(worker, "wsgi", None)
    if application is not None:
        application.close()


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Keep the counts of a worker that ended, however it did."""
    # Imported late: Prometheus' library must find the folder when it is.
    from socorro.prometheus import fold_counts

    try:
        fold_counts(_shared_metrics[os.getpid()], worker.pid)
    except (OSError, RuntimeError, ValueError, struct.error) as error:
        # A full disk, or a file that was cut off in the middle of a write: counts are not worth
        # the master's life.
        logger.warning("counts of a worker that ended are lost: %s", error)


def on_exit(server: Any) -> None:  # noqa: ARG001
    """Delete what only this server's processes used."""
    folder = _shared_metrics.get(os.getpid())
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _limit_arenas() -> None:
    """Have all threads allocate from few arenas, and large blocks given back when they are freed.

    The C library would open up to 8 arenas for each core, each keeping what its busiest moment
    took, and would keep ever larger blocks: with a hundred threads that is most of the memory.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        # Not glibc; musl does neither.
        return
    mallopt(_M_ARENA_MAX, 2)
    # Well above the blocks in which bodies are read: mapping each anew would cost more time.
    mallopt(_M_MMAP_THRESHOLD, 2**20)
    mallopt(_M_TRIM_THRESHOLD, 4 * 2**20)


def _raise_descriptor_limit() -> None:
    """Allow for all connections and some files per thread; the usual soft limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
