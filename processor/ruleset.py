# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The rulesets: which rules run, and in which order."""

from processor.pipeline import Pipeline
from processor.rules.annotations import CopyAnnotations, EsrVersion, MajorVersion, ProcessType
from processor.rules.dates import DatesAndTimes
from processor.rules.identity import CollectorMetadata, CrashReportKeys, Identifiers
from processor.rules.modules import MissingSymbols, ModulesInStack
from processor.rules.signature import Signature
from processor.rules.stackwalk import StackWalk
from processor.rules.system import CpuInfo, OsInfo, OsPrettyVersion
from processor.rules.threads import CrashingThread, ThreadCount, TopmostFile, TruncateStacks
from processor.stackwalk import Walkers
from socorro.signing import Signer


def make_rulesets(walkers: Walkers, signer: Signer) -> dict[str, Pipeline]:
    """Return the rulesets by name. Raises RulesetError for rules that cannot work."""
    default = [
        # Who it is and what came with it.
        Identifiers(),
        CrashReportKeys(),
        CollectorMetadata(),
        # What the client said.
        CopyAnnotations(),
        EsrVersion(),
        MajorVersion(),
        ProcessType(),
        DatesAndTimes(),
        # What the minidump says.
        StackWalk(walkers),
        CrashingThread(),
        TruncateStacks(),
        ThreadCount(),
        TopmostFile(),
        ModulesInStack(),
        MissingSymbols(),
        # What it ran on, by both.
        CpuInfo(),
        OsInfo(),
        OsPrettyVersion(),
        # What it is called.
        Signature(signer),
    ]
    return {
        "default": Pipeline("default", default),
        "regenerate_signature": Pipeline(
            "regenerate_signature", [Signature(signer)], from_stored=True
        ),
    }
