# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Who looks at a page, and what that person may see."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest


@dataclass(frozen=True)
class Viewer:
    """The person behind a request; the default is anybody."""

    name: str = ""
    may_see_protected: bool = False
    may_download_dumps: bool = False
    may_reprocess: bool = False

    @property
    def is_logged_in(self) -> bool:
        """Say whether the person is known."""
        return bool(self.name)


def viewer_of(request: HttpRequest) -> Viewer:
    """Return who asks; nothing is looked up for who has no session.

    Raises django.db.OperationalError or InterfaceError while the database is away: somebody with
    a session is not shown as a stranger (see `webapp.sessions`).
    """
    known = getattr(request, "_viewer", None)
    if not isinstance(known, Viewer):
        known = _viewer(request)
        greet(request, known)
    return known


def greet(request: HttpRequest, viewer: Viewer) -> None:
    """Let `viewer` be the one who asks, without looking."""
    request._viewer = viewer  # type: ignore[attr-defined]


def _viewer(request: HttpRequest) -> Viewer:
    user = getattr(request, "user", AnonymousUser())
    if not user.is_authenticated or not user.is_active:
        return Viewer()
    return Viewer(
        name=user.get_username(),
        may_see_protected=user.has_perm("crashstats.view_pii"),
        may_download_dumps=user.has_perm("crashstats.view_rawdump"),
        may_reprocess=user.has_perm("crashstats.reprocess_crashes"),
    )
