# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Names of functions, files and modules as compilers, demanglers and crash reporters spell them."""

import re
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import TypeVar

_T = TypeVar("_T")

WORDS = (
    "Alloc", "Foo", "Mutex", "RefPtr", "abort", "alloc", "bar", "core", "gfx", "js", "mozilla",
    "nsTArray", "ns_x", "panic", "raise", "std", "~Foo", "__1", "QObject", "v8", "blink", "UObject",
    "base", "tokio", "serde_json", "IPC", "ParamTraits", "RunWatchdog", "NS_ABORT_OOM",
    "operatorless", "constant", "iconst", "asset", "index", "dom", "_M_invoke", "call_once",
)  # fmt: skip
_TYPES = (
    "int", "unsigned long", "char const*", "char const *", "void *", "T&&", "bool", "Foo const&",
    "std::string", "std::basic_string<char, std::char_traits<char>, std::allocator<char> >",
    "void (*)(int)", "void (Foo::*)(int) const", "int (&) [3]", "decltype(nullptr)", "3ul", "(E)1",
    "std::function<void ()>", "std::function<void (int, Foo*)>", "unsigned __int64", "...",
    "`anonymous namespace'::Bar", "(anonymous namespace)::Bar", "enum E", "class Foo *",
    "struct std::pair<int,int>", "&Foo::bar", "a->b", "(1>2)", "`lambda at a.cpp:3:4'",
)  # fmt: skip
_OPERATORS = (
    "operator()", "operator<", "operator<<", "operator<=", "operator<=>", "operator>", "operator>>",
    "operator>>=", "operator->", "operator->*", "operator new", "operator new[]", "operator delete",
    "operator delete[]", "operator bool", "operator char const*", "operator std::vector<int>",
    "operator Foo&", "operator=", "operator==", "operator!", "operator[]", "operator,", "operator&",
    "operator&&", "operator*", "operator+=", 'operator""_kb', 'operator"" _kb', "operator ()",
    "operator co_await", "operator<< <int>", "operator<<int>", "operator< <char>",
)  # fmt: skip
_ANONYMOUS = ("(anonymous namespace)", "`anonymous namespace'", "`anonymous-namespace'",
    "(anonymous class)", "{anonymous}", "`anonymous namespace`", "_GLOBAL__N_1")  # fmt: skip
_LAMBDAS = (
    "{lambda(int)#1}", "{lambda(auto:1&&)#2}", "'lambda'(int)", "'lambda0'()", "$_0", "$_12",
    "<lambda_3fa85f64>", "<lambda(int)>", "`lambda at c:\\a b\\x.cpp:1:2'", "<lambda_0>",
    "{lambda()#1}::operator()", "(lambda at /a.cpp:1:2)", "$_3::__invoke",
    "`Foo::bar'::`2'::<lambda_1>", "`dynamic initializer for 'gFoo''", "__invoke",
)  # fmt: skip
_SUFFIXES = (
    "", "", "", "", " const", " const&", " const &", " &", " &&", " const &&", " volatile",
    " noexcept", " [clone .cold]", " [clone .cold.12]", " [clone .isra.0]",
    " [clone .constprop.0] [clone .cold]", ".llvm.123456789", "[abi:cxx11]", " (.cold)", ".cold.1",
    " requires C<T>", " [clone .part.0]", " [inlined]", "@plt", " -> int",
)  # fmt: skip
_PREFIXES = (
    "", "", "", "static ", "virtual ", "void ", "static void ", "int const& ", "Foo<int> ",
    "public: virtual void __cdecl ", "std::enable_if<(1>2), void>::type ", "decltype(a + b) ",
    "auto ", "non-virtual thunk to ", "virtual thunk to ", "vtable for ", "void (*", "template<> ",
    "unsigned long ", "`public: void __thiscall Foo::bar(int)'::`2'::", "guard variable for ",
)  # fmt: skip
_RUST = (
    "core::option::expect_failed", "core::panicking::panic_fmt::h0123456789abcdef",
    "<{t} as {path}>::{w}", "<{t} as {path}<{t}>>::{w}::h0123456789abcdef",
    "{path}::{{{{closure}}}}",
    "{path}::{{closure#0}}", "{path}::{{closure_env#0}}<{t}>", "{path}::impl$3::{w}<{t}>",
    "{path}::{{impl#2}}::{w}", "enum2$<{path}<{t}> >::{w}", "<impl {path} for {t}>::{w}",
    "{path}::<impl {path}<{t}> for {t}>::{w}::h00ff", "<[T] as {path}>::{w}",
    "<&mut F as {path}<A>>::{w}",
    "core::ptr::drop_in_place<{t}>", "alloc::vec::Vec<T,A>::{w}", "<dyn {path} + Send>::{w}",
    "core::ops::function::FnOnce::call_once{{{{vtable.shim}}}}", "{path}::{w}::<{t}>",
    "static void {path}::{w}<tuple$<>, ref$<str$> >({t})", "<{path} in {path}>::{w}",
    "{path}::h0123456789abcdeF", "{path}::hello", "{path}::h", "{path}::{w}(u8, &str) -> bool",
    "_RNvCs1234_7mycrate3foo", "_$LT$alloc..string..String$u20$as$u20$core..fmt..Display$GT$::fmt",
    "panic", "panic_fmt", "panic_bounds_check", "begin_panic_fmt", "rust_panic_with_hook",
    "capacity_overflow", "expect_failed", "slice_index_order_fail", "continue_panic_fmt",
)  # fmt: skip
_OTHERS = (
    "-[NSObject {w}]", "-[{w} {w}:{w}:]", "+[{w}({w}) {w}:]", "__{n}-[{w} {w}:]_block_invoke",
    "main.(*{w}).{w}", "runtime.gopanic", "github.com/x/y.{w}[...]", "main.{w}.func1",
    "$s4main3FooV3baryyF", "closure #1 in {w}.{w}()", "{w}.{w}.getter : Swift.Int",
    "generic specialization <{t}> of {w}.{w}({t}) -> {t}", "static {w}.== infix({w}, {w}) -> Bool",
    "(extension in {w}):{w}.{w}() throws -> ()",
    "protocol witness for {w}.{w}() in conformance {w}",
    "_ZN4core3fmt5WriteE", "?Foo@@YAXXZ", "sub_7ff6a0", "FUN_00401000", "@0x1234", "@0xa", "0x1234",
    "<name omitted>", "{path}<name omitted>", "{path}<<name omitted>>", "<unknown in igd10.dll>",
    "<unlinked>", "(unloaded x.dll)", "libfoo.so", "XUL", "foo.DLL", "KERNELBASE.dll",
    "IPC::ParamTraits<{t}>::Read", "mozilla::IPC::ParamTraits<{path}<{t}> >::Write({t})",
    "{path}<IPC::ParamTraits<{t}> >::{w}", "<{path} as {path}>::{w}", "{path}<{t} in {t}>::{w}",
    "const", "operator", "::", "&", "", " ", "{path}\n", "{path}\t({t})", "{path}::é<{t}>",
    "名前::{w}",
    "{path} \u00a0{w}", "{path}\u2028{w}", "{path}(\U0001f600)", "{path}\x00{w}", "Σigma",
    "\u017ftrlen",
    "js_Interpret", "js_Interpret<{t}>({t})", "RunWatchdog(void*)", "{w},{w} ,{w}",
    "std::list<{t}>::{w}",
)  # fmt: skip
_GLUE = (
    "", " ", "  ", "::", "<", ">", "<<", ">>", "(", ")", "()", ", ", ",", " ,", " *", "*", "&",
    "&&", " const", " const&", " const &", "[", "]", "{", "}", "`", "'", " as ", " in ", "->", "~",
    "operator", "::operator", "(anonymous namespace)", "`anonymous namespace'", "::$_1::", "::h0",
    "<name omitted>", "IPC::ParamTraits", "[clone .cold]", "\n", "\t", "x", "y", "clone .cold",
)  # fmt: skip

SOURCES = (
    None, None, "", "/build/src/main.cpp", "/rustc/0123/library/core/src/option.rs",
    "c:\\src\\a.cc", "C:/src/a.cc", "c:\\src/mixed\\b.h", "/a\\b/c.cpp", "/src/dir/", "\\", "/",
    "//",
    "hg:hg.example.com/main:gfx/a.cpp:0123", "git:github.com/x/y:src/libcore/option.rs:12",
    "git:github.com/x/y:src/libcore/panicking.rs:12", "git:github.com/x/y:src/libstd/panicking.rs:",
    "git:github.com/x/y:src/liballoc/raw_vec.rs:1", "git:github.com/x/y:src/libcore/slice/mod.rs:1",
    "src/libcore/panicking.rs", "x:src/libcore/panicking.rs", "src/lib.rs", "s:/x/y.rs",
    "d:\\x\\y.rs",
    "s3:bucket:0123/x.rs:", "s3:bucket:0123/x.cc:", "a:b:c.rs", "a:b:c.rs:d:e", "/a:b.rs",
    "git:x:y.RS:1", "::/x.rs:", "/x.rs ", "main.c", "f:\\dd\\crt\\src\\x.c", "hg:h:a b.rs:1", ":",
    ":::",
)  # fmt: skip
MODULES = (
    None, None, "", "XUL", "xul.dll", "XUL.DLL", "libxul.so", "KERNELBASE.dll", "ntdll.dll",
    "libc.so.6", "[vdso]", "[", "linux-gate.so", "app", "Electron Framework", "base.apk",
    "org.mozilla.fennec-1.apk", "system@framework@boot.art", "dalvik-jit-code-cache (deleted)",
    "\u0130stanbul.dll", "igd10iumd64.dll", "libart.so", "foo.DLL", "foo.dylib", "x]y[", "a b.exe",
)  # fmt: skip


class Names:
    """Names from a source of chance; `matched` are names that the lists in force speak of."""

    def __init__(self, random: Random, matched: Sequence[str] = ()) -> None:
        self._random = random
        self._matched = matched

    def function(self, depth: int = 3) -> str:
        """A function as C++ demanglers write it; templates and arguments nest to a depth."""
        path = self._path()
        if not depth or self._random.random() < 0.3:
            return path
        types = ", ".join(self.function(depth - 1) for _ in range(self._random.randint(0, 2)))
        return self._pick(
            (path, f"{path}<{types}>", f"{path}<{types}>::{self._path()}", f"{path}({types})",
             f"{path}({types}) const", f"{self._path()} {path}({types})", f"{types}*",
             f"{path}::{self._path()}<{types}>({types}) const &", f"{types} &")
        )  # fmt: skip

    def any_function(self) -> str:
        kinds: Sequence[Callable[[], str]] = (
            self._cpp, self._cpp, self._cpp, self._listed, self._listed, self._listed, self._rust,
            self._other, self.function, self._odd,
        )  # fmt: skip
        name = self._pick(kinds)()
        if name and self._random.random() < 0.02:
            return name[: self._random.randrange(len(name))]
        return name

    def _cpp(self) -> str:
        parts = [self._part() for _ in range(self._random.randint(1, 3))]
        if self._random.random() < 0.25:
            parts.append(self._pick(_OPERATORS))
        arguments = f"({self._types()})" if self._random.random() < 0.7 else ""
        prefix, suffix = self._pick(_PREFIXES), self._pick(_SUFFIXES)
        return f"{prefix}{'::'.join(parts)}{arguments}{suffix}"

    def _part(self) -> str:
        chance = self._random.random()
        if chance < 0.1:
            return self._pick(_ANONYMOUS)
        if chance < 0.2:
            return self._pick(_LAMBDAS)
        word = self._pick(WORDS)
        if chance < 0.5:
            space = self._pick(("", " "))
            return f"{word}<{self._types()}{space}>"
        return f"{word}({self._types()})" if chance < 0.55 else word

    def _types(self) -> str:
        comma = self._pick((", ", ",", " , "))
        return comma.join(self._type() for _ in range(self._random.randint(0, 3)))

    def _type(self) -> str:
        return self._pick(_TYPES) if self._random.random() < 0.8 else self.function(2)

    def _listed(self) -> str:
        if not self._matched:
            return self._cpp()
        name = self._pick(self._matched)
        tails = ("", "", "", "", "(int)", "<int>", "Ex", "::x", " const", ":5", "\n", "W(x) const")
        return name + self._pick(tails)

    def _rust(self) -> str:
        return self._filled(self._pick(_RUST))

    def _other(self) -> str:
        return self._filled(self._pick(_OTHERS))

    def _filled(self, shape: str) -> str:
        return shape.format(
            w=self._pick(WORDS), path=self._path(), t=self._type(), n=self._random.randint(0, 99)
        )

    def _odd(self) -> str:
        return "".join(
            self._pick(_GLUE if self._random.random() < 0.7 else WORDS)
            for _ in range(self._random.randint(1, 14))
        )

    def _path(self) -> str:
        return "::".join(self._random.choices(WORDS, k=self._random.randint(1, 3)))

    def _pick(self, values: Sequence[_T]) -> _T:
        return self._random.choice(values)


def names_that_match(patterns: Iterable[str], seed: int) -> list[str]:
    """For each pattern of a list a name that it matches, as far as its spelling is simple."""
    random = Random(seed)
    names = ((_example(pattern, random), pattern) for pattern in patterns)
    return [name for name, pattern in names if re.match(pattern, name)]


def _example(pattern: str, random: Random) -> str:
    """Groups, classes and quantifiers spelled out; what was escaped stands for itself."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[1])
        return chr(0xE000 + len(kept) - 1)

    text = re.sub(r"\\d[+]?", "7", pattern)
    text = re.sub(r"\\(.)", keep, text)
    text = re.sub(r"\[([^\]]+)\](\{2,\})?", lambda match: match[1][-1] * 2, text)
    while "(" in text and ")" in text:
        text = re.sub(
            r"\(([^()]*)\)(\??)",
            lambda match: random.choice(match[1].split("|") + [""] * len(match[2])),
            text,
        )
    text = re.sub(r"\.[*+]", lambda _: random.choice(("x", "Foo::", "a<T>", "")), text)
    text = re.sub(r"(.)\?", lambda match: random.choice((match[1], "")), text)
    return re.sub("[\ue000-\ue0ff]", lambda match: kept[ord(match[0]) - 0xE000], text)
