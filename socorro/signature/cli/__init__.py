# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The command line: signatures of crashes in files, or of a stream of crashes."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from socorro.signature.check import Severity, check
from socorro.signature.cli.changes import Changes
from socorro.signature.cli.comparison import FORMATS, Compared, crash_id_in, ids_in, write
from socorro.signature.cli.server import NoCrash, Server, ServerError
from socorro.signature.convert import from_processed_crash
from socorro.signature.errors import CrashDataError, ListError
from socorro.signature.lists import SignatureLists, default_lists
from socorro.signature.pipeline import generate
from socorro.signature.result import Result
from socorro.signature.schema import schema

_DESCRIPTION = "Make the signatures of crashes."
_EPILOG = """\
A FILE holds crash data, a processed crash or a stack walk as JSON; "-" is the standard input.
With --jsonl, each line of the standard input is the crash data of one crash, and each line of the
output its result: {"signature": ..., "proto_signature": ..., "notes": [...]} or {"error": ...};
--verbose adds the "trail".
With --server, each ID is a crash id, bp-ID or address of a report (none: one a line on the standard
input), and its processed crash comes from that server; the environment's SOCORRO_API_TOKEN is sent
along, never over plain http to another machine. Both signatures are shown, the old and the new one.
"""


class _BadDocument(ValueError):
    """A text that holds no crash; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0, or 1 where a crash had no signature."""
    options = _parser().parse_args(arguments)
    if options.schema:
        sys.stdout.write(f"{json.dumps(schema(), indent=2)}\n")
        return 0
    if options.check:
        return _check(options.siglists)
    if options.server and options.jsonl:
        _parser().error("--server takes crash ids, --jsonl takes crash data")
    if not options.server and bool(options.files) == options.jsonl:
        _parser().error("give FILEs, or --jsonl and crashes on the standard input")
    try:
        lists = SignatureLists.load(options.siglists) if options.siglists else default_lists()
    except ListError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        if options.jsonl:
            _sign_lines(sys.stdin.buffer, sys.stdout, lists, options.verbose)
            return 0
        if options.server:
            return _compare(options, lists)
        return _sign_files(options.files, sys.stdout, lists, options.verbose)
    except BrokenPipeError:
        # The reader has enough. Nothing may be left for Python to flush to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _check(folder: Path | None) -> int:
    if folder is None:
        _parser().error("--check needs --siglists FOLDER")
    problems = check(folder)
    sys.stdout.writelines(f"{problem}\n" for problem in problems)
    return 1 if any(problem.severity == Severity.ERROR for problem in problems) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m socorro.signature",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="*", metavar="FILE|ID", help="a crash as JSON, - for stdin")
    parser.add_argument("--server", metavar="URL", help="take crashes by id from this server")
    parser.add_argument(
        "--changes", action="store_true", help="with --server: what splits, merges, is renamed"
    )
    parser.add_argument("--check", action="store_true", help="check the lists of --siglists")
    parser.add_argument("--schema", action="store_true", help="show the JSON Schema of crash data")
    parser.add_argument("--format", choices=FORMATS, default="text", help="with --server")
    parser.add_argument(
        "--different-only", action="store_true", help="with --server: only what changes"
    )
    parser.add_argument("--jsonl", action="store_true", help="crash data in, results out, by line")
    parser.add_argument("--siglists", type=Path, metavar="FOLDER", help="other signature lists")
    parser.add_argument(
        "--verbose", "-v", action="store_true", help="show notes, and what each frame did"
    )
    return parser


def _sign_lines(
    lines: Iterable[bytes], output: TextIO, lists: SignatureLists, verbose: bool
) -> None:
    for line in lines:
        json.dump(_answer(line, lists, verbose), output)
        output.write("\n")
        output.flush()


def _answer(line: bytes, lists: SignatureLists, verbose: bool) -> dict[str, Any]:
    try:
        result = generate(_parse(line), lists)
    except (_BadDocument, CrashDataError) as error:
        return {"error": str(error)}
    answer: dict[str, Any] = {
        "signature": result.signature,
        "proto_signature": result.proto_signature,
        "notes": list(result.notes),
    }
    if verbose:
        answer["trail"] = [str(entry) for entry in result.trail]
    return answer


def _compare(options: argparse.Namespace, lists: SignatureLists) -> int:
    failed: list[str] = []
    try:
        server = Server(options.server)
        given = options.files or ids_in(sys.stdin)
        compared = _compared(given, server, lists, failed)
        if options.changes:
            sys.stdout.writelines(f"{line}\n" for line in Changes(compared).lines())
            return 1 if failed else 0
        wanted = (crash for crash in compared if not (options.different_only and crash.same))
        write(wanted, sys.stdout, options.format)
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 1 if failed else 0


def _compared(
    given: Iterable[str], server: Server, lists: SignatureLists, failed: list[str]
) -> Iterator[Compared]:
    """Yield the crashes that have a signature; names the others, and adds them to `failed`."""
    for text in given:
        crash_id = crash_id_in(text)
        try:
            if not crash_id:
                raise NoCrash("it is no crash id")
            processed = server.processed_crash(crash_id)
            result = generate(from_processed_crash(processed), lists)
        except (NoCrash, CrashDataError) as error:
            sys.stderr.write(f"{text[:200]!a}: {error}\n")
            failed.append(text)
            continue
        old = str(processed.get("signature") or "")
        yield Compared(crash_id, old, result.signature, result.notes)


def _sign_files(names: Sequence[str], output: TextIO, lists: SignatureLists, verbose: bool) -> int:
    status = 0
    for name in names:
        try:
            result = generate(_crash_data(_parse(_read(name))), lists)
        except (_BadDocument, CrashDataError, OSError) as error:
            sys.stderr.write(f"{name}: {_reason(error)}\n")
            status = 1
            continue
        output.write(_as_text(result, verbose))
    return status


def _crash_data(document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "json_dump" in document:
        return from_processed_crash(document)
    if "crash_info" in document:
        return from_processed_crash({"json_dump": document})
    return document


def _read(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


def _parse(text: bytes) -> Mapping[str, Any]:
    """The JSON object in a text; raises _BadDocument if there is none."""
    try:
        document = json.loads(text)
    except RecursionError:
        raise _BadDocument("it is nested too deeply") from None
    except ValueError as error:
        raise _BadDocument(f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise _BadDocument("it is not a JSON object")
    return document


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _as_text(result: Result, verbose: bool) -> str:
    lines = [result.signature]
    if verbose:
        lines += [f"  note: {note}" for note in result.notes]
        lines += [f"  {entry}" for entry in result.trail]
    # The names of frames are as they came: a terminal takes no half surrogate pairs.
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace").decode("utf-8")
