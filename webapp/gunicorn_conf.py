# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""How gunicorn serves Crash Stats."""

import logging

from socorro.gunicorn_logging import GunicornLogger
from socorro.logging import set_up_logging
from socorro.settings import load

_settings = load()


def _bind(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


bind = [_bind(_settings.webapp_host, _settings.webapp_port)]
workers = _settings.webapp_workers
# Threads wait for storage and index together; a page costs little processor time.
worker_class = "gthread"
threads = _settings.webapp_threads
# The longest search a page may ask for, and then some; a stuck worker is replaced after it.
timeout = 60
# Requests under way get this long to finish on SIGTERM or a reload.
graceful_timeout = 20
keepalive = 5
# A shared search is a long address.
limit_request_line = 8190
# Each process keeps its own handles: nothing is opened before the fork.
preload_app = False
reload = _settings.debug
# Two gunicorns of one user would take each other's control socket.
control_socket_disable = True
logger_class = GunicornLogger


def on_starting(server: object) -> None:  # noqa: ARG001
    """Set the log format of the master; workers set their own."""
    set_up_logging(_settings, "webapp")


def when_ready(server: object) -> None:  # noqa: ARG001
    """Say where the site is."""
    logging.getLogger(__name__).info("serves Crash Stats at %s/", _settings.webapp_address)
