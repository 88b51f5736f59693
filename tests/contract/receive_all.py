# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``python -m tests.contract.receive_all URL``: take and acknowledge until the queue is empty."""

import sys

from socorro.queue import open_queue


def main(url: str) -> None:
    """Print the id of each message that was taken and acknowledged."""
    queue = open_queue(url, lease_seconds=60)
    while messages := queue.receive(3, wait=0.5):
        for message in messages:
            if queue.acknowledge(message):
                sys.stdout.write(f"{message.task.crash_id}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
