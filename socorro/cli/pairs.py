# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Options of the form NAME=VALUE."""

from collections.abc import Sequence
from pathlib import Path

import click


def named_values(pairs: Sequence[str]) -> dict[str, str]:
    """Return the values by their names. Raises click.UsageError for what is no pair."""
    return dict(map(_pair, pairs))


def named_files(pairs: Sequence[str]) -> dict[str, Path]:
    """Return the files by their names. Raises click.UsageError if there is one missing."""
    named = {name: Path(path) for name, path in map(_pair, pairs)}
    for path in named.values():
        if not path.is_file():
            raise click.UsageError(f"{path} is no file")
    return named


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise click.UsageError(f"{text!r} must look like NAME=VALUE")
    return name, value
