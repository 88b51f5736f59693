# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Stack walks of minidumps, by a long-lived child or by a command for each."""

from processor.stackwalk.command import CommandStackwalker
from processor.stackwalk.long_lived import LongLivedStackwalker
from processor.stackwalk.result import Stackwalker, Walkers, WalkResult

__all__ = ["CommandStackwalker", "LongLivedStackwalker", "Stackwalker", "WalkResult", "Walkers"]
