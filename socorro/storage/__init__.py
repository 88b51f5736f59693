# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Crash storage: raw crashes, their dumps and processed crashes.

`open_storage` turns a URL from the settings into a backend; everything else in the system knows
only the `CrashStorage` interface.
"""

from socorro.storage.base import (
    CrashNotFound,
    CrashReport,
    CrashStorage,
    InvalidDumpName,
    StorageError,
    StorageMisconfigured,
    StorageUnavailable,
    check_dump_name,
)
from socorro.storage.filesystem import FilesystemStorage
from socorro.storage.s3 import S3Storage

__all__ = [
    "CrashNotFound",
    "CrashReport",
    "CrashStorage",
    "FilesystemStorage",
    "InvalidDumpName",
    "S3Storage",
    "StorageError",
    "StorageMisconfigured",
    "StorageUnavailable",
    "check_dump_name",
    "open_storage",
]


def open_storage(url: str) -> CrashStorage:
    """Return the storage that ``fs:///var/lib/socorro/crashes`` or ``s3://crashes`` names.

    Nothing is read or written yet: `CrashStorage.verify` does that. Raises ValueError for a URL
    that names none.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "fs" and rest:
        return FilesystemStorage(rest)
    if scheme == "s3":
        return S3Storage(url)
    raise ValueError("must be fs://FOLDER or s3://BUCKET")
