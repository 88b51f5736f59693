# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``python -m tests.contract.publish_forever URL``: publish ids, print each that is kept."""

import sys

from socorro.queue import QueueName, Task, open_queue
from tests.contract.reports import new_id


def main(url: str) -> None:
    """Publish until somebody ends the process."""
    queue = open_queue(url, lease_seconds=60)
    while True:
        crash_id = new_id()
        queue.publish(QueueName.STANDARD, [Task(crash_id)])
        sys.stdout.write(f"{crash_id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
