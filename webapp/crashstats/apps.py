# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The Django app."""

from django.apps import AppConfig


class CrashStatsConfig(AppConfig):
    """Crash Stats; its label is the prefix of the permissions: ``crashstats.view_pii``."""

    name = "webapp.crashstats"
    label = "crashstats"
    verbose_name = "Crash Stats"
