# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A coverage-guided fuzzer of signature generation; `test_fuzz_signature.py` runs it.

``python -m tests.socorro.signature.fuzz_signature CORPUS_FOLDER -max_total_time=60 -seed=1``

The first byte of an input chooses what the others are: a line of JSON, lines for --jsonl, or
choices from which a small crash of the right types is made.
"""

import io
import json
import sys
from typing import Any

import atheris

with atheris.instrument_imports(include=["socorro.signature"], enable_loader_override=False):
    from socorro.signature import CrashDataError, Result, SignatureLists, generate
    from socorro.signature.cli import main as command

from .corpus_names import MODULES, SOURCES
from .oracle import OracleLists, sign
from .test_agrees_with_oracle import FIELDS_LISTS, NAMES_THAT_MATCH

_LISTS = SignatureLists.load(FIELDS_LISTS)
_ORACLE_LISTS = OracleLists.load(FIELDS_LISTS)

_MAX_CHARACTERS = 60
_PIECES = (
    "<", ">", "(", ")", "[", "]", "{", "}", "`", "'", " ", "::", ",", "*", "&", "const", "operator",
    " as ", " in ", "::$_1::", "::h0f", "IPC::ParamTraits", "<name omitted>", "x", "[clone .cold]",
    "(anonymous namespace)", "`anonymous namespace'", "js_Interpret", "\n", *NAMES_THAT_MATCH,
)  # fmt: skip
_TEXT_KEYS = (
    "os", "reason", "abort_message", "async_shutdown_timeout", "ipc_channel_error", "hang",
    "ipc_message_name", "mdsw_status_string", "java_stack_trace",
)  # fmt: skip
_TEXTS = (
    "Windows NT", "EXCEPTION_STACK_OVERFLOW", "STATUS_NO_MEMORY", "###!!! ABORT: ", ": file ",
    "a: b\n",
    "unable to find a usable font", "(", ")", '{"phase": "p", "conditions": ', '["a"]', "}",
    "@0123abcd",
)  # fmt: skip


def test_one_input(data: bytes) -> None:
    """Raises for whatever is not as it should be."""
    if not data:
        return
    kind, rest = data[0] % 3, data[1:]
    if kind == 0:
        _check_any_json(rest)
    elif kind == 1:
        _check_lines(rest)
    else:
        _check_against_the_oracle(_crash(atheris.FuzzedDataProvider(rest)))


def _check_any_json(text: bytes) -> None:
    try:
        crash = json.loads(text)
    except (ValueError, RecursionError):
        return
    try:
        result = generate(crash, _LISTS)
    except CrashDataError:
        return
    _check_form(result)


def _check_form(result: Result) -> None:
    assert len(result.signature) <= 255
    assert all(" " <= character <= "~" for character in result.signature)
    assert result.signature == " ".join(result.signature.split())
    json.dumps(result.document(verbose=True))


def _check_lines(text: bytes) -> None:
    """As many answers as lines, each an object with a signature or an error."""
    streams = sys.stdin, sys.stdout
    sys.stdin = io.TextIOWrapper(io.BytesIO(text))
    sys.stdout = output = io.StringIO()
    try:
        command(["--jsonl"])
    finally:
        sys.stdin, sys.stdout = streams
    answers = [json.loads(line) for line in output.getvalue().splitlines()]
    lines = text.removesuffix(b"\n").split(b"\n") if text else []
    assert len(answers) == len(lines), (answers, lines)
    assert all(("signature" in answer) != ("error" in answer) for answer in answers)


def _check_against_the_oracle(crash: dict[str, Any]) -> None:
    ours, expected = generate(crash, _LISTS), sign(crash, _ORACLE_LISTS)
    assert (ours.signature, ours.proto_signature) == expected, (crash, expected)


def _crash(choices: Any) -> dict[str, Any]:
    crash: dict[str, Any] = {
        key: _text(choices, _TEXTS) for key in _TEXT_KEYS if choices.ConsumeIntInRange(0, 7) == 0
    }
    if choices.ConsumeBool():
        crash["crashing_thread"] = choices.ConsumeIntInRange(-3, 3)
    if choices.ConsumeBool():
        crash["oom_allocation_size"] = choices.ConsumeIntInRange(-1, 300_000)
    frames = [_frame(choices) for _ in range(choices.ConsumeIntInRange(0, 6))]
    return crash | {"threads": [{"frames": frames}]}


def _frame(choices: Any) -> dict[str, Any]:
    frame = _call(choices) | {"module": choices.PickValueInList(list(MODULES))}
    if choices.ConsumeBool():
        frame["offset"] = choices.ConsumeUnicodeNoSurrogates(6)
    if choices.ConsumeIntInRange(0, 3) == 0:
        frame["inlines"] = [_call(choices)]
    return frame


def _call(choices: Any) -> dict[str, Any]:
    return {
        "function": _text(choices, _PIECES),
        "file": choices.PickValueInList(list(SOURCES)),
        "line": choices.ConsumeIntInRange(0, 5),
    }


def _text(choices: Any, pieces: tuple[str, ...]) -> str:
    parts = [
        choices.PickValueInList(list(pieces))
        if choices.ConsumeBool()
        else choices.ConsumeUnicodeNoSurrogates(choices.ConsumeIntInRange(0, _MAX_CHARACTERS))
        for _ in range(choices.ConsumeIntInRange(0, 6))
    ]
    return "".join(parts)


def main() -> None:
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
