# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The pipeline: fourteen rules in an order that matters, as one flat list."""

from collections.abc import Mapping, Sequence
from typing import Any

from socorro.signature.crash_data import CrashData
from socorro.signature.draft import Draft, Rule
from socorro.signature.lists import SignatureLists, default_lists
from socorro.signature.own_rules import load_rule
from socorro.signature.result import Result
from socorro.signature.rules import abort, environment, ipc, oom, shutdown, source, text

_NAMING = (
    Rule("Stack", source.sign),
    Rule("Stackwalker error", environment.name_stackwalker_error),
    Rule("Bad hardware", environment.mark_bad_hardware),
    Rule("Out of memory", oom.mark_out_of_memory),
    Rule("Abort message", abort.name_abort),
    Rule("Shutdown timeout", shutdown.name_shutdown_timeout),
    Rule("Shutdown hang", source.rename_shutdown_hang),
    Rule("IPC channel error", ipc.name_ipc_channel_error),
    Rule("IPC message", ipc.name_ipc_message),
    Rule("Stack overflow", environment.mark_stack_overflow),
    Rule("Hang", environment.mark_hang),
)
_CLEANING = (
    Rule("Printable characters", text.keep_printable_characters),
    Rule("White space", text.fold_whitespace),
    Rule("Length", text.truncate),
)

PIPELINE: tuple[Rule, ...] = (*_NAMING, *_CLEANING)


def with_own_rules(names: Sequence[str]) -> tuple[Rule, ...]:
    """The pipeline with a deployment's own rules, each named "module:function".

    They run after the rules that name the crash, and before those that clean the text, so that
    every signature is printable and short. Raises RuleError for a name that cannot be loaded.
    """
    return (*_NAMING, *[load_rule(name) for name in names], *_CLEANING)


def generate(
    crash_data: Mapping[str, Any],
    lists: SignatureLists | None = None,
    rules: Sequence[Rule] = PIPELINE,
) -> Result:
    """The signature of a crash.

    `crash_data` is a plain dictionary as `schema` describes it; `lists` are those that come with
    Socorro if none are given; `rules` are for a deployment that adds its own (`with_own_rules`).

    Raises CrashDataError, and nothing else, for a value of a kind that its key may not have.
    """
    draft = Draft(CrashData.parse(crash_data), lists or default_lists())
    for rule in rules:
        rule.apply(draft)
    return Result(
        signature=draft.signature,
        proto_signature=draft.proto_signature,
        notes=tuple(draft.notes),
        trail=draft.trail,
        steps=tuple(draft.steps),
    )
