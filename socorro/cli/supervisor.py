# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro run`: the whole pipeline on one machine, started and stopped as one."""

import http.client
import logging
import os
import threading
import time
from dataclasses import replace
from urllib.parse import urlsplit

from collector.throttling import load_throttler
from socorro.backends import verify
from socorro.cli.children import Child, describe_exit
from socorro.cli.hangup import HangUps
from socorro.cli.preflight import check_ports, claim_data_folder
from socorro.cli.sources import Sources
from socorro.logging import set_up_logging
from socorro.products import load_configured
from socorro.settings import Settings, describe
from socorro.stopping import stop_on_signals

logger = logging.getLogger(__name__)

_TICK = 0.2
_STOP_SECONDS = 30.0
_BUILDER_HEAD_START = 10.0
# gunicorn's own code for a worker that cannot boot, and ours for a wrong setting.
_FATAL_EXITS = (3, 78)


def run_everything(settings: Settings) -> int:
    """Run until SIGINT or SIGTERM; return the exit code. Raises SettingError."""
    if settings.log_format == "auto":
        # All children write to one output, which a person reads unless the settings say otherwise.
        os.environ["LOG_FORMAT"] = "text"
        settings = replace(settings, log_format="text")
    set_up_logging(settings, "socorro")
    # Held until this process ends.
    _instance = claim_data_folder(
        settings, "stop it with `socorro stop`, or set SOCORRO_DATA to another folder"
    )
    check_ports(settings)
    verify(settings)
    load_configured(settings)
    load_throttler(settings)
    _log_settings()
    _prepare_database()
    return Supervisor(settings).run()


def _log_settings() -> None:
    """Log the settings in force, secrets masked: those left at their default only on DEBUG."""
    for entry in describe():
        level = logging.DEBUG if entry.source == "default" else logging.INFO
        logger.log(level, "setting %s=%s (%s)", entry.name, entry.value, entry.source)


def _prepare_database() -> None:
    from webapp.prepare import prepare

    prepare()


class Supervisor:
    """Starts the children, keeps them alive, and stops them in order."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = stop_on_signals()
        self._hang_ups = HangUps()
        self._ready = threading.Event()
        self._builder = Child("stackwalker build", ["stackwalker", "build"], restart=False)
        self._collector = Child("collector", ["collector"])
        processors = [
            Child(f"processor {number}", ["processor"])
            for number in range(1, settings.processors + 1)
        ]
        # gunicorn and Django's development server load changed code by themselves; these do not.
        self._reloaded = [*processors, Child("cronrun", ["cronrun"])]
        self._others = [Child("webapp", ["webapp"]), *self._reloaded]
        self._sources = Sources() if settings.debug else None

    def run(self) -> int:
        """Run until a signal; return 0, or 1 if a child could not start at all."""
        threading.Thread(target=self._announce, name="announce", daemon=True).start()
        self._start()
        try:
            return self._watch()
        finally:
            self._stop()

    def _start(self) -> None:
        self._collector.start()
        self._others[0].start()
        self._start_builder()
        for child in self._others[1:]:
            child.start()

    def _start_builder(self) -> None:
        """Start building the stackwalker before the processors ask whether somebody does."""
        from processor.stackwalk.build import Unavailable, default_cache, state

        if not self._needs_stackwalker() or not isinstance(state(default_cache()), Unavailable):
            return
        self._builder.start()
        deadline = time.monotonic() + _BUILDER_HEAD_START
        while self._builder.running and time.monotonic() < deadline:
            if not isinstance(state(default_cache()), Unavailable):
                return
            self._stopping.wait(0.05)

    def _needs_stackwalker(self) -> bool:
        return self._settings.stackwalker == "long-lived" and not self._settings.stackwalker_command

    def _watch(self) -> int:
        while not self._stopping.wait(_TICK):
            for child in (self._collector, *self._others):
                if child.exit_code in _FATAL_EXITS and not self._ready.is_set():
                    logger.error(
                        "%s cannot start (%s): stopping", child.name, describe_exit(child.exit_code)
                    )
                    return 1
                child.keep_alive()
            if self._hang_ups.taken() and not self._reload_rules():
                return 0
            self._reload_changed()
        return 0

    def _reload_rules(self) -> bool:
        """Have the collector read its throttle rules again; say no if the terminal has gone."""
        if self._hang_ups.terminal_gone():
            return False
        logger.info("the collector reads its throttle rules again")
        self._collector.hang_up()
        return True

    def _reload_changed(self) -> None:
        if self._sources is None or not self._sources.changed():
            return
        logger.info("code changed: starting processors and cronrun again")
        for child in self._reloaded:
            child.terminate()

    def _stop(self) -> None:
        """Close the door first: then nothing new comes while the others finish."""
        logger.info("stopping")
        self._collector.terminate()
        self._collector.wait(time.monotonic() + _STOP_SECONDS)
        deadline = time.monotonic() + _STOP_SECONDS
        for child in (*self._others, self._builder):
            child.terminate()
        for child in (*self._others, self._builder):
            child.wait(deadline)
        logger.info("stopped; nothing that was acknowledged is lost")

    def _announce(self) -> None:
        """Wait until both ports answer, then say how to go on."""
        addresses = (self._settings.collector_address, self._local_webapp())
        while not all(is_up(address) for address in addresses):
            if self._stopping.wait(_TICK):
                return
        self._ready.set()
        print(self._banner(), flush=True)

    def _local_webapp(self) -> str:
        return webapp_on_this_machine(self._settings)

    def _banner(self) -> str:
        from processor.stackwalk.build import Building, Ready, Unavailable, default_cache, state

        settings = self._settings
        match state(default_cache()):
            case Ready():
                walker = "ready"
            case Building():
                walker = (
                    "being built in the background, some minutes the first time; "
                    "crashes with minidumps wait for it"
                )
            case Unavailable(reason=reason):
                walker = f"missing: {reason}"
        if not self._needs_stackwalker():
            walker = settings.stackwalker_command or settings.stackwalker
        submit = f"{settings.collector_address}/submit"
        return (
            "\n"
            "Socorro is ready.\n"
            f"  Crash reports go to  {submit}\n"
            f"  Crash Stats          {settings.webapp_address}/\n"
            f"  Data folder          {settings.data}\n"
            f"  Stackwalker          {walker}\n"
            "\n"
            "Send the sample crashes with `make demo`, or one of yours:\n"
            "  curl -F ProductName=MyApp -F Version=1.0 "
            f"-F upload_file_minidump=@FILE.dmp {submit}\n"
            "\n"
            "Ctrl-C stops everything.\n"
        )


def webapp_on_this_machine(settings: Settings) -> str:
    """Return where Crash Stats listens here, whatever its public address is."""
    from socorro.settings import address

    return address(settings.webapp_host, settings.webapp_port)


def is_up(address: str) -> bool:
    """Say whether the heartbeat at an address answers 200."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", "/__heartbeat__")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
