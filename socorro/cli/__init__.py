# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The command line ``socorro``: every operator command, and the supervisor of `socorro run`.

The one place that names the rooms; it imports each when its command is called.
"""

import sys

from socorro.cli.children import end_with_supervisor
from socorro.cli.commands import cli
from socorro.queue import QueueUnavailable
from socorro.search import SearchUnavailable
from socorro.settings import SettingError
from socorro.storage import StorageUnavailable

__all__ = ["main"]

# EX_CONFIG of sysexits.h: the supervisor does not restart a child that ends with it.
WRONG_SETTING = 78
# EX_UNAVAILABLE: an engine went away; trying again later may help.
ENGINE_AWAY = 69


def main() -> None:
    """Run the command line; a wrong setting, and an engine that is away, is one sentence."""
    end_with_supervisor()
    try:
        cli(prog_name="socorro")
    except SettingError as error:
        print(f"socorro: {error}", file=sys.stderr)
        sys.exit(WRONG_SETTING)
    except (QueueUnavailable, SearchUnavailable, StorageUnavailable) as error:
        print(f"socorro: {error}.", file=sys.stderr)
        sys.exit(ENGINE_AWAY)
