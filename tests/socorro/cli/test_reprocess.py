# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""`socorro reprocess`: which crashes are queued, and what is said of those that are not."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from processor.ruleset import make_rulesets
from processor.walker import WalkerSource
from socorro import settings
from socorro.cli.commands import cli
from socorro.cli.latest import latest_crash_ids
from socorro.crash_id import InvalidCrashId, is_crash_id, make_crash_id, pasted_crash_id
from socorro.fields import search_document
from socorro.queue import LocalQueue, QueueName, QueueUnavailable, Task
from socorro.search import open_index
from socorro.signing import load_signer

A = "0b5e3a1c-9c1e-4a6e-8f43-2b8d10261122"
B = "1b5e3a1c-9c1e-4a6e-8f43-2b8d10261121"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def queued(data: Path) -> Callable[..., list[Task]]:
    def read(name: QueueName = QueueName.REPROCESSING) -> list[Task]:
        queue = LocalQueue(data / "queue", lease_seconds=60)
        messages = queue.receive(10_000, wait=0, queues=[name])
        queue.close()
        return [message.task for message in messages]

    return read


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, ["reprocess", *arguments], input=stdin)


def test_ids_prefixed_ids_and_addresses_of_reports_are_queued(
    queued: Callable[..., list[Task]],
) -> None:
    result = run(f"bp-{A}", f"https://crash.example.com/report/index/{B}?tab=1")
    assert result.exit_code == 0, result.output
    assert result.stdout == "2 crashes are queued in reprocessing, ruleset default.\n"
    assert queued() == [Task(A), Task(B)]


def test_ids_are_read_from_standard_input_one_a_line(queued: Callable[..., list[Task]]) -> None:
    result = run("--ruleset", "regenerate_signature", "-", stdin=f"{A}\n\n  {B}  \n{A}\n")
    assert result.exit_code == 0, result.output
    assert queued() == [Task(A, "regenerate_signature"), Task(B, "regenerate_signature")]


def test_another_queue_can_be_named(queued: Callable[..., list[Task]]) -> None:
    assert run("--queue", "priority", A).exit_code == 0
    assert queued(QueueName.PRIORITY) == [Task(A)]


def test_a_bad_id_keeps_all_from_being_queued_and_is_named_with_its_line(
    queued: Callable[..., list[Task]],
) -> None:
    result = run(A, "-", stdin=f"{B}\nnonsense\n")
    assert result.exit_code == 2
    assert "line 2: not a crash id: 'nonsense'" in result.stderr
    assert "Nothing was queued" in result.stderr
    assert queued() == []


def test_bad_ids_can_be_skipped_and_are_still_named(queued: Callable[..., list[Task]]) -> None:
    result = run("--skip-bad", "nonsense", A)
    assert result.exit_code == 1
    assert "argument 1: not a crash id: 'nonsense'" in result.stderr
    assert queued() == [Task(A)]


def test_of_many_bad_ids_some_are_named_and_the_others_counted(data: Path) -> None:
    result = run("-", stdin="x\n" * 1000)
    assert result.exit_code == 2
    assert "… and 980 more" in result.stderr
    assert len(result.stderr.splitlines()) < 30


def test_more_ids_than_fit_a_batch_are_all_queued(queued: Callable[..., list[Task]]) -> None:
    ids = [make_crash_id(datetime.now(UTC)) for _ in range(1_203)]
    result = run("-", stdin="\n".join(ids))
    assert result.stdout.startswith("1,203 crashes are queued")
    assert {task.crash_id for task in queued()} == set(ids)


@pytest.mark.parametrize(
    "arguments",
    [(), ("--ruleset", "unknown", A), ("--queue", "unknown", A), ("--last", "0")],
)
def test_what_cannot_be_meant_is_refused_with_the_usage(
    queued: Callable[..., list[Task]], arguments: tuple[str, ...]
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr
    assert queued() == []


def test_no_input_queues_nothing(queued: Callable[..., list[Task]]) -> None:
    result = run("-")
    assert (result.exit_code, result.stdout[:20]) == (0, "0 crashes are queued")
    assert queued() == []


def test_a_queue_that_goes_away_on_the_way_says_how_far_it_came(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = LocalQueue.publish
    left = iter([True, False])

    def once(self: LocalQueue, queue: QueueName, tasks: list[Task]) -> None:
        if not next(left):
            raise QueueUnavailable("gone")
        publish(self, queue, tasks)

    monkeypatch.setattr(LocalQueue, "publish", once)
    ids = "\n".join(make_crash_id(datetime.now(UTC)) for _ in range(700))
    result = run("-", stdin=ids)
    assert isinstance(result.exception, QueueUnavailable)
    assert "500 of 700 crashes were queued." in result.stderr


def test_the_rulesets_are_those_of_the_processor(data: Path) -> None:
    loaded = settings.load()
    known = make_rulesets(WalkerSource(loaded), load_signer(loaded))
    (option,) = [each for each in cli.commands["reprocess"].params if each.name == "ruleset"]
    assert set(option.type.choices) == known.keys()  # type: ignore[attr-defined]


@given(st.text(max_size=120) | st.just("http://[") | st.just(f"//x/{A}"))
def test_any_text_is_a_crash_id_or_refused(text: str) -> None:
    try:
        crash_id = pasted_crash_id(text)
    except InvalidCrashId:
        return
    assert is_crash_id(crash_id)


@pytest.fixture
def indexed(data: Path) -> list[str]:
    """Five crashes in the index, the newest first; every second one is of another product."""
    index = open_index(settings.load().search)
    now = datetime.now(UTC)
    ids = []
    for age in range(5):
        moment = now - timedelta(hours=age)
        ids.append(make_crash_id(moment))
        document = {
            "uuid": ids[-1],
            "date_processed": moment.isoformat(),
            "product": ("Ours", "Theirs")[age % 2],
            "signature": ("alpha", "alpha | beta")[age % 2],
        }
        index.put(search_document(document))
    stopping = threading.Event()
    indexer = threading.Thread(target=index.run_indexer, args=(stopping,))
    indexer.start()
    deadline = time.monotonic() + 20
    while index.pending():
        assert time.monotonic() < deadline
        stopping.wait(0.01)
    stopping.set()
    indexer.join()
    index.close()
    return ids


def test_the_latest_crashes_are_queued(
    indexed: list[str], queued: Callable[..., list[Task]]
) -> None:
    assert run("--last", "3").exit_code == 0
    assert [task.crash_id for task in queued()] == indexed[:3]


def test_all_crashes_of_exactly_a_signature_are_queued(
    indexed: list[str], queued: Callable[..., list[Task]]
) -> None:
    assert run("--signature", "alpha").exit_code == 0
    assert [task.crash_id for task in queued()] == indexed[::2]


def test_selections_narrow_each_other(
    indexed: list[str], queued: Callable[..., list[Task]]
) -> None:
    assert run("--product", "Theirs", "--last", "1").exit_code == 0
    assert [task.crash_id for task in queued()] == [indexed[1]]
    assert run("--product", "Theirs", "--signature", "alpha").exit_code == 0
    assert queued() == []


def test_more_crashes_than_one_search_lists_are_found_once_each(
    indexed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socorro.cli.latest.MAX_RESULTS", 1)
    monkeypatch.setattr("socorro.cli.latest.MAX_WINDOW", 2)
    assert list(latest_crash_ids(settings.load(), 100)) == indexed


@pytest.mark.parametrize(
    "query",
    [
        "product=Theirs",
        "?product=Theirs&signature=~beta",
        "https://crashes.example.org/search/?product=Theirs&_facets=version&_sort=date&page=2",
        "/api/SuperSearch/?product=Theirs&_results_number=1&_results_offset=1",
    ],
)
def test_a_search_is_given_by_its_parameters_or_its_address(
    indexed: list[str], queued: Callable[..., list[Task]], query: str
) -> None:
    assert run("--query", query).exit_code == 0
    assert [task.crash_id for task in queued()] == indexed[1::2]


def test_a_search_is_narrowed_by_the_other_options(
    indexed: list[str], queued: Callable[..., list[Task]]
) -> None:
    assert run("--query", "signature=~alpha", "--product", "Ours", "--last", "2").exit_code == 0
    assert [task.crash_id for task in queued()] == [indexed[0], indexed[2]]


def test_a_search_keeps_to_its_dates(indexed: list[str], queued: Callable[..., list[Task]]) -> None:
    bound = (datetime.now(UTC) - timedelta(minutes=150)).isoformat()
    assert run("--query", f"date=>={bound.replace('+', '%2B')}").exit_code == 0
    assert [task.crash_id for task in queued()] == indexed[:3]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "give parameters of a search"),
        ("https://crashes.example.org/search/", "give parameters of a search"),
        ("_facets=version", "give parameters of a search"),
        ("prodcut=Theirs", "'prodcut' is not known"),
        ("product=Theirs&date=yesterday", "date"),
        ("signature=@((", "signature"),
        ("https://[", "not an address"),
    ],
)
def test_a_search_that_would_find_something_else_is_refused(
    indexed: list[str], queued: Callable[..., list[Task]], query: str, said: str
) -> None:
    result = run("--query", query)
    assert result.exit_code == 2
    assert said in result.stderr
    assert queued() == []


def test_a_dry_run_lists_the_crashes_and_queues_none(
    indexed: list[str], queued: Callable[..., list[Task]]
) -> None:
    result = run("--product", "Ours", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.split() == indexed[::2]
    assert "3 crashes would be queued in reprocessing, ruleset default; nothing" in result.stderr
    assert queued() == []


def test_ids_are_read_from_files(queued: Callable[..., list[Task]], tmp_path: Path) -> None:
    (tmp_path / "ids").write_text(f"{A}\n\nbp-{B}\n")
    assert run("--ids", str(tmp_path / "ids")).exit_code == 0
    assert queued() == [Task(A), Task(B)]
    (tmp_path / "ids").write_bytes(b"\xff\xfe\n")
    bad = run("--ids", str(tmp_path / "ids"), B)
    assert (bad.exit_code, queued()) == (2, [])
    assert "ids line 1: not a crash id" in bad.stderr
    assert "cannot be read" in run("--ids", str(tmp_path / "none")).stderr


def test_an_interrupted_list_goes_on_where_it_was(
    data: Path, queued: Callable[..., list[Task]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [make_crash_id(datetime.now(UTC)) for _ in range(1_100)]
    done_file = str(data.with_name("done"))
    publish = LocalQueue.publish
    goes = iter([True, False])

    def interrupted(self: LocalQueue, queue: QueueName, tasks: list[Task]) -> None:
        if not next(goes):
            raise KeyboardInterrupt
        publish(self, queue, tasks)

    with monkeypatch.context() as patch:
        patch.setattr(LocalQueue, "publish", interrupted)
        first = run("-", "--resume", done_file, stdin="\n".join(ids))
    assert first.exit_code == 130
    assert "500 of 1,100 crashes were queued." in first.stderr
    assert "The same command goes on there." in first.stderr
    assert [task.crash_id for task in queued()] == ids[:500]

    second = run("-", "--resume", done_file, stdin="\n".join(ids))
    assert second.exit_code == 0
    assert "500 crashes are left out: queued before the interruption." in second.stderr
    assert second.stdout.startswith("600 crashes are queued in reprocessing")
    assert [task.crash_id for task in queued()] == ids[500:]
    assert not Path(done_file).exists()


def test_a_file_of_ids_given_as_the_one_to_remember_in_is_not_touched(
    queued: Callable[..., list[Task]], tmp_path: Path
) -> None:
    (tmp_path / "ids").write_text(f"{A}\n")
    result = run(A, "--resume", str(tmp_path / "ids"))
    assert result.exit_code == 2
    assert "is another file: name one that does not exist yet" in result.stderr
    assert (tmp_path / "ids").read_text() == f"{A}\n"
    assert queued() == []
