# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Makes symbol files of any size around those of a real module, the same bytes every time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

# Beyond every address of the real module, so that its stacks stay what they are.
_FIRST_ADDRESS = 0x1000_0000
_FUNCTION_SIZE = 0x100
_LINES = 12
_CFI_ROWS = 3


@dataclass(frozen=True)
class Module:
    """A module of a sample minidump, and a sample of its symbols."""

    name: str
    debug_id: str
    symbols: bytes

    @property
    def build_id(self) -> bytes:
        """The 16 bytes of the build id, as they stand in a minidump, that the debug id shows."""
        return UUID(self.debug_id[:32]).bytes_le


def debug_id_of(build_id: bytes) -> str:
    """The debug id that Breakpad makes of a build id's first 16 bytes."""
    return UUID(bytes_le=build_id).hex.upper() + "0"


def _functions(number: int) -> Iterator[str]:
    """The records of function number N: names, lines, an inlined call and unwind rules."""
    address = _FIRST_ADDRESS + number * _FUNCTION_SIZE
    lines = "".join(
        f"{address + 16 * line:x} 10 {number % 3000 + line} {number % 2000 + 50000}\n"
        for line in range(_LINES)
    )
    rules = "".join(
        f"STACK CFI {address + row + 1:x} .cfa: $rsp {16 * (row + 1)} + $rbx: .cfa -{8 * row} + ^\n"
        for row in range(_CFI_ROWS)
    )
    namespace = f"bench::subsystem{number % 97}::Component{number % 4001}"
    yield f"FUNC {address:x} {_FUNCTION_SIZE:x} 0 {namespace}::Method{number}(int, char const*)\n"
    caller = f"{number % 3000} {number % 2000 + 50000}"
    yield f"INLINE 0 {caller} {number % 5000 + 50000} {address:x} 20\n"
    yield lines
    yield f"STACK CFI INIT {address:x} {_FUNCTION_SIZE:x} .cfa: $rsp 8 + .ra: .cfa -8 + ^\n"
    yield rules


def _preamble() -> str:
    files = (
        f"FILE {50000 + n} /builds/worker/src/subsystem{n % 97}/{n}.cpp\n" for n in range(2000)
    )
    origins = (f"INLINE_ORIGIN {50000 + n} bench::Inlined{n}<char>::get\n" for n in range(5000))
    return "".join((*files, *origins))


def write_symbols(path: Path, module: Module, debug_id: str, size: int) -> None:
    """Write the module's symbols, filled up to `size` bytes, under another debug id."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first_line, _, rest = module.symbols.partition(b"\n")
    with path.open("wb") as file:
        file.write(first_line.replace(module.debug_id.encode(), debug_id.encode()) + b"\n")
        file.write(rest)
        written = file.write(_preamble().encode()) + len(rest)
        number = 0
        while written < size:
            written += file.write("".join(_functions(number)).encode())
            number += 1
