# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Times as people read them: always UTC, always saying so."""

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def utc(moment: datetime | None) -> SafeString | str:
    """Return a time element, ``2026-11-22 19:02:33 UTC``."""
    return _element(moment, "%Y-%m-%d %H:%M:%S UTC")


@register.filter
def utc_minute(moment: datetime | None) -> SafeString | str:
    """Return a time element without the seconds, for lists: ``2026-11-22 19:02 UTC``."""
    return _element(moment, "%Y-%m-%d %H:%M UTC")


def _element(moment: datetime | None, form: str) -> SafeString | str:
    if moment is None:
        return ""
    in_utc = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}">{}</time>',
        in_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        in_utc.strftime(form),
    )
