# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Threads and frames of a stack walk, ready to be shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from webapp.crashstats.values import integer, mapping, mappings, text

# A hostile dump may hold a great many frames; a page that nobody can load helps nobody.
MOST_FRAMES = 20_000


@dataclass(frozen=True)
class Frame:
    """One row of a stack.

    An inlined function is a row of its own, above the frame that it is part of and with its
    number. `note` stands instead of everything else where frames were cut out.
    """

    number: str = ""
    function: str = ""
    source: str = ""
    module: str = ""
    trust: str = ""
    address: str = ""
    inlined: bool = False
    missing_symbols: bool = False
    note: str = ""


@dataclass(frozen=True)
class Thread:
    """One thread of the crashed process. `frame_count` counts also what is not shown."""

    number: int
    name: str
    frame_count: int
    frames: tuple[Frame, ...]
    registers: tuple[tuple[str, str], ...] = ()
    crashed: bool = False

    @property
    def top(self) -> str:
        """Return the function that the thread was in, to tell threads apart at a glance."""
        return self.frames[0].function if self.frames else ""


def threads_of(dump: Mapping[str, Any], crashing: int | None) -> tuple[Thread, ...]:
    """Return the threads of a stack walk; `crashing` is the number of the one that crashed.

    Where the walk has no such thread but tells of the crashing thread apart, that one is taken.
    """
    apart = mapping(dump.get("crashing_thread"))
    room = MOST_FRAMES
    threads = []
    for number, stack in enumerate(mappings(dump.get("threads"))):
        if number == crashing:
            threads.append(_crashed(number, stack, apart))
            continue
        threads.append(_thread(number, stack, room))
        room -= len(threads[-1].frames)
    if apart and not any(thread.crashed for thread in threads):
        number = crashing if crashing is not None else len(threads)
        threads.append(_crashed(number, apart, apart))
    return tuple(threads)


def _crashed(number: int, stack: Mapping[str, Any], apart: Mapping[str, Any]) -> Thread:
    """Return the crashing thread whole, which is what the page is for.

    Its registers stand in the part of the walk that tells of it `apart`.
    """
    frames = mappings(apart.get("frames"))
    registers = _registers(frames[0]) if frames else ()
    thread = _thread(number, stack, MOST_FRAMES)
    return replace(thread, crashed=True, registers=thread.registers or registers)


def _thread(number: int, stack: Mapping[str, Any], room: int) -> Thread:
    frames = mappings(stack.get("frames"))
    return Thread(
        number=number,
        name=text(stack.get("thread_name")),
        frame_count=integer(stack.get("frame_count")) or len(frames),
        frames=tuple(_rows(frames[: max(0, room)])),
        registers=_registers(frames[0]) if frames else (),
    )


def _rows(frames: list[Mapping[str, Any]]) -> Iterator[Frame]:
    for position, frame in enumerate(frames):
        cut = mapping(frame.get("truncated"))
        if cut:
            yield Frame(note=text(cut.get("msg")) or "frames truncated")
            continue
        number = integer(frame.get("frame"))
        shown = str(position if number is None else number)
        module = text(frame.get("module"))
        for inline in mappings(frame.get("inlines")):
            yield Frame(
                number=shown,
                function=text(inline.get("function")) or "unknown function",
                source=_source(inline),
                module=module,
                trust="inlined",
                inlined=True,
            )
        yield Frame(
            number=shown,
            function=text(frame.get("function")) or _place(frame, module),
            source=_source(frame),
            module=module or _unloaded(frame),
            trust=text(frame.get("trust")),
            address=text(frame.get("offset")),
            missing_symbols=frame.get("missing_symbols") is True,
        )


def _place(frame: Mapping[str, Any], module: str) -> str:
    """Say where a frame without function is: within its module, else by its address."""
    offset = text(frame.get("module_offset"))
    if module and offset:
        return f"{module} + {_short(offset)}"
    return text(frame.get("offset")) or "unknown"


def _source(frame: Mapping[str, Any]) -> str:
    """Return ``file:line``; of a name with version control around it, the path alone."""
    parts = text(frame.get("file")).split(":")
    # ``hg:hg.mozilla.org/repository:path/in/repository:revision``
    path = parts[2] if len(parts) == 4 and parts[0] in ("cvs", "git", "hg", "s3", "svn") else ""
    path = path or ":".join(parts)
    line = integer(frame.get("line"))
    return f"{path}:{line}" if path and line is not None else path


def _unloaded(frame: Mapping[str, Any]) -> str:
    names = [text(module.get("module")) for module in mappings(frame.get("unloaded_modules"))]
    return f"unloaded {names[0]}" if names and names[0] else ""


def _short(offset: str) -> str:
    """Return a hexadecimal number without its leading zeros."""
    digits = offset.removeprefix("0x").lstrip("0")
    return f"0x{digits or '0'}"


def _registers(frame: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    registers = mapping(frame.get("registers"))
    return tuple((text(name), text(value)) for name, value in sorted(registers.items()))
