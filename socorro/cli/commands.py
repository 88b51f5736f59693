# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The commands, each a few lines that call the room whose work it is."""

import json
import os
import sys
from pathlib import Path

import click

from socorro import __version__, settings
from socorro.cli.fields import fields
from socorro.cli.reindex import reindex
from socorro.cli.reprocess import reprocess


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="socorro")
def cli() -> None:
    """Receive, process and show crash reports.

    `socorro run` starts everything on this machine; `socorro demo` sends sample crashes. The other
    commands are for operators. Settings come from the environment or from the file that
    SOCORRO_CONFIG names; `socorro settings` lists them.
    """


@cli.command()
@click.option("--dev", is_flag=True, help="Reload code that changes and show tracebacks.")
def run(dev: bool) -> None:
    """Start collector, processors, Crash Stats and cronrun, and stop them together."""
    from socorro.cli.supervisor import run_everything

    if dev:
        os.environ["SOCORRO_DEBUG"] = "true"
    sys.exit(run_everything(settings.load()))


@cli.command()
def stop() -> None:
    """Stop the server that runs on the data folder, without losing a crash."""
    from socorro.cli.instance import Instance

    data = settings.load().data
    pid = Instance(data).stop(timeout=90)
    click.echo(f"Stopped process {pid}." if pid else f"No server runs on {data}.")


@cli.command()
def collector() -> None:
    """Receive crash reports over HTTP (gunicorn)."""
    settings.load()
    _exec_gunicorn("collector")


@cli.command()
@click.option("--once", is_flag=True, help="Do what there is to do, then stop.")
def crashmover(once: bool) -> None:
    """Move reports home from the fallback storage, and publish ids that wait for the queue.

    Collectors do this themselves in the background; this is for when none runs, or for a machine
    of its own.
    """
    from collector.saving.moving import main

    sys.exit(main(settings.load(), once=once))


@cli.command()
def webapp() -> None:
    """Serve Crash Stats (gunicorn); run `socorro migrate` before, once for each version."""
    from socorro.backends import verify
    from socorro.products import load_configured
    from socorro.signing import load_signer
    from webapp.prepare import check_database

    loaded = settings.load()
    load_configured(loaded)
    load_signer(loaded)
    verify(loaded, ("CRASH_STORAGE", "PROCESSED_STORAGE", "CRASH_QUEUE", "SEARCH"))
    if loaded.debug:
        from webapp.development import run_development_server

        run_development_server()
    check_database()
    _exec_gunicorn("webapp")


def _exec_gunicorn(room: str) -> None:
    # Replaces this process, so that signals reach gunicorn's master and nothing stands between.
    config = f"python:{room}.gunicorn_conf"
    command = [sys.executable, "-m", "gunicorn", "-c", config, f"{room}.wsgi:application"]
    os.execv(sys.executable, command)  # noqa: S606 - no shell, nothing from outside


@cli.command()
def processor() -> None:
    """Take crash ids from the queue and process them."""
    from processor.app import main

    main(settings.load())


@cli.command()
@click.option("--once", is_flag=True, help="Run the jobs that are due, then stop.")
@click.option("--job", help="Run this job now, due or not, then stop.")
@click.option("--list", "show", is_flag=True, help="List the jobs and when they ran.")
def cronrun(once: bool, job: str | None, show: bool) -> None:
    """Run the scheduled jobs."""
    from cron import command

    if show:
        click.echo(command.list_jobs())
        return
    from socorro.backends import verify

    verify(settings.load(), ("CRASH_STORAGE", "PROCESSED_STORAGE", "CRASH_QUEUE", "SEARCH"))
    sys.exit(command.main(once=once, job=job))


@cli.command()
def migrate() -> None:
    """Make or update the database and the static files of Crash Stats."""
    from webapp.prepare import prepare

    prepare()
    click.echo("The database and the static files are up to date.")


@cli.command()
def provision() -> None:
    """Make the buckets, queues and folders that the settings name, unless they are there."""
    from socorro.backends import engines
    from socorro.backends import provision as make_all

    loaded = settings.load()
    make_all(loaded)
    for name, engine in engines(loaded).items():
        if name != "DATABASE_URL":
            click.echo(f"{name}: {engine}")


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(arguments: tuple[str, ...]) -> None:
    """Run a command of Django, such as createsuperuser."""
    from django.core.management import execute_from_command_line
    from django.db import InterfaceError, OperationalError

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    try:
        execute_from_command_line(["socorro manage", *arguments])
    except (InterfaceError, OperationalError) as error:
        from webapp.database import name_of, reason_of

        database = name_of(settings.load())
        raise settings.SettingError(
            f"DATABASE_URL: cannot use {database}: {reason_of(error)}."
        ) from error


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def signature(arguments: tuple[str, ...]) -> None:
    """Make the signatures of crashes, and try changes of the lists; --help tells more."""
    from socorro.cli.signature import sign

    sys.exit(sign(settings.load(), arguments))


@cli.command()
@click.option("--no-start", is_flag=True, help="Do not start a server if none runs.")
def demo(no_start: bool) -> None:
    """Send the sample crashes, and show the signature and page of each.

    Starts a server in the background if none runs; `socorro stop` stops it.
    """
    from socorro.cli.demo import run_demo

    sys.exit(run_demo(settings.load(), start=not no_start))


@cli.command()
@click.argument("reports", metavar="[FILE|ID]...", nargs=-1)
@click.option("--jsonl", is_flag=True, help="A line of JSON in, the processed crash out, by line.")
@click.option("-a", "--annotation", "pairs", metavar="NAME=VALUE", multiple=True)
@click.option("-f", "--file", "files", metavar="NAME=FILE", multiple=True, help="A further dump.")
@click.option("--pretty", is_flag=True, help="For reading.")
def process(
    reports: tuple[str, ...],
    jsonl: bool,
    pairs: tuple[str, ...],
    files: tuple[str, ...],
    pretty: bool,
) -> None:
    """Process crash reports without a server, and print the processed crashes.

    FILE is a minidump, or annotations as JSON with the minidump of the same name beside it
    (crash.json, crash.dmp); ID is a stored crash. Nothing is stored.

    With --jsonl each line of the standard input is {"raw_crash": ANNOTATIONS, "stackwalk": WALK},
    where WALK is what minidump-stackwalk has said, or null without a minidump; stackwalk_browser is
    that of a second one. Each line of the output is a processed crash or {"error": REASON}.
    """
    from socorro.cli import process as processing

    if jsonl:
        if reports or pairs or files or pretty:
            raise click.UsageError("--jsonl reads the standard input and takes nothing else")
        sys.exit(processing.process_lines(settings.load(), sys.stdin.buffer, sys.stdout))
    if not reports:
        raise click.UsageError("give files or crash ids, or --jsonl")
    extras = processing.extras_of(pairs, files)
    sys.exit(processing.process_files(settings.load(), reports, extras, pretty=pretty))


@cli.command("send-crash")
@click.argument(
    "minidump", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("-a", "--annotation", "pairs", metavar="NAME=VALUE", multiple=True)
@click.option(
    "--annotations",
    "file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON object of annotations.",
)
@click.option("-f", "--file", "files", metavar="NAME=FILE", multiple=True, help="A further file.")
@click.option("--url", metavar="URL", help="Of the collector; by default that of the settings.")
@click.option("--json", "as_json", is_flag=True, help="Send the annotations as one JSON part.")
@click.option("--compress", type=click.Choice(["gzip", "deflate", "zstd"]))
@click.option("--chunked", is_flag=True, help="Send the body in chunks, without its length.")
def send_crash(
    minidump: Path | None,
    pairs: tuple[str, ...],
    file: Path | None,
    files: tuple[str, ...],
    url: str | None,
    as_json: bool,
    compress: str | None,
    chunked: bool,
) -> None:
    """Post a crash report to a collector, and print its crash id.

    MINIDUMP is sent as upload_file_minidump. Give at least the annotations ProductName and Version:

    socorro send-crash crash.dmp -a ProductName=MyApp -a Version=1.0
    """
    from socorro.cli import send_crash as sending

    report = sending.report_of(minidump, pairs, file, files)
    manner = sending.Manner(as_json, compress, chunked)
    sys.exit(sending.send_crash(settings.load(), report, manner, sending.address_of(url)))


@cli.command("settings")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def show_settings(as_json: bool) -> None:
    """List every setting with the value in force, secrets masked, and the engines selected."""
    from socorro.backends import engines

    described = settings.describe()
    engine_of = engines(settings.load())
    if as_json:
        rows = [
            {
                "name": d.name,
                "value": d.value,
                "default": d.default,
                "source": d.source,
                "description": d.doc,
                "engine": engine_of.get(d.name),
            }
            for d in described
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for entry in described:
        click.echo(f"{entry.name}={entry.value}  ({entry.source})\n    {entry.doc}")
        if entry.name in engine_of:
            click.echo(f"    Engine: {engine_of[entry.name]}")


cli.add_command(fields)


@cli.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Delete all crashes, the queue, the index and the database, and make them anew."""
    from socorro.cli.reset import reset_everything

    sys.exit(reset_everything(settings.load(), ask=not yes))


@cli.group()
def symbols() -> None:
    """Symbols: what turns addresses into functions and lines."""


@symbols.command("add")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def add_symbols(paths: tuple[Path, ...]) -> None:
    """Add folders, .zip or .sym files (plain or gzip) of Breakpad symbols to the store.

    Crashes that missed them are queued to be processed again.
    """
    from socorro.cli.symbols import add_and_requeue

    sys.exit(add_and_requeue(settings.load(), paths))


@cli.group()
def stackwalker() -> None:
    """The program that walks the stacks of minidumps."""


@stackwalker.command("build")
def build_stackwalker() -> None:
    """Build the stackwalker from the sources shipped, unless it is there already."""
    from processor.stackwalk.build import main

    sys.exit(main())


@cli.group()
def search() -> None:
    """The index that Super Search asks."""


# Scripts know it by either name.
search.add_command(reindex, "rebuild")
cli.add_command(reindex)
cli.add_command(reprocess)


@cli.command()
def queue() -> None:
    """Show how many crashes wait in each queue."""
    from socorro.queue import open_queue

    loaded = settings.load()
    depths = open_queue(loaded.crash_queue, lease_seconds=loaded.lease_seconds).depth()
    click.echo(f"{'queue':14}{'ready':>8}{'in work':>9}{'delayed':>9}{'dead':>7}")
    for name, depth in depths.items():
        click.echo(f"{name:14}{depth.ready:>8}{depth.leased:>9}{depth.delayed:>9}{depth.dead:>7}")


@cli.group()
def throttle() -> None:
    """Throttle rules: what becomes of the reports that come in."""


@throttle.command("check")
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check_throttle_rules(file: Path | None) -> None:
    """Check a file of throttle rules, by default that of THROTTLE_RULES, and list its rules."""
    from socorro.cli.throttle import check

    sys.exit(check(settings.load(), file))


@throttle.command("mozilla")
def print_mozilla_rules() -> None:
    """Print the file of Mozilla's throttle rules, to start one of your own from."""
    from socorro.cli.throttle import print_mozilla_rules

    print_mozilla_rules()


@throttle.command("try")
@click.argument("reports", metavar="[ID|FILE]...", nargs=-1)
@click.option("--rules", metavar="FILE", type=click.Path(path_type=Path), help="Other rules.")
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="The latest N crashes.")
@click.option("--product", metavar="NAME", help="With --last: crashes of this product.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for each report.")
def try_throttle_rules(
    reports: tuple[str, ...],
    rules: Path | None,
    last: int | None,
    product: str | None,
    as_json: bool,
) -> None:
    """Show what the throttle rules would do with stored crashes or with annotations in JSON files.

    Nothing is changed. Rules with percentages show what may happen, and how probable it is.
    """
    from socorro.cli.throttle import Choice, try_rules

    choice = Choice(reports, last, product)
    if not choice:
        raise click.UsageError("give crash ids, files with annotations as JSON, or --last N")
    sys.exit(try_rules(settings.load(), choice, rules, as_json=as_json))
