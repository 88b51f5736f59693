# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What functions and frames are normalised to."""

from typing import Any

import pytest
from hypothesis import given, settings

from socorro.signature import SignatureLists, generate
from socorro.signature.frames import function_names, names, source_path
from socorro.signature.lists import default_lists

from . import strategies


def name_of(function: str, file: str | None = None) -> str:
    return function_names(default_lists()).name(function, file or "").text


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("main", "main"),
        ("void ns::f(int, char const*)", "ns::f"),
        ("static void * A<B>::malloc(unsigned __int64)", "A<T>::malloc"),
        ("A<B<C>, D>::E<F>::g(H<I>) const", "A<T>::E<T>::g"),
        ("f() const&", "f"),
        ("f() const &", "f"),
        ("f() &&", "f"),
        ("f()&", "f"),
        ("f (int)", "f "),
        ("f(int) [clone .isra.0]", "f [clone .isra.0]"),
        ("f(int) [clone .isra.0] [clone .cold]", "f  "),
        ("`anonymous namespace'::f", "(anonymous namespace)::f"),
        ("(anonymous namespace)::f(int)", "(anonymous namespace)::f"),
        ("f((anonymous namespace)::X)", "f"),
        ("a::$_12::operator()(int) const", "a::$::operator()"),
        ("a::{lambda(int)#1}::operator()(int) const", "a::{lambda#1}::operator()"),
        ("Foo::operator bool() const", "Foo::operator bool"),
        ("Foo::operator new[](unsigned long)", "Foo::operator new[]"),
        ("operator delete(void*)", "delete"),
        ("a::operator<(a::X const&, a::X const&)", "a::operator<"),
        ("a::operator<<(std::ostream&, X<Y> const&)", "a::operator<<"),
        ("a::operator<=>(X<Y> const&)", "a::operator<=>"),
        ("a::operator->(x)", "a::operator->"),
        ("std::function<void (int)>::operator()(int) const", "std::function<T>::operator()"),
        ("IPC::ParamTraits<A<B<C> > >::Read(int)", "IPC::ParamTraits<A<T> >::Read"),
        ("Foo<IPC::ParamTraits<A>>::f", "Foo<T>::f"),
        ("<name omitted>", "<name omitted>"),
        ("<A<X> as B>::f", "<A<X> as B>::f"),
        ("foo<lambda in bar>::f", "foo<lambda in bar>::f"),
        ("decltype(auto) f<int>(int)", "f<T>"),
        ("f<a,b", "f<T>"),
        ("f>a", "f>a"),
        ("f(int", "f"),
        ("f,g", "f, g"),
        ("X<a as b ,c *>::f", "X<a as b, c*>::f"),
        ("foo::h0123456789abcdef", "foo::h0123456789abcdef"),
        ("const", ""),
        ("", ""),
    ],
)
def test_a_c_function_keeps_what_tells_it_from_others(function: str, name: str) -> None:
    assert name_of(function, "/a.cpp") == name


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("core::ptr::write_volatile::<u8>", "core::ptr::write_volatile::<T>"),
        ("alloc::vec::Vec<T,A>::push::h0123456789ABCDEF", "alloc::vec::Vec<T>::push"),
        ("<a::B<K> as c::D>::f", "<a::B<K> as c::D>::f"),
        ("<fn() as core::ops::FnOnce<()>>::call_once", "<fn as core::ops::FnOnce<>>::call_once"),
        ("f::{{closure}}", "f::{{closure}}"),
        ("static void f(int) ", "f"),
        ("foo::hxyz", "foo::hxyz"),
        ("foo::h", "foo::h"),
    ],
)
def test_a_rust_function_keeps_its_traits_and_loses_its_hash(function: str, name: str) -> None:
    assert name_of(function, "/a.rs") == name


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("hg:hg.example.com/main:gfx/a.cpp:0123", "gfx/a.cpp"),
        ("git:src/a.rs", "src/a.rs"),
        ("c:\\src\\a.cc", "\\src\\a.cc"),
        ("/src/a.rs", "/src/a.rs"),
        ("src/a.rs", ""),
        ("a:b:c", ""),
        ("a:b:c:d:e", ""),
        ("", ""),
    ],
)
def test_the_source_path_is_found_in_the_forms_that_symbol_files_use(file: str, path: str) -> None:
    assert source_path(file) == path


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        ({"function": "f(int)", "file": "a.c", "line": 1, "module": "m"}, "f"),
        ({"file": "/x/a.c/", "line": 12, "module": "m"}, "a.c#12"),
        ({"file": "c:\\x\\a.c", "line": 12, "module": "m"}, "a.c#12"),
        ({"file": "/x/a.c", "line": 0, "module": "m"}, "m"),
        ({"module": "[vdso]", "offset": "0x12"}, "vdso"),
        ({"unloaded_modules": [{"module": "gone.dll"}], "offset": "0x12"}, "(unloaded gone.dll)"),
        ({"unloaded_modules": [], "offset": "0x000000000000ab12"}, "@0xab12"),
        ({"offset": "somewhere"}, "@somewhere"),
        ({}, ""),
        (
            {"function": "panic_fmt", "file": "git:r:src/libcore/panicking.rs:1"},
            "core::panicking::panic_fmt",
        ),
    ],
)
def test_a_frame_is_named_by_the_best_that_is_known_of_it(
    frame: dict[str, Any], name: str, no_lists: SignatureLists
) -> None:
    (found,) = names({"frames": [frame]}, windows=False, lists=no_lists)
    assert found.text == name


def test_modules_are_lower_cased_on_windows_alone() -> None:
    stack = {"threads": [{"frames": [{"module": "My.DLL"}]}]}
    assert generate(stack | {"os": "Windows NT"}).signature == "my.dll"
    assert generate(stack | {"os": "Linux"}).signature == "My.DLL"


def test_inlined_functions_come_before_their_frame_and_share_its_module(
    no_lists: SignatureLists,
) -> None:
    frame = {
        "function": "outer",
        "module": "app",
        "inlines": [{"function": "inner", "file": "a.c", "line": 3}, {}],
    }
    found = names({"frames": [frame]}, windows=False, lists=no_lists)
    assert [name.text for name in found] == ["inner", "app", "outer"]


def test_forty_frames_are_looked_at_inlined_ones_included(no_lists: SignatureLists) -> None:
    frame = {"function": "outer", "inlines": [{"function": "inner"}] * 2}
    assert len(names({"frames": [frame] * 1000}, windows=False, lists=no_lists)) == 40


@settings(max_examples=300, deadline=None)
@given(strategies.functions)
def test_a_name_never_grows_but_for_spaces_after_commas(function: str) -> None:
    for file in ("/a.cpp", "/a.rs"):
        name = name_of(function, file)
        assert len(name) <= len(function) + 2 * function.count("<") + function.count(",")
