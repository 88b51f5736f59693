# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The WSGI application of Crash Stats: ``gunicorn -c python:webapp.gunicorn_conf webapp.wsgi``."""

import logging
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from socorro.logging import set_up_logging
from socorro.metrics import set_up_metrics
from socorro.sentry import set_up_sentry
from webapp.limits import limit_statements
from webapp.observe import report_unhandled_errors

# What a page asks of the database is small; the longest wait is for a database that hangs.
_STATEMENT_SECONDS = 5.0

set_up_logging(settings.SOCORRO, "webapp")
set_up_metrics(settings.SOCORRO)
set_up_sentry(settings.SOCORRO, "webapp")
report_unhandled_errors()
limit_statements(_STATEMENT_SECONDS)
# A page that is not there is no event; errors are.
logging.getLogger("django.request").setLevel(logging.ERROR)

application = get_wsgi_application()
