# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The rulesets: which rules run, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass

from processor.own_rules import load_own_rules, with_own_rules
from processor.pipeline import Pipeline, RulesetError
from processor.rules.addons import Addons, ThemePrettyName
from processor.rules.annotations import CopyAnnotations
from processor.rules.base import ProductRule, Rule
from processor.rules.crash_facts import (
    CrashInconsistencies,
    GuardPageAccess,
    PossibleBitFlips,
    SoftErrors,
)
from processor.rules.dates import DatesAndTimes
from processor.rules.environment import Accessibility, DistributionId
from processor.rules.identity import CollectorMetadata, CrashReportKeys, Identifiers
from processor.rules.java import Breadcrumbs, JavaStackTrace
from processor.rules.mac import MacBootArgs, MacCrashInfo
from processor.rules.memory import MemoryMeasures, MemoryReport
from processor.rules.modules import MissingSymbols, ModulesInStack, SymbolUrls
from processor.rules.phc import Phc
from processor.rules.platform import AndroidCpuInfo, AndroidOsInfo, PlatformInfo
from processor.rules.process import Plugin, ProcessType, UtilityActorsName
from processor.rules.reasons import MozCrashReason
from processor.rules.report import ReportType, SubmittedFrom
from processor.rules.signature import ShutdownHang, Signature
from processor.rules.stackwalk import StackWalk
from processor.rules.system import CpuInfo, OsInfo, OsPrettyVersion
from processor.rules.threads import CrashingThread, ThreadCount, TopmostFile, TruncateStacks
from processor.rules.versions import (
    BetaVersion,
    DevEditionVersion,
    EsrVersion,
    FenixVersion,
    MajorVersion,
)
from processor.stackwalk import Walkers
from processor.versions import ApiVersions, NoVersions, VersionLookup
from socorro.products import Product, load_configured
from socorro.settings import SettingError, Settings
from socorro.signing import Signer, load_signer

# Rules that run only for products whose file names them.
PRODUCT_RULES = (BetaVersion, DevEditionVersion, FenixVersion)


@dataclass(frozen=True)
class Choices:
    """What a deployment decides about its ruleset: products, own rules, who knows versions."""

    products: Sequence[Product] = ()
    own_rules: Sequence[Rule] = ()
    versions: VersionLookup = NoVersions()

    def wanting(self, rule: type[ProductRule]) -> frozenset[str]:
        """Return the names of the products whose file names a rule."""
        name = rule.__name__
        return frozenset(product.name for product in self.products if name in product.rules)


def load_rulesets(
    settings: Settings, walkers: Walkers, *, online: bool = True
) -> dict[str, Pipeline]:
    """Return the rulesets by name, as the settings want them.

    Without `online` no rule asks the network. Raises SettingError for wrong settings, for a product
    file that names an unknown rule, and for own rules that cannot work.
    """
    versions = ApiVersions(settings.version_string_address) if online else NoVersions()
    products = _checked(load_configured(settings))
    signer = load_signer(settings)
    try:
        own_rules = load_own_rules(settings.processor_rules)
        return make_rulesets(walkers, signer, Choices(products, own_rules, versions))
    except RulesetError as error:
        raise SettingError(f"PROCESSOR_RULES: {error}.") from error


def make_rulesets(
    walkers: Walkers, signer: Signer, choices: Choices = Choices()
) -> dict[str, Pipeline]:
    """Return the rulesets by name. Raises RulesetError for rules that cannot work."""
    default = with_own_rules(default_rules(walkers, signer, choices), choices.own_rules)
    return {
        "default": Pipeline("default", default),
        "regenerate_signature": Pipeline(
            "regenerate_signature", [Signature(signer)], from_stored=True
        ),
    }


def default_rules(walkers: Walkers, signer: Signer, choices: Choices) -> list[Rule]:
    """Return the rules of the default ruleset in their order, without a deployment's own."""
    dev_edition = DevEditionVersion(choices.wanting(DevEditionVersion), choices.versions)
    return [
        # Who it is and what came with it.
        Identifiers(),
        CrashReportKeys(),
        CollectorMetadata(),
        # What the client said.
        CopyAnnotations(),
        FenixVersion(choices.wanting(FenixVersion)),
        EsrVersion(),
        SubmittedFrom(),
        # What the minidump says.
        StackWalk(walkers),
        SymbolUrls(),
        CrashingThread(),
        TruncateStacks(),
        PossibleBitFlips(),
        CrashInconsistencies(),
        GuardPageAccess(),
        # What the client said of the product, the process and the time.
        MajorVersion(),
        Plugin(),
        ProcessType(),
        Accessibility(),
        Addons(),
        DatesAndTimes(),
        MemoryReport(),
        # Why, by the program itself.
        Phc(),
        Breadcrumbs(),
        JavaStackTrace(),
        MacBootArgs(),
        MacCrashInfo(),
        MozCrashReason(),
        UtilityActorsName(),
        ReportType(),
        # What it ran on: by the minidump first, then by the annotations.
        CpuInfo(),
        AndroidCpuInfo(),
        DistributionId(),
        OsInfo(),
        AndroidOsInfo(),
        PlatformInfo(),
        dev_edition,
        BetaVersion(choices.wanting(BetaVersion), choices.versions, dev_edition),
        OsPrettyVersion(),
        # What was on the stack.
        TopmostFile(),
        ModulesInStack(),
        MissingSymbols(),
        ThemePrettyName(),
        MemoryMeasures(),
        SoftErrors(),
        ThreadCount(),
        # What it is called, from all of the above.
        Signature(signer),
        ShutdownHang(),
    ]


def _checked(products: Sequence[Product]) -> Sequence[Product]:
    known = {rule.__name__ for rule in PRODUCT_RULES}
    for product in products:
        if unknown := set(product.rules) - known:
            raise SettingError(
                f"PRODUCTS: {product.name}: rules: {min(unknown)} is no rule for products to "
                f"choose; those are {', '.join(sorted(known))}."
            )
    return products
