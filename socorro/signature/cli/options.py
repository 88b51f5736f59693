# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The options of the command line."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from socorro.signature.cli.source import Installation

FORMATS = ("text", "csv", "json", "markdown")
SHIPPED = "shipped"

_DESCRIPTION = "Make the signatures of crashes, and see what a change of the lists would do."
_EPILOG = """\
A CRASH is a file with crash data, a processed crash or a stack walk as JSON; or a crash id, a bp-ID
or the address of a report; or "-" for the standard input, which holds one JSON document, or ids one
a line ("#" starts a comment). Without any CRASH, the standard input is read.

Crashes with ids come from --server. The token in the environment's SOCORRO_API_TOKEN is sent along,
to that server alone, and never over plain http to another machine.

With --jsonl, each line of the standard input is the crash data of one crash, and each line of the
output its result: {"signature": ..., "proto_signature": ..., "notes": [...]} or {"error": ...};
--verbose adds "trail" and "steps".

examples:
  %(prog)s --verbose crash.json
  %(prog)s --server https://crash-stats.example.com bp-0bba929f-8721-460c-8e70-a43c95d04ed0
  %(prog)s --siglists my-lists --check
  %(prog)s --siglists my-lists --against shipped --changes < ids.txt
"""


def parse(arguments: Sequence[str] | None, installation: Installation | None) -> argparse.Namespace:
    """The options; ends the process with a usage message if they do not go together."""
    parser = _parser(installation)
    options = parser.parse_args(arguments)
    if options.check and not options.siglists:
        parser.error("--check needs --siglists FOLDER")
    if options.jsonl and (options.crashes or options.changes):
        parser.error("--jsonl reads crash data from the standard input, and writes a line for each")
    if options.last and (options.server or not installation):
        parser.error("--last asks an installation: use `socorro signature`, without --server")
    if (options.product or options.signature) and not options.last:
        parser.error("--product and --signature go with --last")
    if _is_idle(options) and sys.stdin.isatty():
        parser.error("give crashes: files, ids, or - for the standard input")
    return options


def _is_idle(options: argparse.Namespace) -> bool:
    return not (options.crashes or options.last or options.schema or options.check)


def _parser(installation: Installation | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="socorro signature" if installation else "python -m socorro.signature",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("crashes", nargs="*", metavar="CRASH", help="a file, a crash id, or -")
    _add_sources(parser.add_argument_group("where crashes come from"), installation)
    _add_lists(parser.add_argument_group("how they are signed"))
    _add_output(parser.add_argument_group("what is shown"))
    other = parser.add_argument_group("other tasks")
    other.add_argument("--check", action="store_true", help="check the lists of --siglists")
    other.add_argument("--schema", action="store_true", help="show the JSON Schema of crash data")
    return parser


def _add_sources(group: argparse._ArgumentGroup, installation: Installation | None) -> None:
    server = None if installation else os.environ.get("SOCORRO_SERVER")
    default = "this installation" if installation else "the environment's SOCORRO_SERVER"
    group.add_argument(
        "--server",
        metavar="URL",
        default=server,
        help=f"take crashes by id from this server (default: {default})",
    )
    group.add_argument(
        "--jobs",
        type=_number(1, 32),
        default=4,
        metavar="N",
        help="requests side by side (default: 4)",
    )
    group.add_argument("--jsonl", action="store_true", help="crash data in, results out, by line")
    hidden = None if installation else argparse.SUPPRESS
    group.add_argument(
        "--last",
        type=_number(1, 10_000_000),
        metavar="N",
        help=hidden or "the latest N crashes of this installation",
    )
    group.add_argument("--product", help=hidden or "with --last: of this product")
    group.add_argument("--signature", help=hidden or "with --last: with this signature")


def _add_lists(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--siglists", type=Path, metavar="FOLDER", help="other signature lists")
    group.add_argument(
        "--against",
        metavar="FOLDER",
        help='the old signature is what these lists give ("shipped": those that come with '
        "Socorro), and not the one that the crash has",
    )
    group.add_argument(
        "--rule",
        action="append",
        metavar="MODULE:FUNCTION",
        help="add a rule of your own; may be given several times",
    )


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--format", choices=FORMATS, default="text", help="default: text")
    group.add_argument(
        "--changes",
        action="store_true",
        help="a summary: which signatures are renamed, split, merged, and how many crashes",
    )
    group.add_argument(
        "--different-only", action="store_true", help="only crashes whose signature changes"
    )
    group.add_argument(
        "--verbose", "-v", action="store_true", help="show what each frame and each rule did"
    )


class _number:  # noqa: N801 - argparse shows the name of a type in its messages
    def __init__(self, least: int, most: int) -> None:
        self._least = least
        self._most = most

    def __call__(self, text: str) -> int:
        number = int(text)
        if not self._least <= number <= self._most:
            raise argparse.ArgumentTypeError(f"expected {self._least} to {self._most:,}")
        return number
