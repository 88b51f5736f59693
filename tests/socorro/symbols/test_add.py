# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Adding symbols: real files in, a store that the stackwalker can read out."""

import gzip
import hashlib
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import zstandard

from socorro.packaged import SAMPLES
from socorro.symbols import AddResult, StoreUnavailable, add, sources
from socorro.symbols import store as store_module

SYMBOLS = SAMPLES / "crashes" / "symbols"
ID = "896B179A7FFF862257C61DA8779089BA0"
PLAIN = SYMBOLS / "nested_null" / ID / "nested_null.sym"
ZIPPED = SYMBOLS / "rust_demo" / "5375818F924AA9ADBCDF702A3EE7C9A00" / "rust_demo.sym.gz"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "data" / "symbols"


def files_of(store: Path) -> dict[str, bytes]:
    """Return the files below a folder, unpacked."""
    return {
        str(path.relative_to(store)): unpacked(path) for path in store.rglob("*") if path.is_file()
    }


def unpacked(path: Path) -> bytes:
    body = path.read_bytes()
    return gzip.decompress(body) if path.suffix == ".gz" else body


def reasons(result: AddResult) -> list[str]:
    return [refused.reason for refused in result.refused]


def symbols(name: str = "app", body: str = "PUBLIC 1000 0 main\n") -> bytes:
    return f"MODULE Linux x86_64 {ID} {name}\n{body}".encode()


def test_a_folder_of_symbols_is_stored_in_the_layout_that_is_looked_up(store: Path) -> None:
    result = add([SYMBOLS], store)
    assert not result.refused
    assert files_of(store) == files_of(SYMBOLS)
    assert {stored.module.debug_file for stored in result.added} == {
        path.name for path in SYMBOLS.iterdir()
    }


def test_symbols_compressed_with_zstd_are_stored_as_they_are(store: Path, tmp_path: Path) -> None:
    packer = zstandard.ZstdCompressor()
    body = packer.compress(symbols()[:20]) + packer.compress(symbols()[20:])
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "app.sym.zst").write_bytes(body)
    (stored,) = add([tmp_path / "in"], store).added
    assert stored.path == store / "app" / ID / "app.sym.zst"
    assert stored.path.read_bytes() == body
    plain = tmp_path / "app.sym"
    plain.write_bytes(symbols())
    assert not add([plain], store).added, "the same symbols are there"
    plain.write_bytes(symbols(body="PUBLIC 2000 0 other\n"))
    assert add([plain], store).added
    assert [path.name for path in stored.path.parent.iterdir()] == ["app.sym"]


@pytest.mark.parametrize(
    "body",
    [
        b"\x28\xb5\x2f\xfd",
        b"\x28\xb5\x2f\xfd and no more",
        zstandard.compress(symbols(body="PUBLIC 1000 0 main\n" * 5000))[:-20],
        zstandard.compress(symbols()) + b"and more",
    ],
)
def test_broken_zstd_is_refused(store: Path, tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "app.sym.zst"
    path.write_bytes(body)
    (reason,) = reasons(add([path], store))
    assert reason.startswith("it ")
    assert not files_of(store)


def test_a_zstd_bomb_is_refused_in_little_memory(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MAX_SIZE", 2**25)
    path = tmp_path / "app.sym.zst"
    path.write_bytes(zstandard.compress(symbols() + b"\n" * 2**28))
    tracemalloc.start()
    try:
        (reason,) = reasons(add([path], store))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "larger than" in reason
    assert peak < 2**27


@pytest.mark.parametrize("source", [PLAIN, ZIPPED])
def test_a_single_file_is_stored_whatever_it_is_called(
    source: Path, store: Path, tmp_path: Path
) -> None:
    renamed = tmp_path / "any name.bin"
    renamed.write_bytes(source.read_bytes())
    result = add([renamed], store)
    assert [stored.path for stored in result.added] == [store / source.relative_to(SYMBOLS)]
    assert unpacked(result.added[0].path) == unpacked(source)


def test_an_archive_may_hold_plain_and_gzipped_files_under_any_path(
    store: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "symbols.ZIP"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        writing.write(PLAIN, "../../../../tmp/evil/nested_null.sym")
        writing.write(ZIPPED, "/deep/folder/rust_demo.sym.gz")
        writing.writestr("readme.txt", "not symbols")
    result = add([archive], store)
    assert not result.refused
    assert sorted(files_of(store)) == [
        str(PLAIN.relative_to(SYMBOLS)),
        str(ZIPPED.relative_to(SYMBOLS)),
    ]


def test_the_same_symbols_again_are_unchanged_whatever_form_they_have(
    store: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "nested_null.sym.gz"
    packed.write_bytes(gzip.compress(PLAIN.read_bytes()))
    add([PLAIN], store)
    result = add([PLAIN, packed], store)
    assert (len(result.added), len(result.unchanged)) == (0, 2)
    assert len(result.stored) == 2
    assert list(files_of(store)) == [str(PLAIN.relative_to(SYMBOLS))]


def test_newer_symbols_of_the_same_module_replace_the_older_in_either_form(
    store: Path, tmp_path: Path
) -> None:
    old, new = tmp_path / "old.sym", tmp_path / "new.sym.gz"
    old.write_bytes(symbols(body="PUBLIC 1000 0 old\n"))
    new.write_bytes(gzip.compress(symbols(body="PUBLIC 1000 0 new\n")))
    add([old], store)
    result = add([new], store)
    assert len(result.added) == 1
    assert files_of(store) == {f"app/{ID}/app.sym.gz": symbols(body="PUBLIC 1000 0 new\n")}


def test_a_broken_file_in_the_store_is_replaced(store: Path) -> None:
    path = store / ZIPPED.relative_to(SYMBOLS)
    path.parent.mkdir(parents=True)
    path.write_bytes(ZIPPED.read_bytes()[:1000])
    result = add([ZIPPED], store)
    assert len(result.added) == 1
    assert path.read_bytes() == ZIPPED.read_bytes()


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("a.sym", b"", "empty"),
        ("a.sym", b"<html>not found</html>", "does not start with a MODULE line"),
        ("a.sym", symbols("../../../evil"), "not a bare file name"),
        ("a.sym", symbols("x" * 5000), "over 240 bytes"),
        ("a.sym.gz", gzip.compress(symbols())[:-9], "cannot be read"),
        ("a.sym.gz", gzip.compress(symbols())[:20] + b"garbage", "cannot be read"),
        ("a.sym.gz", gzip.compress(b"no symbols"), "does not start"),
        ("a.zip", b"PK\x03\x04 but not an archive", "cannot be read"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason_and_leaves_nothing(
    name: str, body: bytes, reason: str, store: Path, tmp_path: Path
) -> None:
    bad = tmp_path / name
    bad.write_bytes(body)
    result = add([bad], store)
    assert not result.stored
    assert reason in reasons(result)[0]
    assert files_of(store) == {} if store.exists() else True


def test_a_bad_file_does_not_stop_the_others(store: Path, tmp_path: Path) -> None:
    (tmp_path / "a.sym").write_bytes(b"bad")
    (tmp_path / "b.sym").write_bytes(symbols("good"))
    result = add([tmp_path / "missing", tmp_path], store)
    assert [stored.module.debug_file for stored in result.added] == ["good"]
    assert [refused.path for refused in result.refused] == [
        str(tmp_path / "missing"),
        str(tmp_path / "a.sym"),
    ]


def test_a_path_without_symbols_is_refused(store: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert reasons(add([tmp_path], store)) == ["there are no .sym, .sym.gz or .sym.zst files in it"]


def test_a_named_pipe_and_a_link_in_circles_do_not_hang(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    os.mkfifo(folder / "pipe.sym")
    (folder / "around").symlink_to(folder)
    (folder / "good.sym").write_bytes(symbols())
    result = add([folder], store)
    assert (len(result.added), len(result.refused)) == (1, 0)


def test_what_unpacks_to_more_than_the_limit_is_refused(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MAX_SIZE", 2**21)
    bomb = symbols(body="\0" * 2**22)
    (tmp_path / "bomb.sym.gz").write_bytes(gzip.compress(bomb))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as writing:
        writing.writestr("bomb.sym", bomb)
    result = add([tmp_path / "bomb.sym.gz", tmp_path / "bomb.zip"], store)
    assert ["larger than" in reason for reason in reasons(result)] == [True, True]
    assert files_of(store) == {}


def test_an_archive_that_declares_more_than_the_limit_is_refused_unread(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_MAX_ZIP_SIZE", 1000)
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        writing.writestr("a.sym", symbols(body="\n" * 600))
        writing.writestr("b.sym", symbols(body="\n" * 600))
    assert "over 1000 bytes" in reasons(add([archive], store))[0]
    assert not store.exists()


def test_an_encrypted_entry_is_refused(store: Path, tmp_path: Path) -> None:
    archive = tmp_path / "secret.zip"
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("a.sym", symbols())
    body = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        body[body.index(signature) + offset] |= 1
    archive.write_bytes(bytes(body))
    assert reasons(add([archive], store)) == ["it is encrypted"]


def test_a_large_file_is_added_in_pieces(store: Path, tmp_path: Path) -> None:
    body = symbols(body="PUBLIC 1000 0 a_function_of_a_large_program\n" * 400_000)
    source = tmp_path / "large.sym.gz"
    source.write_bytes(gzip.compress(body, 1))
    size = len(body)
    digest = hashlib.sha256(body).digest()
    del body
    tracemalloc.start()
    result = add([source], store)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < size / 2
    assert hashlib.sha256(unpacked(result.added[0].path)).digest() == digest


def test_a_store_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(StoreUnavailable, match=r"symbol store .* cannot be written"):
        add([PLAIN], in_the_way)


def test_what_a_killed_process_left_is_swept_and_never_found(store: Path) -> None:
    left = store / ".incoming" / "0123"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    add([PLAIN], store)
    assert list(files_of(store)) == [str(PLAIN.relative_to(SYMBOLS))]


def test_progress_names_each_file(store: Path) -> None:
    names: list[str] = []
    add([SYMBOLS], store, progress=names.append)
    assert names == sorted(str(path) for path in SYMBOLS.rglob("*") if path.is_file())
