# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Whether the disk has room for the files of a crash."""

import logging
import shutil
from pathlib import Path

logger = logging.getLogger(__name__)


class Room:
    """Looks how much is free before a crash is taken: a full disk would fail it half way."""

    def __init__(self, folder: Path, wanted: int) -> None:
        """Ask for `wanted` free bytes on the disk of a folder."""
        self._folder = folder
        self._wanted = wanted
        self._told = False

    def is_there(self) -> bool:
        """Say whether there is room; log when that changes."""
        free = shutil.disk_usage(self._folder).free
        enough = free >= self._wanted
        if enough == self._told:
            self._told = not enough
            if enough:
                logger.info("there is room on the disk of %s again", self._folder)
            else:
                logger.error(
                    "takes no crash: %d bytes are free on the disk of %s, fewer than "
                    "MIN_FREE_DISK=%d",
                    free,
                    self._folder,
                    self._wanted,
                )
        return enough
