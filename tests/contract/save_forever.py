# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``python -m tests.contract.save_forever URL``: save reports, print each id that is safe."""

import sys

from socorro.storage import open_storage
from tests.contract.reports import made_report, new_id


def main(url: str) -> None:
    """Save until somebody ends the process."""
    storage = open_storage(url)
    while True:
        crash_id = new_id()
        storage.save_raw_crash(made_report(storage, crash_id))
        sys.stdout.write(f"{crash_id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
