# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What crash storage makes of answers of S3 that the stand-in of the tests never gives."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
import urllib3
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from socorro.aws import AwsUrl
from socorro.storage import S3Storage, StorageUnavailable, bucket

CRASH_ID = "0b5e1a2b-3c4d-4e5f-8a9b-0c1d20261122"
RAW_CRASH = f"v1/raw_crash/20261122/{CRASH_ID}"
OBJECT = {"Bucket": "crashes", "Key": ANY}


@pytest.fixture
def s3(aws_credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """The answers to the requests of `storage`, in their order; all must be asked for."""
    client = bucket._connect(AwsUrl.parse("s3://crashes?region=eu-west-1"))
    monkeypatch.setattr(bucket, "_connect", lambda url: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def storage(s3: Stubber) -> S3Storage:
    return S3Storage("s3://crashes?region=eu-west-1")


def content(body: bytes) -> dict[str, Any]:
    return {"Body": StreamingBody(BytesIO(body), len(body)), "ContentLength": len(body)}


def test_a_check_says_which_permission_is_lacking_to_miss_a_crash(
    storage: S3Storage, s3: Stubber
) -> None:
    s3.add_response("put_object", {})
    s3.add_response("get_object", content(b"test"), OBJECT)
    s3.add_response("delete_object", {}, OBJECT)
    s3.add_client_error("get_object", "AccessDenied", http_status_code=403)
    with pytest.raises(StorageUnavailable, match=r": grant s3:ListBucket$"):
        storage.verify()


def test_a_check_whose_object_comes_back_changed_fails_and_still_deletes_it(
    storage: S3Storage, s3: Stubber
) -> None:
    s3.add_response("put_object", {})
    s3.add_response("get_object", content(b"tset"), OBJECT)
    s3.add_response("delete_object", {}, OBJECT)
    with pytest.raises(StorageUnavailable, match="was not read as it was written"):
        storage.verify()


def test_a_check_whose_object_cannot_be_deleted_fails(storage: S3Storage, s3: Stubber) -> None:
    s3.add_response("put_object", {})
    s3.add_response("get_object", content(b"test"), OBJECT)
    s3.add_client_error("delete_object", "AccessDenied", http_status_code=403)
    with pytest.raises(StorageUnavailable, match="may not do DeleteObject"):
        storage.verify()


def test_a_check_whose_object_stays_after_its_deletion_fails(
    storage: S3Storage, s3: Stubber
) -> None:
    s3.add_response("put_object", {})
    s3.add_response("get_object", content(b"test"), OBJECT)
    s3.add_response("delete_object", {}, OBJECT)
    s3.add_response("get_object", content(b"test"), OBJECT)
    with pytest.raises(StorageUnavailable, match="can be read although it was deleted"):
        storage.verify()


def test_objects_that_could_not_be_deleted_are_noticed_and_the_names_of_dumps_kept(
    storage: S3Storage, s3: Stubber
) -> None:
    names = {"Bucket": "crashes", "Key": f"v1/dump_names/{CRASH_ID}"}
    s3.add_response("get_object", content(b'["memory_report", "upload_file_minidump"]'), names)
    s3.add_response("delete_object", {}, {"Bucket": "crashes", "Key": RAW_CRASH})
    kinds = ["crash_report/20261122", "dump", "memory_report", "processed_crash"]
    s3.add_response(
        "delete_objects",
        {"Errors": [{"Key": f"v1/dump/{CRASH_ID}", "Code": "InternalError"}]},
        {
            "Bucket": "crashes",
            "Delete": {
                "Objects": [{"Key": f"v1/{kind}/{CRASH_ID}"} for kind in kinds],
                "Quiet": True,
            },
        },
    )
    with pytest.raises(StorageUnavailable, match=r"1 of 4 objects were not deleted \(InternalErr"):
        storage.delete_crash(CRASH_ID)


def test_a_crash_that_may_not_be_read_is_not_a_missing_one(storage: S3Storage, s3: Stubber) -> None:
    s3.add_client_error("get_object", "AccessDenied", http_status_code=403)
    s3.add_client_error("get_object", "AccessDenied", http_status_code=403)
    for call in (storage.load_raw_crash, storage.has_raw_crash):
        with pytest.raises(StorageUnavailable, match=r"may not do GetObject \(AccessDenied\)"):
            call(CRASH_ID)


class BrokenTls(BytesIO):
    """An answer's body on a connection whose encryption breaks, which botocore does not foresee."""

    def read(self, size: int | None = -1) -> bytes:
        raise urllib3.exceptions.SSLError("decryption failed")


def test_an_answer_whose_encryption_breaks_is_asked_for_once_more(
    storage: S3Storage, s3: Stubber
) -> None:
    broken = {"Body": StreamingBody(BrokenTls(), 4), "ContentLength": 4}
    s3.add_response("get_object", broken)
    s3.add_response("get_object", content(b'{"a": "1"}'))
    assert storage.load_raw_crash(CRASH_ID) == {"a": "1"}
    s3.add_response("get_object", broken)
    s3.add_response("get_object", broken)
    with pytest.raises(StorageUnavailable, match=r"broke off in the middle of an answer \(SSLErr"):
        storage.load_raw_crash(CRASH_ID)


def test_a_missing_bucket_is_made_in_its_region(storage: S3Storage, s3: Stubber) -> None:
    s3.add_client_error("list_objects_v2", "NoSuchBucket", http_status_code=404)
    configuration = {"LocationConstraint": "eu-west-1"}
    s3.add_response(
        "create_bucket", {}, {"Bucket": "crashes", "CreateBucketConfiguration": configuration}
    )
    storage.provision()


def test_a_bucket_that_another_process_made_meanwhile_is_fine(
    storage: S3Storage, s3: Stubber
) -> None:
    s3.add_client_error("list_objects_v2", "NoSuchBucket", http_status_code=404)
    s3.add_client_error("create_bucket", "BucketAlreadyOwnedByYou", http_status_code=409)
    storage.provision()


@pytest.mark.parametrize("code", ["BucketAlreadyExists", "InvalidLocationConstraint"])
def test_a_bucket_that_cannot_be_made_is_an_error(
    storage: S3Storage, s3: Stubber, code: str
) -> None:
    s3.add_client_error("list_objects_v2", "NoSuchBucket", http_status_code=404)
    s3.add_client_error("create_bucket", code, http_status_code=409)
    with pytest.raises(StorageUnavailable, match=f"CreateBucket was answered with {code}"):
        storage.provision()


def test_the_bucket_of_somebody_else_is_not_made(storage: S3Storage, s3: Stubber) -> None:
    s3.add_client_error("list_objects_v2", "AccessDenied", http_status_code=403)
    with pytest.raises(StorageUnavailable, match="may not do ListObjectsV2"):
        storage.provision()


def test_an_error_of_many_lines_is_told_on_one(storage: S3Storage, s3: Stubber) -> None:
    s3.add_client_error("get_object", "Internal\nError", http_status_code=500)
    with pytest.raises(StorageUnavailable) as raised:
        storage.load_raw_crash(CRASH_ID)
    assert "\n" not in str(raised.value)
