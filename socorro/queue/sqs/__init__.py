# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The crash queue in Amazon SQS, or a server that speaks its language."""

from socorro.queue.sqs.queue import SqsQueue

__all__ = ["SqsQueue"]
