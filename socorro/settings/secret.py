# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The key that signs sessions, made at first use."""

import contextlib
import os
import secrets
from pathlib import Path

from socorro.settings.declared import SettingError, Settings


def secret_key(settings: Settings) -> str:
    """Return SECRET_KEY, or the key in the data folder, which is made at first use.

    Raises SettingError when it can be neither read nor made.
    """
    if settings.secret_key:
        return settings.secret_key
    path = settings.data / "secret_key"
    try:
        if not path.exists():
            _make_key(path)
        return _read_key(path)
    except OSError as error:
        raise SettingError(f"SECRET_KEY: cannot keep a key in the data folder: {error}.") from error


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"secret_key.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as key_file:
            key_file.write(secrets.token_urlsafe(48))
        # Of several processes that start at once one makes the key, and none sees half of it.
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink()


def _read_key(path: Path) -> str:
    key = path.read_text().strip()
    if len(key) < 40:
        raise SettingError(f"SECRET_KEY: {path} is empty or cut; delete it to have a new one made.")
    return key
