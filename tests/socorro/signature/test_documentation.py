# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The examples of the documentation are true."""

import json
import re
from pathlib import Path

import pytest

from socorro.signature import PIPELINE, generate

_PAGE = Path(__file__).parents[3] / "docs" / "user" / "signatures.md"
_EXAMPLE = re.compile(r"```json\n(.*?)```\n```text\n(.*?)\n```", re.DOTALL)
_EXAMPLES = _EXAMPLE.findall(_PAGE.read_text("utf-8"))


@pytest.mark.parametrize(("crash", "signature"), _EXAMPLES, ids=[e[1] for e in _EXAMPLES])
def test_an_example_gets_the_signature_that_the_page_says(crash: str, signature: str) -> None:
    assert generate(json.loads(crash)).signature == signature


def test_every_rule_has_an_example() -> None:
    changed = {step.rule for crash, _ in _EXAMPLES for step in generate(json.loads(crash)).steps}
    cut = {"Length"}  # its example would be longer than the page
    assert changed | cut == {rule.label for rule in PIPELINE}
