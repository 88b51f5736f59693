# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A fault at each system call of a save: nothing acknowledged is lost, nothing half is visible.

The calls are counted once, by a trace of a good save; then each is made to fail in turn, in a
process of its own. `make test` does a sample, `make soak` all.
"""

import random
from pathlib import Path

import pytest

from tests.collector.made_requests import Answer
from tests.contract.processes import wait_until
from tests.faults.strace import Call, Fault, calls_below, traced, tracing
from tests.faults.taker import Place, Taker, taker

_SAMPLE = 8
_KINDS = ("KILL", "EIO", "ENOSPC")


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """The system calls of a good save."""
    folder = tmp_path_factory.mktemp("good")
    place = Place(folder / "data", with_fallback=False)
    output = folder / "trace"
    with taker(place) as process, traced(process.pid, output, tracing()):
        assert process.take() is not None
    return calls_below(place.folder, process.pid, output)


def faults(calls: list[Call], kind: str, soaking: bool) -> list[Fault]:
    """Return all faults of a kind, or a fixed sample of them."""
    chosen = calls if soaking else random.Random(kind).sample(calls, _SAMPLE)
    return [Fault(call, kind) for call in chosen]


def test_the_calls_are_those_of_a_durable_save(calls: list[Call]) -> None:
    names = [call.name for call in calls]
    # Two dumps, their names and the raw crash: content, name and folder of each are synced.
    assert names.count("fsync") >= 8
    renames = [call.text for call in calls if call.name.startswith("rename")]
    assert ["raw_crash" in text for text in renames] == [False, False, False, True]
    # The queue's commit.
    assert any("queue.db" in call.text for call in calls)
    raw_crash = max(i for i, call in enumerate(calls) if call.name.startswith("rename"))
    commit = max(i for i, call in enumerate(calls) if "queue.db" in call.text)
    assert raw_crash < commit


@pytest.mark.parametrize("with_fallback", [False, True], ids=["alone", "with a fallback"])
@pytest.mark.parametrize("kind", _KINDS)
def test_a_fault_at_any_system_call_loses_nothing_and_shows_nothing_half(
    calls: list[Call], tmp_path: Path, kind: str, with_fallback: bool, soaking: bool
) -> None:
    for number, fault in enumerate(faults(calls, kind, soaking)):
        place = Place(tmp_path / str(number), with_fallback)
        with taker(place) as process:
            with traced(process.pid, tmp_path / f"trace-{number}", fault.option):
                during = process.take()
            assert (during is None) == fault.kills, fault
            after = take_again(process) if during is not None else None
        if after is None:
            with taker(place) as another:
                after = another.first
        check(place, fault, process.first, during, after)


def take_again(process: Taker) -> Answer:
    """Send a report until it is taken: the fault may have hit the check of the storage as well."""
    answers: list[Answer | None] = []

    def is_taken() -> bool:
        answers.append(process.take())
        return answers[-1] is not None and answers[-1].status == 200

    wait_until(is_taken, "a report is taken after the fault")
    assert answers[-1] is not None
    return answers[-1]


def check(place: Place, fault: Fault, before: Answer, during: Answer | None, after: Answer) -> None:
    """Check what is to be seen after a report before, one during and one after a fault."""
    acknowledged = {before.crash_id, after.crash_id}
    if during is not None:
        assert during.status in (200, 503), (fault, during)
        if during.status == 200:
            acknowledged.add(during.crash_id)
        else:
            assert during.body == "Discarded=storage_unavailable", fault
            assert int(during.headers["retry-after"]) > 0, fault
    visible = place.visible()
    assert acknowledged <= visible, fault
    for crash_id in acknowledged:
        assert place.published(crash_id), fault
    if not fault.kills:
        # One that was refused is not to be seen, and leaves nothing behind.
        assert visible == acknowledged, fault
