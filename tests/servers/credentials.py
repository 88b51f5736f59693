# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The credentials of the tests: S3Proxy wants them, ElasticMQ takes any."""

import os

ACCESS_KEY_ID = "socorro-tests"
SECRET_ACCESS_KEY = "a-secret-of-the-tests-alone"
REGION = "us-east-1"


def aws_environment() -> dict[str, str]:
    """Environment variables that give a process these credentials and nothing of its user's."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def foreign_aws_variables() -> list[str]:
    """Names of the variables in this environment that would lead a client of AWS elsewhere."""
    return [name for name in os.environ if name.startswith("AWS_")]
