# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

r"""Reads the crashes of `known/`.

A file has the operating system and the crashes; each has the reason for its signature, more crash
data where it matters (`crash`), and the stack of the crashing thread, innermost frame first:

    libapp.so!app::Draw(int) [/src/app/draw.cpp:12]     module, function, file and line
    inlined app::Put(int) [/src/app/draw.cpp:30]        inlined into the frame below it
    libGL.so.1                                          a module without symbols
    (unloaded plugin.dll)                               code of a module that is gone
    @0x7ff01234                                         an address outside of all modules
    [anon:dalvik-jit-code-cache]                        the name of a mapping

`other` is the stack of thread 0, if another one crashed; `last_error` is the crashing thread's.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent / "known"
_KEYS = {"why", "signature", "os", "crash", "stack", "other", "last_error"}
_FUNCTION = re.compile(r"(?P<function>.+?)(?: \[(?P<file>.+):(?P<line>\d+)\])?")


@dataclass(frozen=True)
class KnownCrash:
    """A crash, the signature it must get, and why."""

    kind: str
    why: str
    signature: str
    crash: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.kind}: {self.why}"


def known_crashes() -> list[KnownCrash]:
    crashes = []
    for path in sorted(_FOLDER.glob("*.yaml")):
        content = yaml.safe_load(path.read_text())
        crashes += [_known(path.stem, content["os"], crash) for crash in content["crashes"]]
    return crashes


def _known(kind: str, os: str, raw: dict[str, Any]) -> KnownCrash:
    unknown = raw.keys() - _KEYS
    assert not unknown, f"{kind}: {raw['why']}: {unknown}"
    thread = {"frames": _frames(raw.get("stack", "")), "last_error_value": raw.get("last_error")}
    threads = [{"frames": _frames(raw["other"])}, thread] if "other" in raw else [thread]
    crash = {"os": raw.get("os", os), "crashing_thread": len(threads) - 1, "threads": threads}
    return KnownCrash(kind, raw["why"], raw["signature"], crash | raw.get("crash", {}))


def _frames(stack: str) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    inlines: list[dict[str, Any]] = []
    for line in stack.splitlines():
        if line.startswith("inlined "):
            inlines.append(_call(line.removeprefix("inlined ")))
        else:
            frames.append(_frame(line) | {"inlines": inlines})
            inlines = []
    assert not inlines, "the last frame is an inlined one"
    return frames


def _frame(line: str) -> dict[str, Any]:
    if line.startswith("@"):
        return {"offset": line[1:]}
    if line.startswith("(unloaded "):
        return {"unloaded_modules": [{"module": line[10:-1]}], "offset": "0x1234"}
    module, bang, rest = line.partition("!")
    return {"module": module, "offset": "0x7f0012345678"} | (_call(rest) if bang else {})


def _call(text: str) -> dict[str, Any]:
    match = _FUNCTION.fullmatch(text)
    assert match, text
    line = match["line"]
    return {
        "function": match["function"],
        "file": match["file"],
        "line": int(line) if line else None,
    }
