# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Stacks that engineers know, and the signature that our lists give them.

Each has a group of the lists as its subject. A frame is a function, or "[name]" for a module
without symbols.
"""

from typing import Any

import pytest

from socorro.signature import generate

_UNIX = [
    (
        "abort in glibc: who called it is what counts",
        ["__pthread_kill_implementation", "__GI_raise", "__GI_abort", "app::Check(bool)"],
        "app::Check",
    ),
    (
        "assert: who asserted is what counts",
        ["raise", "abort", "__assert_fail_base", "__GI___assert_fail", "app::Set(int)"],
        "app::Set",
    ),
    (
        "uncaught exception in libstdc++",
        [
            "raise", "abort", "__gnu_cxx::__verbose_terminate_handler()",
            "__cxxabiv1::__terminate(void (*)())", "std::terminate()", "__cxa_throw",
            "std::__throw_out_of_range_fmt(char const*, ...)", "app::At(unsigned long)",
        ],
        "app::At",
    ),
    (
        "the heap is corrupted: the signature says so, and who found out",
        ["raise", "abort", "__libc_message", "malloc_printerr", "_int_free", "free", "app::F()"],
        "malloc_printerr | _int_free | free | app::F",
    ),
    (
        "a smashed stack",
        ["__GI_abort", "__libc_message", "__fortify_fail", "__stack_chk_fail", "app::Copy()"],
        "__fortify_fail | __stack_chk_fail | app::Copy",
    ),
    (
        "a bad pointer given to memcpy",
        ["__memmove_avx_unaligned_erms", "app::Blit(char*)", "main"],
        "__memmove_avx_unaligned_erms | app::Blit",
    ),
    ("strlen of nothing", ["__strlen_avx2", "app::Name()"], "__strlen_avx2 | app::Name"),
    (
        "operator new: its name loses the word operator, as modifiers do",
        ["operator new(unsigned long)", "app::Make()"],
        "new | app::Make",
    ),
    (
        "a pure virtual function is called",
        ["raise", "abort", "__cxa_pure_virtual", "app::Base::Run()"],
        "__cxa_pure_virtual | app::Base::Run",
    ),
    (
        "the standard library is the way to the culprit",
        [
            "std::_Function_handler<int (int), app::X()::{lambda(int)#1}>::_M_invoke(int&&)",
            "std::function<int (int)>::operator()(int) const", "app::Visit()",
        ],
        "std::_Function_handler<T>::_M_invoke | std::function<T>::operator() | app::Visit",
    ),
    (
        "a hang in a lock",
        ["__lll_lock_wait", "pthread_mutex_lock", "app::Lock()"],
        "__lll_lock_wait | pthread_mutex_lock | app::Lock",
    ),
    (
        "waiting in the kernel",
        ["syscall", "futex_wait", "__pthread_cond_wait", "app::Wait()"],
        "syscall | futex_wait | __pthread_cond_wait | app::Wait",
    ),
    ("no symbols for the loader", ["[ld-linux.so.2]", "app::F()"], "ld-linux.so.2 | app::F"),
    ("no symbols for the program", ["[libgcc_s.so.1]", "[app]", "main"], "libgcc_s.so.1 | app"),
    ("Android: abort in bionic", ["[libc.so]", "[libc.so]", "[libapp.so]"], "libc.so | libapp.so"),
    (
        "Android: a failed check of the runtime of Java",
        ["abort", "art::Runtime::Abort(char const*)", "art::JavaVMExt::JniAbort()", "Java_app_f"],
        "art::JavaVMExt::JniAbort | Java_app_f",
    ),
    (
        "macOS: an Objective-C exception",
        [
            "__pthread_kill", "pthread_kill", "abort", "abort_message", "_objc_terminate()",
            "std::__terminate(void (*)())", "__cxa_rethrow", "objc_exception_throw",
            "-[NSException raise]", "-[AppController open:]",
        ],
        "-[AppController open:]",
    ),
    (
        "macOS: a message to a dead object",
        ["objc_msgSend", "-[AppView draw:]"],
        "objc_msgSend | -[AppView draw:]",
    ),
    (
        "macOS: waiting for a message",
        ["mach_msg2_trap", "mach_msg", "CFRunLoopRunSpecific", "app::Loop()"],
        "mach_msg2_trap | mach_msg | CFRunLoopRunSpecific | app::Loop",
    ),
    (
        "Swift: a failed precondition",
        ["_assertionFailure(_:_:file:line:flags:)", "App.Model.load()"],
        "App.Model.load",
    ),
    (
        "a sanitizer reports",
        ["__sanitizer::Die()", "__asan::ReportGenericError()", "__asan_report_load8", "app::F()"],
        "app::F",
    ),
    (
        "the crash reporter is on the stack",
        ["google_breakpad::ExceptionHandler::WriteMinidump()", "[linux-vdso.so.1]", "app::F()"],
        "app::F",
    ),
    (
        "an address without a module differs from run to run",
        ["@0x7f001122", "app::CallHook()"],
        "app::CallHook",
    ),
    ("Firefox: MOZ_CRASH", ["MOZ_Crash(char const*, int)", "ns::F()"], "ns::F"),
    (
        "Firefox: a reference to nothing",
        ["RefPtr<nsIFrame>::operator->() const &", "nsView::Frame()"],
        "RefPtr<T>::operator-> | nsView::Frame",
    ),
    (
        "Chromium: a failed CHECK",
        [
            "base::ImmediateCrash()", "logging::LogMessage::HandleFatal()",
            "logging::CheckError::~CheckError()", "content::Frame::Commit()",
        ],
        "content::Frame::Commit",
    ),
    (
        "Chromium: a callback whose target is gone",
        [
            "base::internal::Invoker<base::internal::BindState<void (X::*)()>>::RunOnce()",
            "base::OnceCallback<void ()>::Run() &&", "content::Frame::Commit()",
        ],
        "base::internal::Invoker<T>::RunOnce | base::OnceCallback<T>::Run | content::Frame::Commit",
    ),
    (
        "Electron: no memory left for JavaScript",
        [
            "V8_Fatal(char const*)", "node::OOMErrorHandler(char const*)",
            "v8::internal::V8::FatalProcessOutOfMemory(char const*)", "app::Main()",
        ],
        "node::OOMErrorHandler | v8::internal::V8::FatalProcessOutOfMemory | app::Main",
    ),
    (
        "Qt: a fatal message",
        ["abort", "qAbort()", "QMessageLogger::fatal() const", "Window::Open()"],
        "Window::Open",
    ),
    (
        "Qt: a string that is gone",
        ["QString::size() const", "Window::Title()"],
        "QString::size | Window::Title",
    ),
    (
        "Unreal Engine: check() failed",
        [
            "FUnixErrorOutputDevice::Serialize()", "FDebug::AssertFailed(char const*)",
            "AMyActor::Tick(float)",
        ],
        "AMyActor::Tick",
    ),
    (
        "Unreal Engine: an index out of range",
        ["TArray<AActor*>::operator[](int)", "AMyActor::Tick(float)"],
        "TArray<T>::operator[] | AMyActor::Tick",
    ),
    (
        "Unreal Engine: no memory left",
        [
            "FDebug::CheckVerifyFailedImpl()", "FGenericPlatformMemory::OnOutOfMemory()",
            "FMallocBinned2::Malloc(unsigned long)", "UMesh::Load()",
        ],
        "FGenericPlatformMemory::OnOutOfMemory | FMallocBinned2::Malloc | UMesh::Load",
    ),
    ("every frame is irrelevant", ["raise", "abort", "_start"], "raise"),
]  # fmt: skip

_WINDOWS = [
    (
        "an exception that nobody caught",
        [
            "NtRaiseException", "RaiseException", "_CxxThrowException", "app::Parse(char const *)",
            "BaseThreadInitThunk", "RtlUserThreadStart",
        ],
        "app::Parse",
    ),
    (
        "fail fast of the C runtime",
        ["_invoke_watson", "_invalid_parameter_noinfo_noreturn", "app::Copy()"],
        "app::Copy",
    ),
    (
        "a corrupted heap",
        [
            "RtlReportFatalFailure", "RtlpLogHeapFailure", "RtlFreeHeap", "HeapFree", "_free_base",
            "app::Free()",
        ],
        "RtlpLogHeapFailure | RtlFreeHeap | HeapFree | _free_base | app::Free",
    ),
    (
        "a hang in a lock",
        ["NtWaitForAlertByThreadId", "RtlEnterCriticalSection", "app::Lock()"],
        "NtWaitForAlertByThreadId | RtlEnterCriticalSection | app::Lock",
    ),
    (
        "libraries of the system without symbols",
        ["[ntdll.dll]", "[ntdll.dll]", "[KERNELBASE.dll]", "[driver64.dll]", "app::Draw()"],
        "ntdll.dll | kernelbase.dll | driver64.dll",
    ),
    ("a pure virtual function is called", ["abort", "_purecall", "app::F()"], "_purecall | app::F"),
    (
        "a window procedure",
        ["UserCallWinProcCheckWow", "DispatchMessageWorker", "app::Loop()"],
        "UserCallWinProcCheckWow | DispatchMessageWorker | app::Loop",
    ),
]  # fmt: skip

_RUST = [
    (
        "unwrap of None: the frame that asked for it, without the panic before it",
        [
            "__rust_start_panic", "rust_panic", "std::panicking::rust_panic_with_hook::h0123",
            "std::panicking::begin_panic_handler::{{closure}}", "rust_begin_unwind",
            "core::panicking::panic_fmt", "core::option::unwrap_failed",
            "core::option::Option<T>::unwrap", "app::engine::apply::h0123456789abcdef",
        ],
        "app::engine::apply",
    ),
    (
        "expect of an Err",
        ["core::result::unwrap_failed", "core::result::Result<T,E>::expect", "app::f"],
        "app::f",
    ),
    (
        "an index out of bounds",
        [
            "core::panicking::panic_bounds_check",
            "<alloc::vec::Vec<T,A> as core::ops::index::Index<I>>::index", "app::pick",
        ],
        "<alloc::vec::Vec<T, A> as core::ops::index::Index<I>>::index | app::pick",
    ),
    (
        "a bad pointer is read",
        ["core::ptr::read_volatile::<u8>", "app::poke::<u8>"],
        "app::poke::<T>",
    ),
    (
        "a method of a trait keeps the type that implements it",
        ["<app::Lookup<K> as app::Step>::apply"],
        "<app::Lookup<K> as app::Step>::apply",
    ),
    (
        "no memory left",
        ["rust_oom", "alloc::alloc::handle_alloc_error", "app::grow"],
        "alloc::alloc::handle_alloc_error | app::grow",
    ),
]  # fmt: skip


def _sign(frames: list[str], file: str, os: str) -> str:
    stack = [
        {"module": name[1:-1]} if name.startswith("[") else {"function": name, "file": file}
        for name in frames
    ]
    return generate({"os": os, "threads": [{"frames": stack}]}).signature


def _cases(stacks: list[tuple[str, list[str], str]]) -> list[Any]:
    return [pytest.param(frames, signature, id=reason) for reason, frames, signature in stacks]


@pytest.mark.parametrize(("frames", "signature"), _cases(_UNIX))
def test_a_stack_of_unix(frames: list[str], signature: str) -> None:
    assert _sign(frames, "/src/a.cpp", "Linux") == signature


@pytest.mark.parametrize(("frames", "signature"), _cases(_WINDOWS))
def test_a_stack_of_windows(frames: list[str], signature: str) -> None:
    assert _sign(frames, "c:\\src\\a.cpp", "Windows NT") == signature


@pytest.mark.parametrize(("frames", "signature"), _cases(_RUST))
def test_a_stack_of_rust(frames: list[str], signature: str) -> None:
    assert _sign(frames, "/src/a.rs", "Linux") == signature
