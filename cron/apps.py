# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The Django app that keeps what cronrun knows about its jobs."""

from django.apps import AppConfig


class CronConfig(AppConfig):
    """App with the label ``cron``."""

    name = "cron"
    verbose_name = "Jobs"
    default_auto_field = "django.db.models.BigAutoField"
