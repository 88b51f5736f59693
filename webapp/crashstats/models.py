# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What Crash Stats itself remembers; crashes are in crash storage and in the search index."""

from django.db import models


class Access(models.Model):
    """No table: the permissions that decide what somebody sees."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("view_pii", "View Personal Identifiable Information"),
            ("view_rawdump", "View Raw Dumps"),
            ("reprocess_crashes", "Reprocess Crashes"),
        ]


class PriorityRequest(models.Model):
    """When a crash was last sent to the priority queue because somebody looked at its page."""

    crash_id = models.CharField(max_length=36, primary_key=True)
    requested_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.crash_id} at {self.requested_at:%Y-%m-%d %H:%M:%S}"


class ProductVersion(models.Model):
    """A build of a product on a channel, and the version that it was released as.

    The build itself says ``128.0``; as a beta it is ``128.0b4`` or ``128.0rc1``. A build can be a
    release candidate on one channel and the release on another.
    """

    product = models.CharField(max_length=100)
    # In lower case.
    channel = models.CharField(max_length=100)
    build_id = models.CharField(max_length=100)
    version = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "channel", "build_id", "version"], name="a_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product} {self.version} ({self.channel}, {self.build_id})"
