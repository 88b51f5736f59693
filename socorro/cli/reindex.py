# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro reindex`: the search index from the processed crashes in storage."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from socorro import settings
from socorro.cli.pace_options import rate_option, resume_option

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.option("--days", type=click.IntRange(min=1), metavar="N", help="The last N days.")
@click.option("--from", "oldest", type=_DAY, metavar="DAY", help="From this day on.")
@click.option("--to", "newest", type=_DAY, metavar="DAY", help="Up to this day.")
@click.option("--missing", is_flag=True, help="Those that are not in the index.")
@rate_option
@resume_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def reindex(
    days: int | None,
    oldest: datetime | None,
    newest: datetime | None,
    missing: bool,
    rate: float | None,
    done_file: Path | None,
    dry_run: bool,
) -> None:
    """Index the processed crashes in storage, the newest first.

    Searches and processing go on meanwhile. A crash that is in the index is replaced; nothing is
    removed. All days are indexed unless options say which.
    """
    from socorro.cli.reindexing import Reindexing
    from socorro.cli.reindexing import reindex as index_again
    from socorro.reprocessing.stored import Days

    if days and oldest:
        raise click.UsageError("--days and --from both say where to end: give one.")
    if days:
        oldest = datetime.now(UTC) - timedelta(days=days - 1)
    span = Days(oldest.date() if oldest else None, newest.date() if newest else None)
    sys.exit(index_again(settings.load(), Reindexing(span, missing, rate, done_file, dry_run)))
