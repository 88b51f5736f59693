# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Log lines for people and for machines."""

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from socorro.gunicorn_logging import GunicornLogger
from socorro.logging import crash_context, set_up_logging
from socorro.settings import load

CRASH_ID = "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20261122"
logger = logging.getLogger("socorro.test_of_logging")


@pytest.fixture(autouse=True)
def _root_logger_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_lines_for_people_have_time_service_level_and_crash_id(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging(replace(load(), log_format="text"), "collector")
    with crash_context(CRASH_ID):
        logger.info("saved %d dumps", 2)
    logger.warning("elsewhere")
    first, second = lines(capsys)
    assert re.fullmatch(rf"\d\d:\d\d:\d\dZ collector INFO    \[{CRASH_ID}\] saved 2 dumps", first)
    assert re.fullmatch(r"\d\d:\d\d:\d\dZ collector WARNING elsewhere", second)


@pytest.mark.parametrize(("level", "shown"), [("DEBUG", ["warning"]), ("ERROR", [])])
def test_clients_of_s3_and_sqs_do_not_tell_what_they_send(
    capsys: pytest.CaptureFixture[str], level: str, shown: list[str]
) -> None:
    set_up_logging(replace(load(), log_format="text", log_level=level), "collector")
    client = logging.getLogger("botocore.endpoint")
    client.debug("Making request with body %s", "a minidump")
    client.warning("warning")
    assert [line.rpartition(" ")[2] for line in lines(capsys)] == shown


def test_lines_for_machines_are_mozlog(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(replace(load(), log_format="json"), "processor")
    with crash_context(CRASH_ID):
        logger.error("went wrong: %s", "\ud800\n\x00")
    (line,) = lines(capsys)
    record = json.loads(line)
    assert record["Type"] == "socorro.test_of_logging"
    assert record["Service"] == "processor"
    assert record["Severity"] == 3
    assert record["EnvVersion"] == "2.0"
    assert isinstance(record["Timestamp"], int)
    assert record["Fields"]["crash_id"] == CRASH_ID
    assert record["Fields"]["msg"].startswith("went wrong: ")


def test_a_traceback_is_part_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(replace(load(), log_format="json"), "processor")
    try:
        raise KeyError("x")
    except KeyError:
        logger.exception("caught")
    (line,) = lines(capsys)
    assert "KeyError" in json.loads(line)["Fields"]["traceback"]


def test_without_a_terminal_lines_are_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(replace(load(), log_format="auto"), "cronrun")
    logger.info("a line")
    (line,) = lines(capsys)
    assert json.loads(line)["Service"] == "cronrun"


def test_lines_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(replace(load(), log_level="WARNING"), "webapp")
    logger.info("left out")
    assert lines(capsys) == []


def test_a_crash_id_ends_with_its_context(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(replace(load(), log_format="text"), "webapp")
    with crash_context(CRASH_ID), crash_context("inner"):
        pass
    logger.info("after")
    assert "[" not in lines(capsys)[0]


def test_what_gunicorn_says_about_a_client_has_no_address(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from gunicorn.config import Config

    set_up_logging(replace(load(), log_format="text"), "collector")
    gunicorn_logger = GunicornLogger(Config())
    gunicorn_logger.warning("Invalid request from ip=192.0.2.7: Invalid HTTP request line: 'x'")
    gunicorn_logger.info("Booting worker with pid: %s", 1)
    (line,) = lines(capsys)
    assert line.endswith("Invalid request from ip=- Invalid HTTP request line: 'x'")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_text_of_an_error_stays_out_of_the_log(
    capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    set_up_logging(replace(load(), log_format=log_format), "processor")
    try:
        try:
            raise KeyError("an annotation's value")
        except KeyError as cause:
            raise ValueError("another value") from cause
    except ValueError:
        logging.getLogger("tests").exception("failed")
    written = capsys.readouterr().err
    assert "ValueError" in written
    assert "KeyError" in written
    assert "test_logging.py" in written
    assert "annotation's value" not in _values(written)
    assert "another value" not in _values(written)


def _values(written: str) -> str:
    """The log without the source lines that a traceback quotes."""
    text = written.replace("\\n", "\n")
    return "\n".join(line for line in text.splitlines() if "raise " not in line)
