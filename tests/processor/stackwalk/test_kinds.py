# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crashes of every kind through the whole default ruleset, with the real stackwalker.

Each gives a complete processed crash that fits the schema, an export that fits its schema, and a
search document.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from processor.pipeline import Pipeline
from processor.ruleset import load_rulesets
from processor.stackwalk import LongLivedStackwalker, Stackwalker
from processor.trial import GivenWalks, process_report
from socorro import settings
from socorro.fields import public_processed_crash, search_document, telemetry_document
from socorro.fields.checking import check_processed_crash
from socorro.fields.schemas import processed_crash_schema, telemetry_crash_schema
from socorro.packaged import SAMPLES
from tests.processor.stackwalk.conftest import SYMBOLS, MakeWalker

# The first test that needs the stackwalker compiles it.
pytestmark = pytest.mark.timeout(1800)

CRASH_ID = "35e2b0e4-5cf8-4f4e-9d6c-0b8e20261123"
MAIN, BROWSER = "upload_file_minidump", "upload_file_minidump_browser"
PROCESSED = Draft202012Validator(processed_crash_schema())
TELEMETRY = Draft202012Validator(telemetry_crash_schema())
# What every crash has, and what every crash with a readable minidump has besides.
ALWAYS = {
    "addons", "client_crash_date", "completed_datetime", "cpu_arch", "cpu_count", "cpu_info",
    "crash_id", "crash_report_keys", "crash_time", "date_processed", "distribution_id",
    "install_age", "major_version", "os_name", "os_pretty_version", "os_version", "process_type",
    "processor_notes", "product", "report_type", "signature", "signature_debug",
    "started_datetime", "submitted_from", "submitted_timestamp", "success", "thread_count",
    "uptime", "uuid", "version",
}  # fmt: skip
WALKED = {
    "address", "crashing_thread", "crashing_thread_name", "crash_inconsistencies", "json_dump",
    "mdsw_return_code", "mdsw_status_string", "mdsw_stderr", "reason", "stackwalk_version",
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A report, and what its processed crash must say. Dumps are files below the samples."""

    name: str
    expected: dict[str, Any]
    dumps: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, Any] = field(default_factory=dict)
    walk: dict[str, Any] | None = None


def dump(path: str, **others: str) -> dict[str, str]:
    return {MAIN: path, **others}


def walk_of(*functions: str) -> dict[str, Any]:
    frames = [
        {"frame": n, "function": f, "module": "xul.dll", "trust": "cfi", "line": None}
        for n, f in enumerate(functions)
    ]
    return {
        "status": "OK",
        "pid": 7,
        "crash_info": {"crashing_thread": 1, "type": "SIGSEGV", "address": "0x0"},
        "crashing_thread": {"threads_index": 1, "frames": frames, "thread_name": "Watchdog"},
        "modules": [{"filename": "xul.dll", "debug_id": "A1", "missing_symbols": False}],
        "system_info": {"os": "Windows NT", "os_ver": "10.0.22631", "cpu_arch": "amd64"},
        "threads": [{"frames": []}, {"frames": frames, "thread_name": "Watchdog"}],
        "thread_count": 2,
    }


FRAME = {"module": "org.acme.Main", "function": "run", "filename": "Main.java", "lineno": 3}
JAVA_EXCEPTION = {
    "exception": {
        "values": [
            {
                "stacktrace": {
                    "type": "IllegalStateException",
                    "module": "java.lang",
                    "value": "a secret",
                    "frames": [{**FRAME, "in_app": True}],
                }
            }
        ]
    }
}
PAINTER = "acme::render::Painter<T>::Stroke"
KINDS = (
    Kind("C++ on Windows, x86", {
        "os_name": "Windows NT", "os_pretty_version": "Windows 7", "cpu_arch": "x86",
        "reason": "EXCEPTION_ACCESS_VIOLATION_WRITE", "address": "0x00000045",
        "signature": PAINTER, "topmost_filenames": "/src/render/painter.cpp",
    }, dump("minidumps/synthetic/win_x86_av_write.dmp")),
    Kind("C++ on Windows, amd64", {
        "os_pretty_version": "Windows 10", "cpu_arch": "amd64", "crashing_thread_name": "Main",
        "reason": "EXCEPTION_ACCESS_VIOLATION_READ", "signature": PAINTER, "thread_count": 2,
    }, dump("minidumps/synthetic/win_amd64_av_read.dmp")),
    Kind("an exception in C++ that nobody caught, on Windows", {
        "reason": "Unhandled C++ Exception", "signature": "malloc | acme::render::Scene::Draw",
    }, dump("minidumps/synthetic/win_amd64_cpp_exception_prefix_frames.dmp")),
    Kind("in a module that was unloaded", {
        "signature": "(unloaded plugin_old.dll)", "reason": "EXCEPTION_ACCESS_VIOLATION_EXEC",
    }, dump("minidumps/synthetic/win_amd64_unloaded_module.dmp")),
    Kind("a stack overflow on Windows", {
        "signature": "stackoverflow | acme::deep::Recurse", "reason": "EXCEPTION_STACK_OVERFLOW",
    }, dump("minidumps/synthetic/win_amd64_stack_overflow.dmp")),
    Kind("a stack overflow on Linux", {
        "signature": "acme::layout::MeasureDepth", "reason": "SIGSEGV / SEGV_ACCERR",
        "crashing_thread": 1,
    }, dump("crashes/dumps/stack_overflow.dmp")),
    Kind("Windows 11 without symbols", {
        "os_pretty_version": "Windows 11", "address": "0x0000000000000020",
        "signature": "vcruntime140d.dll | sentry_example.exe", "topmost_filenames": None,
    }, dump("minidumps/sentry-native-minidump.dmp")),
    Kind("C++ on macOS, arm64", {
        "os_name": "Mac OS X", "os_pretty_version": "macOS 15", "cpu_arch": "arm64",
        "reason": "EXC_BAD_ACCESS / KERN_INVALID_ADDRESS", "signature": PAINTER,
    }, dump("minidumps/synthetic/mac_arm64_bad_access.dmp")),
    Kind("Rust on macOS, in inlined code", {
        "os_pretty_version": "macOS 11", "signature": "sadness_generator::raise_segfault",
        "thread_count": 11,
    }, dump("minidumps/pipeline-inlines-macos-segv.dmp")),
    Kind("an older macOS", {"os_pretty_version": "OS X 10.15"},
         dump("minidumps/simple-crashpad.dmp")),
    Kind("C++ on Linux, x86", {
        "os_name": "Linux", "cpu_arch": "x86", "reason": "SIGBUS / BUS_ADRERR",
        "address": "0x00000028", "signature": PAINTER,
    }, dump("minidumps/synthetic/linux_x86_sigbus.dmp")),
    Kind("C++ on Linux, amd64, one of several threads", {
        "signature": "acme::jobs::Worker::StoreResult", "crashing_thread": 3, "thread_count": 5,
        "crashing_thread_name": "Worker #2", "address": "0x0000000000001234",
    }, dump("crashes/dumps/threads.dmp")),
    Kind("C++ on Linux, arm64", {
        "cpu_arch": "arm64", "reason": "SIGSEGV / SEGV_MAPERR", "signature": PAINTER,
    }, dump("minidumps/synthetic/linux_arm64_sigsegv.dmp")),
    Kind("Rust on Linux", {
        "os_pretty_version": "Debian GNU/Linux 12 (bookworm)", "reason": "SIGABRT / SI_TKILL",
        "signature": "<rust_demo::engine::Lookup<K> as rust_demo::engine::Step>::apply",
    }, dump("crashes/dumps/rust_unwrap.dmp")),
    Kind("a thread with an emoji in its name", {"crashing_thread_name": "スレッド 😀"},
         dump("minidumps/synthetic/linux_amd64_unicode_names.dmp")),
    Kind("a minidump without modules", {"signature": "@0x140001010", "modules_in_stack": None},
         dump("minidumps/synthetic/linux_amd64_no_modules.dmp")),
    Kind("a minidump of a process that did not crash", {
        "crashing_thread": None, "reason": "", "address": None, "topmost_filenames": None,
    }, dump("minidumps/synthetic/linux_amd64_no_exception.dmp")),
    Kind("C++ on Android, arm", {
        "os_name": "Android", "os_version": "34", "os_pretty_version": "Android 34",
        "cpu_arch": "arm", "reason": "SIGABRT", "signature": PAINTER, "android_model": "Pixel 8",
    }, dump("minidumps/synthetic/android_arm_sigabrt.dmp"),
        {"Android_Version": "34 (REL)", "Android_Model": "Pixel 8", "ProductName": "Fenix"}),
    Kind("Java on Android, by its exception", {
        "signature": "java.lang.IllegalStateException: at org.acme.Main.run(Main.java)",
        "os_pretty_version": "Android 34", "cpu_arch": "arm64", "json_dump": None,
        "java_exception": JAVA_EXCEPTION,
    }, {}, {
        "JavaException": json.dumps(JAVA_EXCEPTION), "Android_Version": "34 (REL)",
        "Android_CPU_ABI": "arm64-v8a", "ProductName": "Fenix",
        "Breadcrumbs": json.dumps({"values": [{"message": "clicked"}]}),
    }),
    Kind("Java on Android, by its stack trace", {
        "java_stack_trace": "java.lang.Error\n\tat org.acme.Main.run(Main.java:3)",
        "signature": "java.lang.Error: at org.acme.Main.run(Main.java)",
    }, {}, {"JavaStackTrace": "java.lang.Error: a secret\n\tat org.acme.Main.run(Main.java:3)"}),
    Kind("out of memory, with a memory report", {
        "oom_allocation_size": 1048576, "signature": f"OOM | large | {PAINTER}",
    }, dump("minidumps/synthetic/win_amd64_av_read.dmp", memory_report="report"),
        {"OOMAllocationSize": "1048576"}),
    Kind("a hang of the user interface", {
        "hang": "ui", "report_type": "crash", "os_name": "Linux",
    }, dump("crashes/dumps/threads.dmp"), {"Hang": "ui"}),
    Kind("a hang that a channel between processes found", {
        "report_type": "hang", "ipc_channel_error": "ShutDownKill", "process_type": "content",
        "additional_minidumps": [BROWSER],
    }, dump("crashes/dumps/threads.dmp", **{BROWSER: "crashes/dumps/inlined.dmp"}),
        {"ipc_channel_error": "ShutDownKill", "ProcessType": "content"}),
    Kind("a shutdown that hung", {
        "signature": "shutdownhang | stuck", "crashing_thread": 0, "report_type": "hang",
        "crashing_thread_name": "Watchdog",
    }, walk=walk_of("mozilla::(anonymous namespace)::RunWatchdog") | {
        "threads": [{"frames": [{"frame": 0, "function": "stuck", "module": "xul.dll"}]},
                    {"frames": walk_of("mozilla::(anonymous namespace)::RunWatchdog")
                     ["crashing_thread"]["frames"]}],
    }),
    Kind("a shutdown that took too long", {
        "report_type": "hang",
        "signature": "AsyncShutdownTimeout | profile-before-change | a,b",
    }, dump("crashes/dumps/threads.dmp"), {
        "AsyncShutdownTimeout": '{"phase": "profile-before-change", "conditions": '
        '[{"name": "b"}, {"name": "a"}]}',
    }),
    Kind("no minidump at all", {
        "json_dump": None, "mdsw_status_string": None, "os_name": "Windows NT",
        "os_pretty_version": "Windows 11", "cpu_arch": "amd64", "thread_count": None,
    }, {}, {"OS": "Windows NT", "OSVersion": "10.0.22631", "CPUArchitecture": "amd64"}),
    Kind("an empty minidump", {
        "json_dump": None, "mdsw_status_string": "EmptyMinidump",
        "signature": "EMPTY: no frame data available; EmptyMinidump",
    }, dump("empty")),
    Kind("a minidump that no stackwalker reads", {
        "json_dump": {}, "mdsw_status_string": "MissingThreadList", "mdsw_return_code": 1,
        "signature": "EMPTY: no frame data available; MissingThreadList",
    }, dump("minidumps/invalid-range.dmp")),
    Kind("a product that nobody knows", {
        "product": "Sørensen's Tool", "version": "next", "major_version": 0,
    }, dump("crashes/dumps/inlined.dmp"),
        {"ProductName": "Sørensen's Tool", "Version": "next", "Mood": "a secret"}),
    Kind("a report that says nothing", {"product": None, "version": None, "major_version": 0},
         {}, {"ProductName": None, "Version": None}),
    Kind("a report in JSON, with values of all types", {
        "install_time": 5, "safe_mode": True, "uptime_ts": 1.5, "hang": "1",
        "telemetry_environment": {"build": {"vendor": "Acme"}},
    }, dump("crashes/dumps/inlined.dmp"), {
        "InstallTime": 5, "SafeMode": True, "UptimeTS": 1.5, "Hang": 1, "CrashTime": 1795420800,
        "TelemetryEnvironment": {"build": {"vendor": "Acme"}}, "Add-ons": ["not a text"],
    }),
)  # fmt: skip


@pytest.fixture
def process(make_walker: MakeWalker, tmp_path: Path) -> Callable[[Kind], dict[str, Any]]:
    walker: LongLivedStackwalker = make_walker(*SYMBOLS)

    class Walkers:
        def get(self) -> Stackwalker | None:
            return walker

    def run(kind: Kind) -> dict[str, Any]:
        raw = {
            "uuid": CRASH_ID,
            "submitted_timestamp": "2026-11-23T08:00:00+00:00",
            "ProductName": "DemoApp",
            "Version": "1.2.3",
            **kind.annotations,
        }
        made = {"empty": tmp_path / "empty", "report": tmp_path / "report"}
        made["empty"].touch()
        made["report"].write_bytes(gzip.compress(b'{"version": 1}'))
        dumps = {name: made.get(path, SAMPLES / path) for name, path in kind.dumps.items()}
        given = GivenWalks()
        pipeline = ruleset(Walkers() if kind.walk is None else given)
        if kind.walk is not None:
            dumps = given.take({MAIN: kind.walk})
        return process_report(raw, dumps, pipeline)

    return run


def ruleset(walkers: Any) -> Pipeline:
    return load_rulesets(settings.load(), walkers, online=False)["default"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_crash_of_every_kind_is_complete_and_fits_the_schemas(
    process: Callable[[Kind], dict[str, Any]], kind: Kind
) -> None:
    processed = process(kind)
    # As it is stored: what JSON cannot hold would be another crash by then.
    stored = json.loads(json.dumps(processed, allow_nan=False))
    assert stored == processed
    assert [error.message for error in PROCESSED.iter_errors(processed)] == []
    assert check_processed_crash(processed).problems == ()
    exported = telemetry_document(processed)
    assert [error.message for error in TELEMETRY.iter_errors(exported)] == []
    assert search_document(processed)["uuid"] == CRASH_ID
    notes = processed["processor_notes"]
    assert processed["success"] is True
    assert "failed: " not in notes.replace("minidump-stackwalk: failed", "")
    assert "secret" not in notes + json.dumps([exported, public_processed_crash(processed)])
    expected = ALWAYS | (WALKED if kind.expected.get("json_dump", kind.dumps) else set())
    assert expected - processed.keys() <= kind.expected.keys()
    assert {name: processed.get(name) for name in kind.expected} == kind.expected
