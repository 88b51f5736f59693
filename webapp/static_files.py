# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Static files under names that hold a hash of their content, without a step for the operator.

The files are few and lie beside the code, so that their hashes are computed at start instead of
by `collectstatic`: nothing is written, and nothing can be left over from an older version.
"""

import hashlib
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]


@cache
def hashed_name(name: str) -> str:
    """Return the public name of a static file: ``site.css`` becomes ``site.0123456789ab.css``.

    Raises FileNotFoundError when there is no such file.
    """
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(f"no static file {name}")
    digest = hashlib.sha256(Path(found).read_bytes()).hexdigest()[:12]
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}.{digest}{path.suffix}"))


class HashedStorage(StaticFilesStorage):
    """Gives templates the hashed names; the plain ones while code reloads (SOCORRO_DEBUG)."""

    def url(self, name: str | None) -> str:
        """Return the address of a static file."""
        if name is None or settings.DEBUG:
            return super().url(name)
        return super().url(hashed_name(name))


class HashedStaticMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serves each static file under its hashed name for ever, under its plain one for a minute."""

    def add_files_from_finders(self) -> None:
        """Register every file under both names."""
        super().add_files_from_finders()
        for finder in finders.get_finders():
            for name, storage in finder.list([]):
                url = self.static_prefix + hashed_name(name)
                self.add_file_to_dictionary(url, storage.path(name))

    def immutable_file_test(self, path: str, url: str) -> bool:
        """Say whether `url` is the hashed name of the file at `path`."""
        return PurePosixPath(url).name != Path(path).name

    def __call__(self, request: Any) -> Any:
        """Answer a request for a static file; pass on any other."""
        return super().__call__(request)
