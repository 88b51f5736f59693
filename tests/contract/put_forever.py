# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``python -m tests.contract.put_forever URL``: put documents, print each that is accepted."""

import sys

from socorro.search import open_index
from tests.contract.reports import new_id
from tests.contract.search_cases import DAY


def main(url: str) -> None:
    """Put until somebody ends the process."""
    index = open_index(url)
    while True:
        uuid = new_id()
        index.put({"uuid": uuid, "date": DAY.isoformat(), "signature": "main"})
        sys.stdout.write(f"{uuid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
