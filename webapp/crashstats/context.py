# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What every page needs besides its own subject."""

from typing import Any

from django.http import HttpRequest

from socorro import __version__
from webapp.crashstats.access import viewer_of


def site(request: HttpRequest) -> dict[str, Any]:
    """Django context processor: the viewer, and the version at the foot of the page."""
    return {"viewer": viewer_of(request), "version": __version__, "here": request.get_full_path()}
