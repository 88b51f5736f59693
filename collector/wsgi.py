# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The collector for a WSGI server: ``gunicorn -c python:collector.gunicorn_conf``."""

from collector.app import create_app
from collector.limits.rate_limits import shared_rate_limits
from collector.startup import load_settings_or_exit, verify_or_exit
from socorro.logging import set_up_logging
from socorro.metrics import set_up_metrics
from socorro.sentry import set_up_sentry

settings = load_settings_or_exit()
set_up_logging(settings, "collector")
set_up_metrics(settings, prometheus="collector")
set_up_sentry(settings, "collector")
verify_or_exit(settings)
application = create_app(settings, limits=shared_rate_limits(settings))
application.start()
