# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro demo`: real crashes through the real collector, from dump to page."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from socorro.cli.instance import Instance
from socorro.cli.preflight import check_data_folder
from socorro.cli.send_crash import NotTaken, Report, post_report
from socorro.cli.supervisor import is_up, webapp_on_this_machine
from socorro.cli.symbols import add_and_requeue
from socorro.packaged import SAMPLES
from socorro.settings import Settings

_START_SECONDS = 60.0
# The first crashes with minidumps wait for the stackwalker, which takes minutes to build.
_PROCESS_SECONDS = 1800.0
_POLL_SECONDS = 0.5
_HTTP_TIMEOUT = 30.0


@dataclass(frozen=True)
class Sample:
    """A sample crash: its minidump, what its reporter says, and the signature it must get."""

    title: str
    dump: Path
    annotations: dict[str, str]
    signature: str


class DemoError(Exception):
    """The demo cannot go on. The text is a sentence."""


def load_samples() -> tuple[list[Sample], list[Path]]:
    """Return the samples of the manifest and the folders of their symbols."""
    manifest = yaml.safe_load((SAMPLES / "manifest.yaml").read_text())
    samples = [
        Sample(
            title=entry["title"],
            dump=SAMPLES / entry["dump"],
            annotations=entry["annotations"],
            signature=entry["signature"],
        )
        for entry in manifest["samples"]
    ]
    return samples, [SAMPLES / folder for folder in manifest["symbol_folders"]]


def run_demo(settings: Settings, *, start: bool) -> int:
    """Send every sample and show what became of it; return 0 if all got their signature."""
    console = Console()
    try:
        _make_sure_it_runs(settings, console, start=start)
        samples, symbol_folders = load_samples()
        add_and_requeue(settings, symbol_folders, quiet=True)
        sent = {send(settings.collector_address, sample): sample for sample in samples}
        processed = _wait_for(settings, sent, console)
    except (DemoError, requests.RequestException) as error:
        console.print(f"socorro demo: {error}", style="red", markup=False)
        return 1
    return _show(settings, sent, processed, console)


def send(collector: str, sample: Sample) -> str:
    """Post a sample as a crash reporter would; return its crash id. Raises DemoError."""
    now = str(int(time.time()))
    fields = {"CrashTime": now, "StartupTime": str(int(now) - 60), **sample.annotations}
    report = Report(fields, {"upload_file_minidump": sample.dump})
    try:
        return post_report(f"{collector}/submit", report)
    except NotTaken as error:
        raise DemoError(f"{sample.dump.name}: {error}") from error


def _make_sure_it_runs(settings: Settings, console: Console, *, start: bool) -> None:
    if _everything_is_up(settings):
        return
    if not start:
        raise DemoError(f"no server answers at {settings.collector_address}.")
    log = settings.data / "server.log"
    if Instance(settings.data).running() is None:
        _start_server(settings, log)
        console.print(f"Started a server; it logs to {log} and `socorro stop` stops it.")
    deadline = time.monotonic() + _START_SECONDS
    while not _everything_is_up(settings):
        if Instance(settings.data).running() is None and time.monotonic() > deadline - 50:
            raise DemoError(f"the server did not start; the last lines of {log}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise DemoError(f"the server did not answer within {_START_SECONDS:g} s; see {log}.")
        time.sleep(_POLL_SECONDS)


def _start_server(settings: Settings, log: Path) -> None:
    check_data_folder(settings)
    with log.open("ab") as output:
        # A session of its own: it goes on when the demo, or its terminal, ends.
        subprocess.Popen(
            [sys.executable, "-m", "socorro", "run"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _everything_is_up(settings: Settings) -> bool:
    return is_up(settings.collector_address) and is_up(webapp_on_this_machine(settings))


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])


def _wait_for(
    settings: Settings, sent: dict[str, Sample], console: Console
) -> dict[str, dict[str, Any]]:
    """Ask Crash Stats for each processed crash until all are there. Raises DemoError."""
    processed: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + _PROCESS_SECONDS
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bar = progress.add_task("Processing", total=len(sent))
        while len(processed) < len(sent):
            if time.monotonic() > deadline:
                raise DemoError(f"{len(sent) - len(processed)} crashes were not processed in time.")
            for crash_id in sent.keys() - processed.keys():
                if (crash := _fetch(settings, crash_id)) is not None:
                    processed[crash_id] = crash
            progress.update(bar, completed=len(processed), description=_situation(processed))
            time.sleep(_POLL_SECONDS)
    return processed


def _situation(processed: dict[str, dict[str, Any]]) -> str:
    from processor.stackwalk.build import Building, default_cache, state

    if not processed and isinstance(state(default_cache()), Building):
        return "Building the stackwalker (once, some minutes)"
    return "Processing"


def _fetch(settings: Settings, crash_id: str) -> dict[str, Any] | None:
    response = requests.get(
        f"{webapp_on_this_machine(settings)}/api/ProcessedCrash/",
        params={"crash_id": crash_id},
        timeout=_HTTP_TIMEOUT,
    )
    if response.status_code != 200:
        return None
    crash: dict[str, Any] = response.json()
    return crash


def _show(
    settings: Settings,
    sent: dict[str, Sample],
    processed: dict[str, dict[str, Any]],
    console: Console,
) -> int:
    wrong = 0
    for crash_id, sample in sent.items():
        signature = processed[crash_id].get("signature")
        console.print()
        console.print(sample.title, style="bold", markup=False)
        console.print(f"  {signature}", markup=False, highlight=False, soft_wrap=True)
        page = f"{settings.webapp_address}/report/index/{crash_id}"
        console.print(f"  {page}", markup=False, soft_wrap=True)
        if signature != sample.signature:
            wrong += 1
            console.print(f"  expected {sample.signature}", style="red", markup=False)
    console.print()
    if wrong:
        console.print(f"{wrong} of {len(sent)} samples got another signature.", style="red")
        return 1
    console.print(f"All {len(sent)} samples are processed. Crash Stats: {settings.webapp_address}/")
    return 0
