# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""S3Proxy: S3 on a folder. It checks signatures and checksums as S3 does."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import requests
from botocore.config import Config

from tests.servers.credentials import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from tests.servers.java_server import JavaServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Server(JavaServer):
    """S3 on a folder; objects survive a restart and a kill -9.

    Not as S3: a key cannot be another key's folder (``a`` and ``a/b``), and a key's part between
    slashes has at most 255 bytes.
    """

    name = "S3Proxy"
    profile = "s3"
    main_class = "org.gaul.s3proxy.Main"

    def client(self, secret: str = SECRET_ACCESS_KEY) -> "S3Client":
        """Return a client that may do everything, or one with another secret."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}),
        )

    def create_bucket(self, name: str) -> None:
        """Make an empty bucket."""
        self.client().create_bucket(Bucket=name)

    def url(self, bucket: str) -> str:
        """Return the setting that names a bucket: ``s3://BUCKET?endpoint=...&region=...``."""
        return self.aws_url("s3", bucket)

    def prepare(self) -> None:
        (self.folder / "objects").mkdir(parents=True, exist_ok=True)
        settings = {
            "s3proxy.endpoint": self.endpoint,
            "s3proxy.authorization": "aws-v4",
            "s3proxy.identity": ACCESS_KEY_ID,
            "s3proxy.credential": SECRET_ACCESS_KEY,
            "jclouds.provider": "filesystem-nio2",
            "jclouds.identity": "unused",
            "jclouds.credential": "unused",
            "jclouds.filesystem.basedir": str(self.folder / "objects"),
        }
        lines = "".join(f"{name}={value}\n" for name, value in settings.items())
        self._settings_file.write_text(lines)

    def arguments(self) -> Sequence[str]:
        return ["--properties", str(self._settings_file)]

    def is_ready(self) -> bool:
        """Whether an unsigned request is refused, as it must be."""
        try:
            return requests.get(self.endpoint, timeout=5).status_code == 403
        except requests.RequestException:
            return False

    @property
    def _settings_file(self) -> Path:
        return self.folder / "s3proxy.conf"
