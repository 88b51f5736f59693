# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash Stats with code that reloads, for `socorro run --dev`."""

import os
import sys
from typing import NoReturn

from django.conf import settings
from django.core.management import call_command

from socorro.logging import set_up_logging
from webapp.prepare import prepare


def run_development_server() -> NoReturn:
    """Serve with Django's own server until stopped; SOCORRO_DEBUG must be on."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    prepare()
    socorro = settings.SOCORRO
    set_up_logging(socorro, "webapp")
    host = f"[{socorro.webapp_host}]" if ":" in socorro.webapp_host else socorro.webapp_host
    # Static files come from the middleware, as in production.
    call_command("runserver", f"{host}:{socorro.webapp_port}", use_static_handler=False)
    sys.exit()
