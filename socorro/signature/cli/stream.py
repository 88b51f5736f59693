# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash data in, results out, a line for each line."""

import json
from typing import Any, BinaryIO, TextIO

from socorro.signature.cli.lines import available_lines, too_long
from socorro.signature.cli.reading import BadDocument, parse_object
from socorro.signature.cli.signing import Signing
from socorro.signature.errors import CrashDataError


def sign_stream(stream: BinaryIO, output: TextIO, signing: Signing, *, verbose: bool) -> None:
    """Answer each line. All lines that are there are answered before the answers are sent."""
    for lines in available_lines(stream):
        for line in lines:
            output.write(json.dumps(_answer(line, signing, verbose)))
            output.write("\n")
        output.flush()


def _answer(line: bytes | None, signing: Signing, verbose: bool) -> dict[str, Any]:
    if line is None:
        return {"error": too_long()}
    try:
        return signing.sign(parse_object(line)).document(verbose=verbose)
    except (BadDocument, CrashDataError) as error:
        return {"error": str(error)}
