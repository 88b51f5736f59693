# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``python -m tests.contract.index_forever URL``: do an index's background work."""

import sys
import threading

from socorro.search import open_index


def main(url: str) -> None:
    """Work until somebody ends the process."""
    open_index(url).run_indexer(threading.Event())


if __name__ == "__main__":
    main(sys.argv[1])
