# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The signature algorithm a second time: literal, slow and simple, to hold the fast one against.

It was written from the description of the newest edition of the algorithm, before its author had
read `socorro.signature`, and shares nothing with it. Where the description is silent, it does what
siggen is seen to do. It expects crash data of the right types.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

_MAX_FRAMES = 40
_CLOSERS = {"(": ")", "{": "}", "[": "]", "<": ">", "`": "'"}
_RUST_PANICS = {
    ("src/liballoc/raw_vec.rs", "capacity_overflow"): "alloc::raw_vec::capacity_overflow",
    ("src/libcore/option.rs", "expect_failed"): "core::option::expect_failed",
    ("src/libcore/panicking.rs", "panic_bounds_check"): "core::panicking::panic_bounds_check",
    ("src/libcore/panicking.rs", "panic_fmt"): "core::panicking::panic_fmt",
    ("src/libcore/panicking.rs", "panic"): "core::panicking::panic",
    ("src/libcore/slice/mod.rs", "slice_index_order_fail"): "core::slice::slice_index_order_fail",
    ("src/libstd/panicking.rs", "begin_panic_fmt"): "std::panicking::begin_panic_fmt",
    ("src/libstd/panicking.rs", "continue_panic_fmt"): "std::panicking::continue_panic_fmt",
    ("src/libstd/panicking.rs", "rust_panic_with_hook"): "std::panicking::rust_panic_with_hook",
}
_OOM_NAMES = (
    "NS_ABORT_OOM", "mozalloc_handle_oom", "CrashAtUnhandlableOOM", "AutoEnterOOMUnsafeRegion",
    "alloc::oom::oom",
)  # fmt: skip
_LAST_ERRORS_OF_OOM = ("ERROR_COMMITMENT_LIMIT", "ERROR_NOT_ENOUGH_MEMORY")
_REASONS_OF_OOM = ("STATUS_FATAL_MEMORY_EXHAUSTION", "STATUS_NO_MEMORY")
_NO_FRAMES = "EMPTY: no frame data available"
_BAD_TRACE = "EMPTY: Java stack trace not in expected format"
_BAD_EXCEPTION = "EMPTY: Java exception not in expected format"


class OracleLists(NamedTuple):
    """The lists of a folder, each regular expression as Python reads it; None matches nothing."""

    sentinels: tuple[str, ...]
    irrelevant: re.Pattern[str] | None
    prefix: re.Pattern[str] | None
    line_numbers: re.Pattern[str] | None

    @classmethod
    def load(cls, folder: Path) -> "OracleLists":
        return cls(
            tuple(list_lines(folder / "signature_sentinels.txt")),
            _alternation(folder / "irrelevant_signature_re.txt"),
            _alternation(folder / "prefix_signature_re.txt"),
            _alternation(folder / "signatures_with_line_numbers_re.txt"),
        )


def list_lines(path: Path) -> list[str]:
    """The lines of a list that are neither empty nor comments."""
    if not path.exists():
        return []
    lines = [line.strip() for line in path.read_text(encoding="utf-8").split("\n")]
    return [line for line in lines if line and not line.startswith("#")]


def _alternation(path: Path) -> re.Pattern[str] | None:
    lines = list_lines(path)
    return re.compile("|".join(lines)) if lines else None


def _matches(pattern: re.Pattern[str] | None, name: str) -> bool:
    return pattern is not None and pattern.match(name) is not None


class Answer(NamedTuple):
    """What is compared."""

    signature: str
    proto_signature: str | None


def sign(crash: dict[str, Any], lists: OracleLists) -> Answer:
    """The fourteen steps, one after the other."""
    signature, proto = before_the_text_rules(crash, lists)
    signature = _printable(signature).strip()
    signature = " ".join(signature.split())
    if len(signature) > 255:
        signature = signature[:252] + "..."
    return Answer(signature, proto)


def before_the_text_rules(crash: dict[str, Any], lists: OracleLists) -> Answer:
    """The first eleven steps."""
    signature, proto = _generate(crash, _crashing_thread(crash), lists)
    reason = crash.get("reason") or ""
    status = crash.get("mdsw_status_string")
    if signature.startswith("EMPTY") and status:
        signature = f"{signature}; {status}"
    if "STATUS_DEVICE_DATA_ERROR" in reason:
        signature = f"bad hardware | {signature}"
    signature = _oom(crash, signature)
    if crash.get("abort_message"):
        signature = _abort(crash["abort_message"], signature)
    if crash.get("async_shutdown_timeout"):
        signature = _shutdown_timeout(crash["async_shutdown_timeout"], signature)
    if "RunWatchdog" in signature:
        hung, proto_of_hung = _generate(crash, 0, lists)
        # siggen sets no empty signature
        signature, proto = (
            f"shutdownhang | {hung or signature}",
            proto if proto_of_hung is None else proto_of_hung,
        )
    if crash.get("ipc_channel_error"):
        signature = _ipc_error(crash)
    if crash.get("ipc_message_name"):
        signature = f"{signature} | IPC_Message_Name={crash['ipc_message_name']}"
    if reason == "EXCEPTION_STACK_OVERFLOW":
        signature = f"stackoverflow | {signature}"
    if crash.get("hang") is not None:
        signature = f"hang: {crash['hang']} | {signature}"
    return Answer(signature, proto)


def _printable(text: str) -> str:
    return "".join(character for character in text if " " <= character <= "~")


# Native stacks


def _crashing_thread(crash: dict[str, Any]) -> int:
    try:
        return int(crash.get("crashing_thread") or 0)
    except (TypeError, ValueError, OverflowError):
        return 0


def _thread(crash: dict[str, Any], index: int) -> dict[str, Any]:
    try:
        return (crash.get("threads") or [])[index] or {}
    except IndexError:
        return {}


def _generate(crash: dict[str, Any], thread: int, lists: OracleLists) -> tuple[str, str | None]:
    if crash.get("java_stack_trace"):
        return _java_trace(crash["java_stack_trace"]), None
    if crash.get("java_exception"):
        return _java_exception(crash["java_exception"]), None
    frames = list(_expanded(_thread(crash, thread).get("frames") or []))[:_MAX_FRAMES]
    on_windows = crash.get("os") == "Windows NT"
    names = [_normalize(frame, on_windows, lists) for frame in frames]
    if not names:
        return _NO_FRAMES, None
    return _chosen(names, lists), " | ".join(names)


def _expanded(frames: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for frame in frames:
        for inline in frame.get("inlines") or []:
            yield {
                "function": inline.get("function"),
                "file": inline.get("file"),
                "line": inline.get("line"),
                "module": frame.get("module"),
                "offset": frame.get("offset"),
            }
        yield frame


def _chosen(names: list[str], lists: OracleLists) -> str:
    starts = [place for place, name in enumerate(names) if name in lists.sentinels]
    names = names[starts[0] :] if starts else names
    parts: list[str] = []
    for name in names:
        if not name or _matches(lists.irrelevant, name):
            continue
        if parts and parts[-1] == name and _is_library(name):
            continue
        parts.append(name)
        if not _matches(lists.prefix, name):
            break
    return " | ".join(parts) if parts else names[0]


def _is_library(name: str) -> bool:
    return (
        name.lower().endswith((".dll", ".so"))
        or name in ("XUL", "<name omitted>")
        or name.startswith("<unknown in")
    )


# Frames


def _normalize(frame: dict[str, Any], on_windows: bool, lists: OracleLists) -> str:
    function, file, line = frame.get("function"), frame.get("file"), frame.get("line")
    source = source_file(file or "")
    if function:
        function = _RUST_PANICS.get((source, function), function)
        normalize = rust_name if source.endswith(".rs") else cpp_name
        return normalize(function, line, lists)
    if file and line:
        return f"{_base_name(file)}#{line}"
    module = frame.get("module") or ""
    module = (module.lower() if on_windows else module).strip("[]")
    if module or frame.get("module"):
        return module
    if frame.get("unloaded_modules"):
        return f"(unloaded {frame['unloaded_modules'][0].get('module')})"
    if frame.get("offset"):
        return f"@{_without_leading_zeros(frame['offset'])}"
    return ""


def source_file(file: str) -> str:
    parts = file.split(":")
    if len(parts) == 4:
        return parts[2]
    if len(parts) == 2:
        return parts[1]
    return file if file.startswith("/") else ""


def _base_name(file: str) -> str:
    file = file.rstrip("/\\")
    return file.split("\\" if "\\" in file else "/")[-1]


def _without_leading_zeros(offset: str) -> str:
    try:
        return hex(int(offset, 16))
    except ValueError:
        return offset


def cpp_name(name: str, line: Any, lists: OracleLists) -> str:
    for qualifier in ("const", "const&", "const &", "&&", "&"):
        if name.endswith(qualifier):
            name = name.removesuffix(qualifier).strip()
    if "::operator" not in name:
        name = _without_return_type(name)
    name = name.replace("`anonymous namespace'", "(anonymous namespace)")
    name = re.sub(r"::\$_\d+::", "::$::", name)
    name = collapse_types(name)
    name = _without_arguments(name)
    if "clone .cold" in name:
        name = _replace(name, "[", lambda before, part: "")
    return _spaced(_with_line(name, line, lists))


def rust_name(name: str, line: Any, lists: OracleLists) -> str:
    name = _without_return_type(name)
    name = _replace(name, "<", lambda before, part: part if " as " in part else "<T>")
    name = _replace(name, "(", lambda before, part: "")
    name = _spaced(_with_line(name, line, lists))
    return re.sub(r"::h[0-9a-fA-F]+$", "", name)


def _with_line(name: str, line: Any, lists: OracleLists) -> str:
    return f"{name}:{line}" if _matches(lists.line_numbers, name) else name


def _spaced(name: str) -> str:
    for mark in "*&,":
        name = name.replace(f" {mark}", mark)
    return re.sub(",(?! )", ", ", name)


def collapse_types(name: str) -> str:
    """The name with its template arguments collapsed."""

    def collapsed(before: str, part: str) -> str:
        if part == "<name omitted>" or " as " in part or " in " in part:
            return part
        if before.endswith("operator"):
            return part
        if before.endswith("IPC::ParamTraits"):
            closer = ">" if _closed(part) else ""
            return f"<{collapse_types(part[1 : len(part) - len(closer)])}{closer}"
        return "<T>"

    return _replace(name, "<", collapsed)


def _closed(part: str) -> bool:
    return part.count("<") == part.count(">")


def _without_arguments(name: str) -> str:
    def kept(before: str, part: str) -> str:
        return part if part == "(anonymous namespace)" or before.endswith("operator") else ""

    return _replace(name, "(", kept)


def outermost(name: str, opener: str) -> list[tuple[int, int]]:
    """Start and end of each outermost bracket; one that is not closed reaches to the end."""
    places: list[tuple[int, int]] = []
    depth = start = 0
    for place, character in enumerate(name):
        if character == opener:
            start = start if depth else place
            depth += 1
        elif character == _CLOSERS[opener] and depth:
            depth -= 1
            if not depth:
                places.append((start, place + 1))
    return [*places, (start, len(name))] if depth else places


def _replace(name: str, opener: str, replacement: Callable[[str, str], str]) -> str:
    """The name with each outermost bracket replaced: replacement(before, bracket)."""
    result, end_of_last = "", 0
    for start, end in outermost(name, opener):
        result += name[end_of_last:start] + replacement(name[:start], name[start:end])
        end_of_last = end
    return result + name[end_of_last:]


def _without_return_type(name: str) -> str:
    tokens, token = [], ""
    closers: list[str] = []
    for character in name:
        if closers and character == closers[-1]:
            closers.pop()
        elif character in _CLOSERS:
            closers.append(_CLOSERS[character])
        if character == " " and not closers:
            tokens.append(token)
            token = ""
        else:
            token += character
    if token:
        tokens.append(token)
    last = tokens.pop() if tokens else ""
    while tokens and last.startswith(("(", "[clone")):
        last = f"{tokens.pop()} {last}"
    return last


# Java


def _java_trace(trace: Any) -> str:
    if not isinstance(trace, str):
        return _BAD_TRACE
    lines = [line.strip() for line in trace.splitlines()]
    name, _, message = lines[0].partition(":")
    name, message = name.strip(), re.sub("@[0-9a-f]{8}", "@<addr>", message.strip())
    method = re.sub(r"\.java:\d+\)$", ".java)", lines[1]) if len(lines) > 1 else ""
    signature = ": ".join(part for part in (name, message) if part)
    if method and signature:
        joint = " " if message and not message.endswith("<addr>") else ": "
        signature += joint + method
    signature = signature or method
    return signature if len(signature) <= 255 else f"{name}: {method}"


def _java_exception(exception: Any) -> str:
    try:
        trace = exception["exception"]["values"][0]["stacktrace"]
        frames = trace.get("frames") or [] if trace else None
        first = [(frame.get("module"), frame.get("function"), frame.get("filename"))
                 for frame in (frames or [])[:1]]  # fmt: skip
    except (TypeError, KeyError, IndexError, AttributeError):
        return _BAD_EXCEPTION
    if not trace:
        return _BAD_EXCEPTION
    name = ".".join(part for part in (trace.get("module"), trace.get("type") or "Unknown") if part)
    if not first:
        return name
    module, function, filename = first[0]
    called = ".".join(part for part in (module, function) if part)
    place = f"({filename})" if called and filename else ""
    return f"{name}: at {called or 'unknown'}{place}"


# What annotations add


def _oom(crash: dict[str, Any], signature: str) -> str:
    size = crash.get("oom_allocation_size")
    reporting = crash.get("js_large_allocation_failure") == "Reporting"
    if not size and not (signature and (reporting or _ran_out_of_memory(crash, signature))):
        return signature
    if reporting:
        return f"OOM | large | {signature}"
    if size is None:
        return f"OOM | unknown | {signature}"
    return "OOM | small" if size <= 262_144 else f"OOM | large | {signature}"


def _ran_out_of_memory(crash: dict[str, Any], signature: str) -> bool:
    thread = _thread(crash, _crashing_thread(crash))
    return (
        any(name in signature for name in _OOM_NAMES)
        or thread.get("last_error_value") in _LAST_ERRORS_OF_OOM
        or crash.get("reason") in _REASONS_OF_OOM
    )


def _abort(message: str, signature: str) -> str:
    if "###!!! ABORT: file " in message:
        return f"Abort | {signature}"
    if "###!!! ABORT:" in message:
        message = message.split("###!!! ABORT:", 1)[1]
    message = message.split(": file ", 1)[0]
    if "unable to find a usable font" in message:
        message = re.sub(r"\(.*\)", "", message, count=1, flags=re.DOTALL)
    message = _printable(message).strip()
    if len(message) > 80:
        message = message[:77] + "..."
    return f"Abort | {message} | {signature}"


def _shutdown_timeout(text: str, signature: str) -> str:
    parts = ["AsyncShutdownTimeout"]
    try:
        timeout = json.loads(text)
        if not isinstance(timeout, dict):
            return signature
        phase = timeout.get("phase")
        parts.append(phase if isinstance(phase, str) else "(unknown)")
        conditions = [
            str(condition["name"] if isinstance(condition, dict) else condition)
            for condition in timeout.get("conditions") or ()
        ]
        parts.append(",".join(sorted(conditions)) if conditions else "(none)")
    except TypeError:
        return signature
    except (ValueError, KeyError, RecursionError):
        parts.append("UNKNOWN")
    return " | ".join(parts)


def _ipc_error(crash: dict[str, Any]) -> str:
    dumps = crash.get("additional_minidumps") or ()
    side = "browser" if "upload_file_minidump_browser" in dumps else "content"
    return f"IPCError-{side} | {crash['ipc_channel_error'][:100]}"
