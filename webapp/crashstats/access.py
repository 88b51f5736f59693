# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Who looks at a page, and what that person may see."""

import logging
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.http import HttpRequest

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Viewer:
    """The person behind a request; the default is anybody."""

    name: str = ""
    may_see_protected: bool = False
    may_download_dumps: bool = False

    @property
    def is_logged_in(self) -> bool:
        """Say whether the person is known."""
        return bool(self.name)


def viewer_of(request: HttpRequest) -> Viewer:
    """Return who asks. Without the database everybody is a stranger, and pages still work."""
    known = getattr(request, "_viewer", None)
    if isinstance(known, Viewer):
        return known
    try:
        viewer = _viewer(request)
    except DatabaseError as error:
        logger.warning("the database does not answer, nobody is logged in: %s", error)
        viewer = Viewer()
    request._viewer = viewer  # type: ignore[attr-defined]
    return viewer


def _viewer(request: HttpRequest) -> Viewer:
    user = getattr(request, "user", AnonymousUser())
    if not user.is_authenticated or not user.is_active:
        return Viewer()
    return Viewer(
        name=user.get_username(),
        may_see_protected=user.has_perm("crashstats.view_pii"),
        may_download_dumps=user.has_perm("crashstats.view_rawdump"),
    )
