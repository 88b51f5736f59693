# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``python -m tests.contract.receive_and_hold URL SECONDS``: take a message, and keep it."""

import sys
import time

from socorro.queue import open_queue


def main(url: str, lease_seconds: float) -> None:
    """Print the id of a message; then wait to be killed."""
    queue = open_queue(url, lease_seconds=lease_seconds)
    (message,) = queue.receive(1, wait=30)
    sys.stdout.write(f"{message.task.crash_id}\n")
    sys.stdout.flush()
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
