# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Options of the commands that go through many crashes: how fast, and where to go on."""

from pathlib import Path

import click

rate_option = click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True, max=1e6),
    metavar="N",
    help="Crashes a second at most.",
)
resume_option = click.option(
    "--resume",
    "done_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Remember in FILE what is done, and go on there if interrupted.",
)
