# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The stackwalker that the settings ask for."""

from pathlib import Path

import pytest

from processor.stackwalk import CommandStackwalker, LongLivedStackwalker
from processor.walker import WalkerSource
from socorro.settings import SettingError, load
from tests.processor.stackwalk.programs import write_program
from tests.symbol_server import serving

# What a program in the place of a stackwalker does: it writes its arguments down.
SCRIPT = """[ "$1" = --version ] && exit
echo "$@" >$(dirname $0)/arguments
echo '{"modules": [{"missing_symbols": true}, {"loaded_symbols": true},'
echo '{"corrupt_symbols": true}, {}]}'
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_program(tmp_path / "bin" / "walker", SCRIPT)
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("STACKWALKER_COMMAND", str(path))
    return path


def test_servers_are_for_the_processor_and_their_cache_for_the_child(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as server:
        monkeypatch.setenv("SYMBOLS", f"/folder,{server.url.replace('//', '//me:secret@')}")
        walkers = WalkerSource(load())
        walker = walkers.get()
        assert isinstance(walker, LongLivedStackwalker)
        dump = tmp_path / "x.dmp"
        dump.write_bytes(b"MDMP")
        walker.walk(dump, None)
        walkers.close()
    arguments = (program.parent / "arguments").read_text().split()
    assert arguments.count("--symbols-path") == 2
    assert str(Path("/folder")) in arguments
    assert "--ask" in arguments
    cache = Path(arguments[arguments.index("--cache-path") + 1])
    assert cache.parent == tmp_path / "data" / "symbols-cache"
    assert "secret" not in " ".join(arguments)


def test_without_servers_the_child_asks_nothing(program: Path, tmp_path: Path) -> None:
    walker = WalkerSource(load()).get()
    assert walker is not None
    dump = tmp_path / "x.dmp"
    dump.write_bytes(b"MDMP")
    walker.walk(dump, None)
    walker.close()
    assert "--ask" not in (program.parent / "arguments").read_text()


def test_the_plain_command_downloads_by_itself(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKWALKER", "command")
    monkeypatch.setenv("SYMBOLS", "https://symbols.example.com/try#sym")
    walker = WalkerSource(load()).get()
    assert isinstance(walker, CommandStackwalker)
    dump = tmp_path / "x.dmp"
    dump.write_bytes(b"MDMP")
    output = walker.walk(dump, None).output
    assert output is not None
    statuses = [module["symbol_status"] for module in output["modules"]]
    assert statuses == ["not_found", "loaded", "corrupt", "not_needed"]
    arguments = (program.parent / "arguments").read_text()
    assert "--symbols-url=https://symbols.example.com/try/ " in arguments
    assert f"--symbols-cache {tmp_path}/data/symbols-cache/command" in arguments


@pytest.mark.parametrize(
    ("symbols", "headers"),
    [
        ("https://me:secret@symbols.example.com/", ""),
        ("https://symbols.example.com/", "symbols.example.com=Auth-Token: secret"),
    ],
)
def test_the_plain_command_gets_no_credentials(
    monkeypatch: pytest.MonkeyPatch, symbols: str, headers: str
) -> None:
    monkeypatch.setenv("STACKWALKER", "command")
    monkeypatch.setenv("SYMBOLS", symbols)
    monkeypatch.setenv("SYMBOLS_HEADERS", headers)
    with pytest.raises(SettingError, match=r"^SYMBOLS: ") as refused:
        WalkerSource(load())
    assert "secret" not in str(refused.value)
