# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""One collector with a fallback whose disk fails again and again: no client is told of any of it.

Here only the thread that saves is hit, once for each report; the thread that checks afterwards
whether the storage is back finds that it is.
"""

from pathlib import Path

import pytest

from tests.contract.processes import wait_until
from tests.faults.strace import Call, Fault, calls_below, traced, tracing
from tests.faults.taker import Place, Taker, taker

# `make test` does each so many-th call, `make soak` all.
_EVERY = 5


def usual_calls(process: Taker, place: Place, output: Path) -> list[Call]:
    """Return the calls of a save like those before it."""
    with traced(process.pid, output, tracing()):
        answer = process.take()
    assert answer is not None
    assert answer.crash_id
    return calls_below(place.folder, process.pid, output)


def wait_until_trusting(process: Taker) -> None:
    """Wait until what failed has been checked: the threads that check are gone."""
    tasks = Path(f"/proc/{process.pid}/task")
    wait_until(lambda: len(list(tasks.iterdir())) == 1, "storage and queue are trusted again")


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_client_feels_none_of_many_faults_if_there_is_a_fallback(
    tmp_path: Path, error: str, soaking: bool
) -> None:
    place = Place(tmp_path / "data", with_fallback=True)
    output = tmp_path / "trace"
    with taker(place) as process:
        calls = usual_calls(process, place, output)
        acknowledged = place.visible()
        for call in calls[:: 1 if soaking else _EVERY]:
            with traced(process.pid, output, tracing(), Fault(call, error).option):
                answer = process.take()
            assert "(INJECTED)" in output.read_text(errors="replace"), call
            assert answer is not None, call
            acknowledged.add(answer.crash_id)
            wait_until_trusting(process)
            assert place.visible() == acknowledged, call
            # A file that cannot be removed stays until it is swept.
            assert call.name.startswith("unlink") or spooled(place) == [], call
        assert all(place.published(crash_id) for crash_id in acknowledged)


def spooled(place: Place) -> list[Path]:
    """Return what lies in the spools."""
    return [path for storage in place.storages for path in storage.root.glob("spool/*")]
