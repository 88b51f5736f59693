# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro reprocess`: stored crashes into a queue, to be processed again."""

import sys
from datetime import datetime
from pathlib import Path

import click

from socorro import settings
from socorro.cli.pace_options import rate_option, resume_option
from socorro.reprocessing import RULESETS

_FILE = click.Path(dir_okay=False, path_type=Path)
_DAY = click.DateTime(formats=["%Y-%m-%d"])
_POSITIVE = click.IntRange(min=1)


@click.command()
@click.argument("crash_ids", metavar="[ID]...", nargs=-1)
@click.option("--ids", "files", type=_FILE, multiple=True, help="Crash ids in a file, one a line.")
@click.option("--query", metavar="SEARCH", help="Address or parameters of a search.")
@click.option("--signature", metavar="TEXT", help="Crashes with exactly this signature.")
@click.option("--product", metavar="NAME", help="Crashes of this product.")
@click.option("--last", type=_POSITIVE, metavar="N", help="The latest N crashes.")
@click.option("--stored", is_flag=True, help="All crashes in raw storage, the newest first.")
@click.option("--from", "oldest", type=_DAY, metavar="DAY", help="With --stored: from this day on.")
@click.option("--to", "newest", type=_DAY, metavar="DAY", help="With --stored: up to this day.")
@click.option("--missing", is_flag=True, help="With --stored: those without a processed crash.")
@click.option("--deferred", is_flag=True, help="With --stored: deferred ones that wait, too.")
@click.option(
    "--ruleset",
    type=click.Choice(RULESETS),
    default="default",
    show_default=True,
    help="What is done: everything from the raw crash, or the signature alone.",
)
@click.option(
    "--queue",
    type=click.Choice(["priority", "standard", "reprocessing"]),
    default="reprocessing",
    show_default=True,
)
@click.option("--skip-bad", is_flag=True, help="Leave out what is no crash id, and go on.")
@rate_option
@click.option(
    "--sleep",
    type=click.FloatRange(0, 86400),
    metavar="SECONDS",
    help="Pause between batches; 1 with --host, else 0.",
)
@click.option(
    "--most-waiting", type=_POSITIVE, metavar="N", help="Never more than N crashes in the queue."
)
@resume_option
@click.option("--dry-run", is_flag=True, help="Print the ids and queue nothing.")
@click.option(
    "--host",
    metavar="URL",
    help="Another Crash Stats, with the API token in SOCORRO_REPROCESS_API_TOKEN.",
)
def reprocess(
    crash_ids: tuple[str, ...],
    files: tuple[Path, ...],
    query: str | None,
    signature: str | None,
    product: str | None,
    last: int | None,
    stored: bool,
    oldest: datetime | None,
    newest: datetime | None,
    missing: bool,
    deferred: bool,
    ruleset: str,
    queue: str,
    skip_bad: bool,
    rate: float | None,
    sleep: float | None,
    most_waiting: int | None,
    done_file: Path | None,
    dry_run: bool,
    host: str | None,
) -> None:
    """Queue stored crashes to be processed again.

    ID is a crash id or the address of a report; "-" reads them from standard input, one a line.
    Nothing is queued if one is bad. --last, --product and --signature ask the search index for
    crashes of the last year, --query for those of its own dates, by default 7 days; together they
    narrow each other. --stored asks raw storage, from which everything else can be made again.
    """
    from socorro.cli.reprocessing import Aim, Listed, Stored, Way
    from socorro.cli.reprocessing import reprocess as queue_again
    from socorro.cli.selecting import Selection
    from socorro.reprocessing.stored import Days

    selection = Selection(last, product, signature, query)
    listed = Listed(crash_ids, files, skip_bad)
    if stored:
        if crash_ids or files or selection:
            raise click.UsageError("--stored is all crashes: give no ids and no search with it.")
        if missing and ruleset != "default":
            raise click.UsageError(f"--missing: {ruleset} needs a processed crash.")
    elif oldest or newest or missing or deferred:
        raise click.UsageError("--from, --to, --missing and --deferred go with --stored.")
    elif not (crash_ids or files or selection):
        raise click.UsageError("Give crash ids, - for standard input, --query, or --last N.")
    if host is not None and (queue != "reprocessing" or most_waiting):
        raise click.UsageError(
            "--queue and --most-waiting are for the queues of this installation."
        )
    loaded = settings.load()
    days = Days(oldest.date() if oldest else None, newest.date() if newest else None)
    source = Stored(days, missing, deferred) if stored else (listed, selection)
    aim = Aim(queue, host, loaded.reprocess_api_token)
    way = Way(ruleset, rate, sleep, most_waiting, done_file, dry_run)
    sys.exit(queue_again(loaded, source, aim, way))
