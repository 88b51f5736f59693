# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Makes the crash of a large desktop program: what its client sends, and its stack walk.

Always the same: 90 threads, 160 modules, half of the frames with inlined functions or source lines,
annotations of every kind. Processed it is about 850 KiB of JSON.
"""

import json
import random
from collections.abc import Iterator
from typing import Any

THREADS = 90
MODULES = 160
UNLOADED = 25
ADDONS = 30
_FRAMES = (10, 25)

Json = dict[str, Any]


def desktop_annotations(crash_id: str) -> Json:
    """Return the raw crash: some 60 annotations as texts, as a client sends them."""
    choose = random.Random(3)
    addons = ",".join(f"extension{n}%40example.com:{n}.{n % 7}.1" for n in range(ADDONS))
    environment = {
        "build": {"applicationName": "Browser", "version": "150.0", "architecture": "x86-64"},
        "addons": {"activeAddons": {f"extension{n}@example.com": {"v": n} for n in range(ADDONS)}},
        "settings": {"prefs": {f"preference.number{n}": n % 5 for n in range(60)}},
    }
    return {
        "uuid": crash_id,
        "submitted_timestamp": "2026-11-23T08:00:00.000000+00:00",
        "metadata": {
            "collector_notes": [],
            "dump_checksums": {"upload_file_minidump": f"{choose.getrandbits(256):064x}"},
            "payload": "multipart",
            "payload_compressed": "1",
            "payload_size": 412345,
            "throttle_rule": "accept_everything",
            "user_agent": "Browser/150",
        },
        "version": 2,
        "Add-ons": addons,
        "AdapterDeviceID": "0x1c03",
        "AdapterDriverVersion": "31.0.15.3623",
        "AdapterVendorID": "0x10de",
        "AppInitDLLs": "",
        "ApplicationBuildID": "20261101093407",
        "AsyncShutdownTimeout": json.dumps({"phase": "profile-before-change", "conditions": []}),
        "AvailablePageFile": "9876543210",
        "AvailablePhysicalMemory": "4321098765",
        "AvailableVirtualMemory": "140731234567890",
        "BuildID": "20261101093407",
        "ContentSandboxCapabilities": "119",
        "ContentSandboxLevel": "6",
        "CrashTime": "1795420000",
        "DOMFissionEnabled": "1",
        "EMCheckCompatibility": "true",
        "GraphicsCriticalError": "|[0][GFX1-]: device lost (t=12.5)" * 8,
        "InstallTime": "1795000000",
        "IsWayland": "0",
        "Notes": "AdapterVendorID: 0x10de, D3D11 Layers? D3D11 Layers+ " * 4,
        "ProcessType": "content",
        "ProductName": "Firefox",
        "ProductID": "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}",
        "ReleaseChannel": "release",
        "RemoteType": "webIsolated=https://example.com",
        "SafeMode": "0",
        "SecondsSinceLastCrash": "86400",
        "StartupCrash": "0",
        "StartupTime": "1795419000",
        "SubmittedFrom": "Infobar",
        "SystemMemoryUsePercentage": "61",
        "TelemetryEnvironment": json.dumps(environment),
        "Theme": "classic/1.0",
        "Throttleable": "1",
        "TotalPageFile": "21474836480",
        "TotalPhysicalMemory": "17179869184",
        "TotalVirtualMemory": "140737488224256",
        "URL": "https://example.com/a/page?of=somebody",
        "UptimeTS": "1000.5",
        "UserComment": "It closed while I was reading.",
        "Vendor": "Mozilla",
        "Version": "150.0",
        "Winsock_LSP": "MSAFD Tcpip [TCP/IP] : 2 : 1 :  \n " * 20,
        "useragent_locale": "en-US",
    }


def desktop_walk() -> Json:
    """Return what the stackwalker says of the minidump."""
    choose = random.Random(4)
    modules = [_module(choose, number) for number in range(MODULES)]
    threads = [_thread(choose, number, modules) for number in range(THREADS)]
    return {
        "crash_info": {
            "address": "0x0000000000000028",
            "adjusted_address": {"kind": "null-pointer", "offset": "0x0000000000000028"},
            "assertion": None,
            "crash_inconsistencies": [],
            "crashing_thread": 0,
            "instruction": "mov rax, qword ptr [rcx + 0x28]",
            "instruction_pointer_update": None,
            "memory_accesses": [{"address": "0x28", "size": 8, "access_type": "Read"}],
            "possible_bit_flips": [_bit_flip(bit) for bit in range(6)],
            "type": "EXCEPTION_ACCESS_VIOLATION_READ",
        },
        "crashing_thread": {**threads[0], "threads_index": 0},
        "handles": None,
        "linux_memory_map_count": None,
        "lsb_release": None,
        "mac_boot_args": None,
        "mac_crash_info": None,
        "main_module": 0,
        "modules": modules,
        "modules_contains_cert_info": True,
        "pid": 4242,
        "proc_limits": None,
        "process_uptime": 1000,
        "soft_errors": None,
        "status": "OK",
        "system_info": {
            "cpu_arch": "amd64",
            "cpu_count": 12,
            "cpu_info": "family 6 model 158 stepping 10",
            "cpu_microcode_version": "0xf0",
            "os": "Windows NT",
            "os_ver": "10.0.22631",
        },
        "thread_count": THREADS,
        "threads": threads,
        "unloaded_modules": [_unloaded(choose, number) for number in range(UNLOADED)],
    }


def _module(choose: random.Random, number: int) -> Json:
    base = 0x7FF8_0000_0000 + number * 0x0100_0000
    known = number % 4 != 3
    name = "firefox.exe" if number == 0 else f"component{number}.dll"
    debug_id = f"{choose.getrandbits(132):033X}"
    url = f"https://symbols.example.com/component{number}.pdb/{debug_id}/component{number}.sym"
    return {
        "base_addr": f"0x{base:016x}",
        "cert_subject": "Example Corporation" if number % 2 else None,
        "code_id": f"{choose.getrandbits(52):013x}",
        "corrupt_symbols": False,
        "debug_file": f"component{number}.pdb",
        "debug_id": debug_id,
        "end_addr": f"0x{base + 0x00A0_0000:016x}",
        "filename": name,
        "loaded_symbols": known,
        "missing_symbols": not known,
        "symbol_status": "loaded" if known else "not_found",
        "symbol_url": url if known else None,
        "version": f"10.0.{number}.1",
    }


def _thread(choose: random.Random, number: int, modules: list[Json]) -> Json:
    count = choose.randint(*_FRAMES)
    return {
        "frame_count": count,
        "frames": list(_frames(choose, count, modules)),
        "last_error_value": "ERROR_SUCCESS",
        "thread_id": 5000 + 4 * number,
        "thread_name": f"Worker #{number}" if number % 3 else None,
    }


def _frames(choose: random.Random, count: int, modules: list[Json]) -> Iterator[Json]:
    for number in range(count):
        module = choose.choice(modules)
        known = module["loaded_symbols"]
        offset = choose.randrange(0x00A0_0000)
        source = choose.randrange(4000)
        frame = {
            "file": _source(source) if known else None,
            "frame": number,
            "function": _function(source) if known else None,
            "function_offset": f"0x{offset % 4096:016x}" if known else None,
            "inlines": _inlines(source) if known and number % 4 == 0 else None,
            "line": source % 3000 if known else None,
            "missing_symbols": not known,
            "module": module["filename"],
            "module_offset": f"0x{offset:016x}",
            "offset": f"0x{int(module['base_addr'], 16) + offset:016x}",
            "trust": "cfi" if number else "context",
            "unloaded_modules": None,
        }
        registers = {name: f"0x{choose.getrandbits(48):016x}" for name in ("rax", "rip", "rsp")}
        yield frame if number else {**frame, "registers": registers}


def _inlines(source: int) -> list[Json]:
    return [
        {"file": _source(source + n), "function": _function(source + n), "line": 10 + n}
        for n in range(2)
    ]


def _source(number: int) -> str:
    return f"hg:hg.example.com/releases/main:dom/subsystem{number % 97}/Source{number}.cpp:8ca5f0d1"


def _function(number: int) -> str:
    return (
        f"browser::subsystem{number % 97}::Component{number}<browser::Handle<int> >::Run"
        "(browser::Event const&, unsigned int)"
    )


def _bit_flip(bit: int) -> Json:
    return {
        "address": f"0x{1 << bit:016x}",
        "confidence": 0.25 + bit / 100,
        "details": {
            "is_null": False,
            "nearby_registers": 0,
            "poison_registers": False,
            "was_low": True,
            "was_non_canonical": False,
        },
        "source_register": "rcx",
    }


def _unloaded(choose: random.Random, number: int) -> Json:
    base = 0x6000_0000 + number * 0x10_0000
    return {
        "base_addr": f"0x{base:016x}",
        "cert_subject": None,
        "code_id": f"{choose.getrandbits(52):013x}",
        "end_addr": f"0x{base + 0x8000:016x}",
        "filename": f"hook{number}.dll",
    }
