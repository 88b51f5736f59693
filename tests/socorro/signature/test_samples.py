# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Real crashes, and the signature that an engineer would choose for each.

`samples/` holds what a stack walk says of the minidumps of the sample crashes: the crashing
thread's first frames and the top frame of the others.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from socorro.signature import Action, Result, from_processed_crash, generate

SAMPLES = Path(__file__).parent / "samples"


def sign(sample: str) -> Result:
    walk: dict[str, Any] = json.loads((SAMPLES / f"{sample}.json").read_text())
    return generate(from_processed_crash({"json_dump": walk}))


@pytest.mark.parametrize(
    ("sample", "signature"),
    [
        ("nested_null", "acme::storage::Cache<T>::Entry::Touch"),
        ("stack_overflow", "acme::layout::MeasureDepth"),
        ("threads", "acme::jobs::Worker::StoreResult"),
        ("inlined", "PutPixel"),
        ("rust_unwrap", "<rust_demo::engine::Lookup<K> as rust_demo::engine::Step>::apply"),
        ("uncaught", "acme::parser::Parser::ParseHeader"),
        ("test", "(anonymous namespace)::CrashFunction"),
        ("pipeline-inlines-macos-segv", "sadness_generator::raise_segfault"),
    ],
)
def test_a_sample_is_named_after_the_function_to_look_at(sample: str, signature: str) -> None:
    assert sign(sample).signature == signature


def test_the_trail_of_a_rust_panic_shows_what_was_skipped() -> None:
    trail = sign("rust_unwrap").trail
    assert [entry.action for entry in trail[:-1]] == [Action.IRRELEVANT] * (len(trail) - 1)
    assert trail[-1].action is Action.LAST
    assert "core::panicking::panic_fmt" in [entry.name for entry in trail]
    assert all(entry.matches for entry in trail[:-1])


def test_the_proto_signature_holds_forty_frames() -> None:
    proto_signature = sign("stack_overflow").proto_signature
    assert proto_signature is not None
    assert proto_signature.split(" | ") == ["acme::layout::MeasureDepth"] * 40
