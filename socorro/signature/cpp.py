# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""C and C++ function names, stripped to what tells one function from another."""

import re

from socorro.signature.brackets import last_token, outermost, remove, rewrite

# What may follow the argument list, in the order in which it is taken away, each once.
_QUALIFIERS = ("const", "const&", "const &", "&&", "&")
_QUALIFIER_ENDS = ("const", "&")

_NUMBERED_LAMBDA = re.compile(r"::\$_\d+::")

# What needs a closer look, wherever it stands in a name.
_EXTRAORDINARY = re.compile(
    r"[\[\]{}`']|operator| as | in |<name omitted>|IPC::ParamTraits|anonymous"
)

_PARAM_TRAITS = "IPC::ParamTraits"
# Deeper than any real type; the limit is for hostile names.
_MAX_PARAM_TRAITS_DEPTH = 16


def collapse(function: str) -> str:
    """The name without qualifiers, return type, template arguments and arguments.

    >>> collapse("static void ns::Foo<int, A<B>>::bar(char const*) const")
    'ns::Foo<T>::bar'
    """
    return collapse_ordinary(function) or collapse_any(function)


def collapse_ordinary(function: str) -> str:
    """What `collapse_any` gives, several times as fast; "" if the name is not an ordinary one.

    Most names are: no brackets but those of template arguments, then perhaps one argument list
    without parentheses in it, and "const".
    """
    if _EXTRAORDINARY.search(function):
        return ""
    name, parenthesis, arguments = function.partition("(")
    if parenthesis:
        arguments = arguments.removesuffix(" const")
        if "(" in arguments or arguments.find(")") != len(arguments) - 1:
            return ""
    elif name.endswith(_QUALIFIER_ENDS):
        return ""
    if ")" in name or name != name.strip():
        return ""
    if "<" in name or ">" in name:
        name = _without_types(name)
    name = name.rpartition(" ")[2]
    return _NUMBERED_LAMBDA.sub("::$::", name) if "::$_" in name else name


def _without_types(name: str) -> str:
    """The name with "<T>" for all template arguments; "" if their brackets are not balanced."""
    pieces = []
    position = 0
    for start, end, closed in outermost(name, "<"):
        if not closed:
            return ""
        pieces.append(name[position:start])
        position = end
    pieces.append(name[position:])
    return "" if any(">" in piece for piece in pieces) else "<T>".join(pieces)


def collapse_any(function: str) -> str:
    """The collapsed name of any function, whatever its shape."""
    name = _without_qualifiers(function)
    # A conversion operator has a space in its name: "Foo::operator bool".
    if "::operator" not in name:
        name = last_token(name)
    name = name.replace("`anonymous namespace'", "(anonymous namespace)")
    if "::$_" in name:
        name = _NUMBERED_LAMBDA.sub("::$::", name)
    name = _collapse_types(name)
    name = rewrite(name, "(", _argument_list)
    if "clone .cold" in name:
        name = remove(name, "[")
    return name


def _without_qualifiers(function: str) -> str:
    if not function.endswith(_QUALIFIER_ENDS):
        return function
    for qualifier in _QUALIFIERS:
        if function.endswith(qualifier):
            function = function.removesuffix(qualifier).strip()
    return function


def _collapse_types(name: str, depth: int = 0) -> str:
    def collapsed(text: str, start: int, end: int, closed: bool) -> str:
        inside = text[start:end]
        if inside == "<name omitted>" or " as " in inside or " in " in inside:
            return inside
        if text.endswith("operator", 0, start):
            return inside
        # Which type is serialised is the whole point of these.
        if text.endswith(_PARAM_TRAITS, 0, start) and depth < _MAX_PARAM_TRAITS_DEPTH:
            closer = ">" if closed else ""
            types = inside[1 : len(inside) - len(closer)]
            return f"<{_collapse_types(types, depth + 1)}{closer}"
        return "<T>"

    return rewrite(name, "<", collapsed)


def _argument_list(name: str, start: int, end: int, _closed: bool) -> str:
    inside = name[start:end]
    if inside == "(anonymous namespace)" or name.endswith("operator", 0, start):
        return inside
    return ""
