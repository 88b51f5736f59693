# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Gunicorn's log lines in the format of ours, without the addresses of clients."""

import logging
import re
from typing import Any

from gunicorn.glogging import Logger

_ADDRESS = re.compile(r"\bip=\S*")


class GunicornLogger(Logger):  # type: ignore[misc]
    """Hands what gunicorn has to say to our own log handlers."""

    def setup(self, cfg: Any) -> None:
        """Let lines pass on to the root logger instead of gunicorn's own handlers."""
        super().setup(cfg)
        self.error_log.handlers[:] = []
        self.error_log.propagate = True
        self.error_log.setLevel(logging.NOTSET)

    def info(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """What gunicorn tells about its own life is for whoever looks for it."""
        super().debug(msg, *args, **kwargs)

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log a warning; those about malformed requests name the client, which ours do not."""
        super().warning(_ADDRESS.sub("ip=-", msg), *args, **kwargs)
