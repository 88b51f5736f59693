# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The command line: signatures of crashes by id, in files, or in a stream.

`python -m socorro.signature` knows nothing of the project but this package; `socorro signature` is
the same with an installation, whose storage, index, lists and rules it then uses.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing

from socorro.signature.check import Severity, check
from socorro.signature.cli.changes import Changes
from socorro.signature.cli.formats import write
from socorro.signature.cli.options import parse
from socorro.signature.cli.reading import Reading
from socorro.signature.cli.signing import Signed, Signing
from socorro.signature.cli.source import Installation, Source, SourceError
from socorro.signature.cli.stream import sign_stream
from socorro.signature.errors import ListError, RuleError
from socorro.signature.schema import schema

_FAILED = 1
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None, installation: Installation | None = None) -> int:
    """Run the command line; returns the exit status: 0, or 1 where a crash had no signature."""
    options = parse(arguments, installation)
    try:
        return _run(options, installation)
    except (ListError, RuleError, SourceError) as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    except BrokenPipeError:
        # The reader has enough. Nothing may be left for Python to flush to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _INTERRUPTED


def _run(options: argparse.Namespace, installation: Installation | None) -> int:
    if options.schema:
        sys.stdout.write(f"{json.dumps(schema(), indent=2)}\n")
        return 0
    if options.check:
        problems = check(options.siglists)
        sys.stdout.writelines(f"{problem}\n" for problem in problems)
        if not problems:
            sys.stdout.write(f"{options.siglists}: no problems\n")
        return _FAILED if any(each.severity == Severity.ERROR for each in problems) else 0
    signing = Signing.of(options, installation)
    if options.jsonl:
        sign_stream(sys.stdin.buffer, sys.stdout, signing, verbose=options.verbose)
        return 0
    source = _source(options, installation)
    reading = Reading(options, source, installation)
    with closing(signing.signed(reading)) as signed:
        _show(signed, options)
    if signing.differing and source and source.remark:
        sys.stderr.write(f"{source.remark}\n")
    return _FAILED if reading.failed else 0


def _show(signed: Iterable[Signed], options: argparse.Namespace) -> None:
    if options.changes:
        Changes(signed).write(sys.stdout, options.format)
        return
    wanted = (each for each in signed if not (options.different_only and each.same))
    write(wanted, sys.stdout, options.format, verbose=options.verbose)


def _source(options: argparse.Namespace, installation: Installation | None) -> Source | None:
    """Where crashes come from by their ids; None if nothing was said of it."""
    if not options.server:
        return installation
    # Files and streams are signed without it, and it takes a while to import.
    from socorro.signature.cli.server import Server

    return Server(options.server)
