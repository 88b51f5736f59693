# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Values of MIME headers: ``multipart/form-data; boundary="x"``, ``form-data; name="y"``."""

import re

# One pass without backtracking, since names and values come from anybody.
_PARAMETER = re.compile(
    r""";[ \t]*+
        ([^=;"\s]++)[ \t]*+=[ \t]*+         # name
        ("[^"\\]*+(?:\\.[^"\\]*+)*"?+|[^;]*+)   # quoted (a missing end is forgiven) or plain value
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r'\\(["\\])')


def parse_header(text: str) -> tuple[str, dict[str, str]]:
    """Return the value in lower case and its parameters, whose names are in lower case.

    Of a parameter that is given twice, the first counts. Anything that is no parameter is passed
    over.
    """
    value, semicolon, _ = text.partition(";")
    parameters: dict[str, str] = {}
    if not semicolon:
        return value.strip().lower(), parameters
    for match in _PARAMETER.finditer(text, len(value)):
        parameters.setdefault(match[1].lower(), _unquote(match[2]))
    return value.strip().lower(), parameters


def _unquote(text: str) -> str:
    if not text.startswith('"'):
        return text.strip()
    inner = text[1:].removesuffix('"')
    # Only these two are escapes: old browsers send the backslashes of Windows paths as they are.
    return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner
