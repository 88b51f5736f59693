# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""A bounded run of the coverage-guided fuzzer, from a corpus of real shapes."""

import json
import os
import subprocess
import sys
from pathlib import Path

from .corpus import CrashMaker

_SECONDS = 5
_SOAKED_SECONDS = 150
_SEED = os.environ.get("SEED", "1")
_REPOSITORY = Path(__file__).parents[3]
_MAX_BYTES = 4_096


def test_the_fuzzer_finds_nothing(tmp_path: Path, soaking: bool) -> None:
    seconds = _SOAKED_SECONDS if soaking else _SECONDS
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    _sow(corpus)
    run = subprocess.run(
        [
            sys.executable, "-m", "tests.socorro.signature.fuzz_signature", str(corpus),
            f"-max_total_time={seconds}", f"-seed={_SEED}", f"-max_len={_MAX_BYTES}",
            f"-artifact_prefix={tmp_path}/", "-timeout=20",
        ],
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        timeout=seconds + 100,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert "Done" in run.stderr


def _sow(corpus: Path) -> None:
    """Crashes as JSON, and as lines; the first byte is what the fuzzer makes of the others."""
    maker = CrashMaker(int(_SEED))
    for number in range(60):
        crash = json.dumps(maker.crash()).encode()[:_MAX_BYTES]
        (corpus / f"crash-{number}").write_bytes(bytes([number % 3]) + crash)
