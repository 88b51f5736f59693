# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``python -m tests.collector.keep_forever FOLDER``: keep ids, print each that is safe."""

import sys
from pathlib import Path

from collector.saving.unpublished import Unpublished
from tests.contract.reports import new_id


def main(folder: Path) -> None:
    """Keep ids until somebody ends the process."""
    unpublished = Unpublished(folder)
    while True:
        crash_id = new_id()
        unpublished.add(crash_id)
        sys.stdout.write(f"{crash_id}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
