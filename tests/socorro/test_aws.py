# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What S3 and SQS share: URLs, a client for each process, errors as sentences."""

import multiprocessing
import subprocess
import sys
import threading

import pytest
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import given
from hypothesis import strategies as st

from socorro.aws import AwsUrl, PerProcess, explain, make_client

URL = AwsUrl.parse("s3://crashes?endpoint=http://127.0.0.1:9000")


def test_a_url_has_a_name_an_endpoint_and_a_region() -> None:
    url = AwsUrl.parse("s3://crashes/?endpoint=https://s3.example.com/&region=eu-west-1")
    assert url == AwsUrl("crashes", "https://s3.example.com", "eu-west-1", {})
    assert AwsUrl.parse("sqs://socorro") == AwsUrl("socorro", "", "", {})


def test_options_of_one_scheme_are_taken_where_they_are_known() -> None:
    url = AwsUrl.parse("sqs://socorro?standard=crashes", options={"standard"})
    assert url.options == {"standard": "crashes"}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("s3://", "must be s3://NAME"),
        ("s3://crashes/folder", "must be s3://NAME"),
        ("s3://crashes#part", "must be s3://NAME"),
        ("s3://key:secret@crashes", "must not hold credentials"),
        ("s3://crashes?endpont=http://127.0.0.1", "unknown option 'endpont'"),
        ("s3://crashes?standard=x", "unknown option 'standard'"),
        ("s3://crashes?region=a&region=b", "region twice"),
        ("s3://crashes?region=Europe/West", "region that is none"),
        ("s3://crashes?endpoint=127.0.0.1:9000", "endpoint that is not"),
        ("s3://crashes?endpoint=ftp://127.0.0.1", "endpoint that is not"),
        ("s3://crashes?endpoint=http://", "endpoint that is not"),
        ("s3://crashes?endpoint=http://key:secret@127.0.0.1", "endpoint that is not"),
        ("s3://crashes?endpoint=http://127.0.0.1/path", "endpoint that is not"),
        ("s3://crashes?endpoint=http://127.0.0.1:99999", "port is none"),
        ("s3://crashes?endpoint=http://s3_server:9000", "host cannot be named 's3_server'"),
        ("s3://crashes?endpoint=http://-s3:9000", "host cannot be named"),
    ],
)
def test_a_wrong_url_says_what_it_must_be(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        AwsUrl.parse(url)


@given(rest=st.text(max_size=60))
def test_any_text_is_a_url_or_a_value_error(rest: str) -> None:
    try:
        parsed = AwsUrl.parse(f"s3://{rest}")
    except ValueError:
        return
    assert parsed.name


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (exceptions.NoCredentialsError(), "there are no credentials: set AWS_ACCESS_KEY_ID"),
        (exceptions.NoRegionError(), "no region is set"),
        (exceptions.ConnectTimeoutError(endpoint_url="x"), "http://127.0.0.1:9000 cannot be reach"),
        (exceptions.EndpointConnectionError(endpoint_url="x"), "http://127.0.0.1:9000 cannot be"),
        (exceptions.ConnectionClosedError(endpoint_url="x"), "http://127.0.0.1:9000 cannot be re"),
        (exceptions.ReadTimeoutError(endpoint_url="x"), "http://127.0.0.1:9000 does not answer in"),
        (exceptions.SSLError(endpoint_url="x", error="y"), "TLS with http://127.0.0.1:9000 failed"),
        (exceptions.UnknownServiceError(service_name="x", known_service_names="y"), "UnknownServ"),
    ],
)
def test_errors_of_the_way_there_are_sentences(error: BotoCoreError, sentence: str) -> None:
    assert explain(error, URL).startswith(sentence)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("NoSuchBucket", "there is no such bucket"),
        ("SignatureDoesNotMatch", "the credentials are refused (SignatureDoesNotMatch)"),
        ("InvalidAccessKeyId", "the credentials are refused (InvalidAccessKeyId)"),
        ("AccessDenied", "these credentials may not do PutObject (AccessDenied)"),
        ("403", "these credentials may not do PutObject (403)"),
        ("SlowDown", "PutObject was answered with SlowDown (status 503)"),
        ("", "PutObject was answered with an error (status 503)"),
    ],
)
def test_refusals_are_sentences_that_quote_nothing(code: str, sentence: str) -> None:
    answer = {"Error": {"Code": code, "Message": "private"}, "ResponseMetadata": {}}
    answer["ResponseMetadata"] = {"HTTPStatusCode": 503}
    error = ClientError(answer, "PutObject")  # type: ignore[arg-type]
    assert explain(error, URL) == sentence


@pytest.mark.parametrize(
    "host", ["127.0.0.1:9000", "[::1]:9000", "sqs", "s3.eu-west-1.example.com."]
)
def test_a_client_takes_the_endpoints_that_a_url_may_have(host: str) -> None:
    url = AwsUrl.parse(f"s3://crashes?endpoint=http://{host}")
    assert make_client("s3", url).meta.endpoint_url == f"http://{host}"


def test_a_value_is_made_once_by_all_threads_of_a_process() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    value = PerProcess(make)
    threads = [threading.Thread(target=value.get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert value.forget() == made
    assert value.forget() == []


def test_a_forked_process_makes_a_value_of_its_own() -> None:
    value = PerProcess(object)
    parents = value.get()
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def ask() -> None:
        answers.put((value.get() is parents, len(value.forget())))

    child = context.Process(target=ask)
    child.start()
    child.join()
    assert answers.get() == (False, 1)
    assert value.get() is parents


def test_an_endpoint_needs_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    url = AwsUrl.parse("sqs://socorro?endpoint=http://127.0.0.1:9324")
    assert make_client("sqs", url).meta.region_name == "us-east-1"
    with pytest.raises(exceptions.NoRegionError):
        make_client("sqs", AwsUrl.parse("sqs://socorro"))


def test_who_keeps_everything_on_one_machine_does_not_load_boto3() -> None:
    code = "import sys, socorro.backends; socorro.backends.engines(socorro.settings.load());"
    check = "assert not [name for name in sys.modules if name.startswith('boto')]"
    subprocess.run([sys.executable, "-c", f"{code} {check}"], check=True)
