# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Stacks as table rows, built here and not in a template.

A crash has thousands of frames, and a template takes a hundred times as long for each of them.
"""

from collections.abc import Iterable
from html import escape

from django import template
from django.utils.safestring import SafeString, mark_safe

from webapp.crashstats.stack import Frame

register = template.Library()

_ROW = (
    '<tr{row_class}><td class="frame">{number}</td>'
    '<td class="function">{function}{badge}</td>'
    '<td class="source">{source}</td><td class="module">{module}</td>'
    '<td class="trust"><span class="trust-{trust_class}">{trust}</span></td></tr>'
)
_NOTE = '<tr class="cut"><td colspan="5">{note}</td></tr>'
_NO_SYMBOLS = ' <span class="badge missing">no symbols</span>'
_TRUST_CLASSES = {"context": "context", "cfi": "cfi", "inlined": "inlined", "scan": "scan"}


@register.filter
def stack_rows(frames: Iterable[Frame]) -> SafeString:
    """Return the rows of a stack; every value is escaped."""
    return mark_safe("\n".join(map(_row, frames)))  # noqa: S308 - _row escapes


def _row(frame: Frame) -> str:
    if frame.note:
        return _NOTE.format(note=escape(frame.note))
    classes = [
        name
        for name, holds in (("inlined", frame.inlined), ("no-symbols", frame.missing_symbols))
        if holds
    ]
    return _ROW.format(
        row_class=f' class="{" ".join(classes)}"' if classes else "",
        number=escape(frame.number),
        function=_breakable(frame.function, "::"),
        badge=_NO_SYMBOLS if frame.missing_symbols else "",
        source=_breakable(frame.source, "/"),
        module=escape(frame.module),
        trust=escape(frame.trust),
        trust_class=_TRUST_CLASSES.get(frame.trust, "other"),
    )


def _breakable(text: str, mark: str) -> str:
    """Return the escaped text, in which a line may break after each `mark`."""
    return escape(text).replace(mark, f"{mark}<wbr>")
