# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A deployment's own rules: those of the modules that PROCESSOR_RULES names, in their places."""

from collections.abc import Sequence
from importlib import import_module

from processor.pipeline import RulesetError
from processor.rules.base import Rule


def load_own_rules(modules: Sequence[str]) -> list[Rule]:
    """Return the rules of Python modules: what the list ``RULES`` of each holds.

    Raises RulesetError for a module that cannot be imported, or has no such list of rules.
    """
    return [rule for name in modules for rule in _rules_of(name)]


def with_own_rules(rules: Sequence[Rule], own_rules: Sequence[Rule]) -> list[Rule]:
    """Return the rules, each of the deployment's own in its place: `runs_before`, else the end.

    Those with the same place keep their order. Raises RulesetError for a place before a rule that
    does not exist.
    """
    placed = list(rules)
    for own in own_rules:
        placed.insert(_place(own, placed), own)
    return placed


def _rules_of(name: str) -> list[Rule]:
    try:
        module = import_module(name)
    except Exception as error:
        # Their code may raise anything; what it says belongs to the operator who named it.
        raise RulesetError(f"{name} cannot be imported: {error!r}") from error
    rules = getattr(module, "RULES", None)
    if not isinstance(rules, list) or not all(isinstance(rule, Rule) for rule in rules):
        raise RulesetError(f"{name} has no list RULES of instances of processor.rules.base.Rule")
    return rules


def _place(own: Rule, rules: Sequence[Rule]) -> int:
    if own.runs_before is None:
        return len(rules)
    names = [type(rule).__name__ for rule in rules]
    if own.runs_before not in names:
        name = type(own).__name__
        raise RulesetError(f"{name}: there is no rule {own.runs_before!r} before which it can run")
    return names.index(own.runs_before)
