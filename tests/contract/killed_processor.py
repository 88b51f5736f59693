# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A real processor that is killed by kill -9 the moment it has done a step: `... STEP`."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from processor import app
from processor.walker import WalkerSource
from socorro.settings import load

# What the processor has just done with its crash, and the call that did it.
STEPS = {
    "claimed": "receive",
    "loaded": "fetch_dump",
    "walked": "walk",
    "saved": "save_processed_crash",
    "indexed": "put",
    "exported": "save_telemetry_crash",
    "acknowledged": "acknowledge",
}


class DiesAfter:
    """An object whose process is killed when a method of it returns something."""

    def __init__(self, target: Any, method: str) -> None:
        self._target = target
        self._method = method

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        return self._deadly(value) if name == self._method else value

    @staticmethod
    def _deadly(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            # A look into an empty queue is no claim.
            if result != []:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call


def main(step: str) -> None:
    """Run a processor with what the settings name, until the step is done."""
    method = STEPS[step]

    def deadly(make: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: DiesAfter(make(*args, **kwargs), method)

    for name in ("open_queue", "open_storage", "open_index"):
        setattr(app, name, deadly(getattr(app, name)))
    WalkerSource.get = deadly(WalkerSource.get)  # type: ignore[method-assign]
    app.main(load())


if __name__ == "__main__":
    main(sys.argv[1])
