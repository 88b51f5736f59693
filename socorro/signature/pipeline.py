# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The pipeline: fourteen rules in an order that matters, as one flat list."""

from collections.abc import Mapping, Sequence
from typing import Any

from socorro.signature.crash_data import CrashData
from socorro.signature.draft import Draft, Rule
from socorro.signature.lists import SignatureLists, default_lists
from socorro.signature.result import Result
from socorro.signature.rules import abort, environment, ipc, oom, shutdown, source, text

PIPELINE: tuple[Rule, ...] = (
    source.sign,
    environment.name_stackwalker_error,
    environment.mark_bad_hardware,
    oom.mark_out_of_memory,
    abort.name_abort,
    shutdown.name_shutdown_timeout,
    source.rename_shutdown_hang,
    ipc.name_ipc_channel_error,
    ipc.name_ipc_message,
    environment.mark_stack_overflow,
    environment.mark_hang,
    text.keep_printable_characters,
    text.fold_whitespace,
    text.truncate,
)


def generate(
    crash_data: Mapping[str, Any],
    lists: SignatureLists | None = None,
    rules: Sequence[Rule] = PIPELINE,
) -> Result:
    """The signature of a crash.

    `crash_data` is a plain dictionary as docs/developer/signature.md describes it; `lists` are
    those that come with Socorro if none are given; `rules` are for a deployment that adds its own.

    Raises CrashDataError, and nothing else, for a value of a kind that its key may not have.
    """
    draft = Draft(CrashData.parse(crash_data), lists or default_lists())
    for rule in rules:
        rule(draft)
    return Result(draft.signature, draft.proto_signature, tuple(draft.notes), draft.trail)
