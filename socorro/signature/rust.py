# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Rust function names, and the panic functions that once came without their paths."""

import re

from socorro.signature.brackets import last_token, remove, rewrite

_HASH = re.compile("::h[0-9a-fA-F]+$")

# Rust 1.34 wrote these names without their paths into its debug information.
_PANIC_PATHS = {
    "src/liballoc/raw_vec.rs": ("alloc::raw_vec::", {"capacity_overflow"}),
    "src/libcore/option.rs": ("core::option::", {"expect_failed"}),
    "src/libcore/panicking.rs": (
        "core::panicking::",
        {"panic_bounds_check", "panic_fmt", "panic"},
    ),
    "src/libcore/slice/mod.rs": ("core::slice::", {"slice_index_order_fail"}),
    "src/libstd/panicking.rs": (
        "std::panicking::",
        {"begin_panic_fmt", "continue_panic_fmt", "rust_panic_with_hook"},
    ),
}


def qualified_panic(function: str, source: str) -> str:
    """The panic function with its path, if it is one of those; else the function as it is."""
    path, functions = _PANIC_PATHS.get(source, ("", ()))
    return path + function if function in functions else function


def collapse(function: str) -> str:
    """The name without return type, type arguments (but with "<A as B>") and arguments.

    >>> collapse("alloc::vec::Vec<u8>::push::h0123456789abcdef")
    'alloc::vec::Vec<T>::push::h0123456789abcdef'
    """
    return remove(rewrite(last_token(function), "<", _type_arguments), "(")


def without_hash(name: str) -> str:
    """The name without the "::h<hex digits>" that the compiler appends to tell copies apart."""
    return _HASH.sub("", name) if "::h" in name else name


def _type_arguments(name: str, start: int, end: int, _closed: bool) -> str:
    inside = name[start:end]
    return inside if " as " in inside else "<T>"
