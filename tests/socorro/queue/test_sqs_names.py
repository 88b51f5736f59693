# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The URL of an SQS queue: what it names, and that reading it asks nobody."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socorro.aws import AwsUrl
from socorro.queue import QueueName, open_queue
from socorro.queue.sqs.names import OPTIONS, Names


def names(url: str) -> Names:
    return Names.of(AwsUrl.parse(url, options=OPTIONS))


def test_queues_are_named_after_the_prefix() -> None:
    found = names("sqs://Crashes_1?region=eu-west-1")
    assert found.queues == {
        QueueName.PRIORITY: "Crashes_1-priority",
        QueueName.STANDARD: "Crashes_1-standard",
        QueueName.REPROCESSING: "Crashes_1-reprocessing",
    }
    assert found.dead("Crashes_1-standard") == "Crashes_1-standard-dead"


def test_each_queue_may_have_a_name_of_its_own() -> None:
    found = names("sqs://crashes?standard=socorro-normal&dead=-DLQ")
    assert found.queues[QueueName.STANDARD] == "socorro-normal"
    assert found.queues[QueueName.PRIORITY] == "crashes-priority"
    assert found.dead("socorro-normal") == "socorro-normal-DLQ"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqs://", "must be sqs://NAME"),
        ("sqs://key:secret@crashes", "must not hold credentials"),
        ("sqs://crashes?dumps=x", "unknown option 'dumps'"),
        ("sqs://a.b", "queue name 'a.b', which must be 1 to 80 letters"),
        ("sqs://crashes.fifo", "FIFO queue 'crashes.fifo': a standard queue serves"),
        ("sqs://crashes?standard=crashes.fifo", "FIFO queue"),
        ("sqs://crashes?standard=", "queue name ''"),
        ("sqs://crashes?standard=a%0Ab", "queue name"),
        ("sqs://crashes?dead=.x", "queue name"),
        ("sqs://" + "x" * 77, "queue name"),
        ("sqs://crashes?standard=" + "x" * 76, "queue name"),
        ("sqs://crashes?standard=one&priority=one", "names the queue one twice"),
        ("sqs://crashes?standard=one&priority=one-dead", "names the queue one-dead twice"),
        ("sqs://crashes?dead=", "twice"),
    ],
)
def test_a_wrong_url_says_what_it_must_be(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        open_queue(url, lease_seconds=1)


@given(rest=st.text(max_size=60))
def test_any_text_is_a_url_or_a_value_error(rest: str) -> None:
    try:
        queue = open_queue(f"sqs://{rest}", lease_seconds=1)
    except ValueError:
        return
    assert queue.engine.startswith("SQS queues ")


def test_the_engine_names_queues_and_place() -> None:
    url = "sqs://crashes?endpoint=http://127.0.0.1:9324&priority=hurry"
    assert open_queue(url, lease_seconds=1).engine == (
        "SQS queues hurry, crashes-standard, crashes-reprocessing at http://127.0.0.1:9324"
    )


def test_reading_a_url_loads_no_client_and_asks_nobody() -> None:
    code = (
        "import sys; from socorro.queue import open_queue;"
        "open_queue('sqs://crashes?endpoint=http://127.0.0.1:1', lease_seconds=1).close();"
        "assert not [name for name in sys.modules if name.startswith('boto')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
