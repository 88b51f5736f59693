# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Settings: where they come from, what is refused, what is masked."""

import multiprocessing
import stat
from dataclasses import fields, replace
from pathlib import Path

import pytest

from socorro import settings as settings_module
from socorro.settings import SettingError, Settings, describe, load, mask, mask_secret, secret_key


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that SOCORRO_CONFIG names."""
    path = tmp_path / "config"
    path.write_text("")
    monkeypatch.setenv("SOCORRO_CONFIG", str(path))
    return path


def described(name: str) -> settings_module.Described:
    (found,) = [item for item in describe() if item.name == name]
    return found


def test_every_setting_has_a_default_that_is_valid() -> None:
    for item in fields(Settings):
        assert item.metadata["doc"].endswith(".")
        assert item.metadata["name"].isupper()
    assert load().collector_port == 8000


def test_names_are_used_once() -> None:
    names = [item.metadata["name"] for item in fields(Settings)]
    assert len(names) == len(set(names))


def test_the_environment_wins_over_the_file_and_that_over_the_default(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text("COLLECTOR_PORT=9001\nWEBAPP_PORT=9002\n")
    monkeypatch.setenv("COLLECTOR_PORT", "9003")
    loaded = load()
    assert (loaded.collector_port, loaded.webapp_port, loaded.collector_workers) == (9003, 9002, 2)
    assert [described(name).source for name in ("COLLECTOR_PORT", "WEBAPP_PORT", "SEARCH")] == [
        "environment",
        "file",
        "default",
    ]


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCORRO_CONFIG", "/nowhere/config")
    with pytest.raises(SettingError, match=r"^SOCORRO_CONFIG: cannot read /nowhere/config: .*\.$"):
        load()


def test_a_file_that_is_no_text_is_named(config: Path) -> None:
    config.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingError, match=r"^SOCORRO_CONFIG: "):
        load()


def test_the_data_folder_stands_in_other_values(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOCORRO_DATA", str(tmp_path))
    monkeypatch.setenv("CRASH_QUEUE", "local://$SOCORRO_DATA/elsewhere")
    loaded = load()
    assert loaded.crash_storage == f"fs://{tmp_path}/crashes"
    assert loaded.crash_queue == f"local://{tmp_path}/elsewhere"
    assert loaded.symbol_folders[0] == tmp_path / "symbols"


def test_a_relative_data_folder_is_made_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCORRO_DATA", "./somewhere")
    loaded = load()
    assert loaded.data == Path.cwd() / "somewhere"
    assert loaded.crash_storage == f"fs://{Path.cwd()}/somewhere/crashes"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("COLLECTOR_PORT", "0", "between 1 and 65535"),
        ("COLLECTOR_PORT", "65536", "between 1 and 65535"),
        ("COLLECTOR_PORT", "http", "a whole number"),
        ("COLLECTOR_PORT", "\u0661", "a whole number"),
        ("COLLECTOR_PORT", "9" * 30, "a whole number"),
        ("COLLECTOR_PORT", "", "a whole number"),
        ("MAX_BODY_SIZE", "25M", "a whole number"),
        ("LEASE_SECONDS", "nan", "between 1 and"),
        ("LEASE_SECONDS", "soon", "could not convert"),
        ("CRASH_STORAGE", "/var/crashes", "must be fs://FOLDER or s3://BUCKET"),
        ("CRASH_STORAGE", "fs:/var/crashes", "must be fs://FOLDER or s3://BUCKET"),
        ("CRASH_QUEUE", "http://x", "must start with local://"),
        ("LOG_LEVEL", "debug", "must be one of DEBUG, INFO, WARNING, ERROR"),
        ("SOCORRO_DEBUG", "maybe", "must be true or false"),
        ("WEBAPP_URL", "example.org", "must start with http:// or https://"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    for read in (load, describe):
        with pytest.raises(SettingError) as caught:
            read()
        assert str(caught.value).startswith(f"{name}={value!r}: ")
        assert reason in str(caught.value)
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)


def test_a_wrong_secret_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://root:hunter2@db/x")
    with pytest.raises(SettingError) as caught:
        load()
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).startswith("DATABASE_URL=***: ")


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("", False), ("0", False)])
def test_flags_are_read_as_people_write_them(
    monkeypatch: pytest.MonkeyPatch, text: str, value: bool
) -> None:
    monkeypatch.setenv("SOCORRO_DEBUG", text)
    assert load().debug is value


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMOVED_ANNOTATIONS", " Email, ,PhoneNumber ,")
    assert load().removed_annotations == ("Email", "PhoneNumber")
    monkeypatch.setenv("REMOVED_ANNOTATIONS", "")
    assert load().removed_annotations == ()


@pytest.mark.parametrize("name", ["SECRET_KEY", "SUBMIT_UUID_TOKEN", "SENTRY_DSN"])
def test_secrets_are_masked_where_settings_are_shown(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "https://hunter2@example.org/1")
    assert described(name).value == "***"
    assert "hunter2" not in repr(describe())


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("fs:///var/crashes", "fs:///var/crashes"),
        ("http://user:hunter2@host:1/x", "http://***@host:1/x"),
        ("postgres://db/x?password=hunter2&a=b", "postgres://db/x?password=***&a=b"),
        ("postgres://u:p@db/x?a=b&sslpassword=hunter2", "postgres://***@db/x?a=b&sslpassword=***"),
        ("http://user@x@host/x", "http://***@host/x"),
        ("no url", "no url"),
        ("", ""),
    ],
)
def test_credentials_in_urls_are_masked(url: str, shown: str) -> None:
    assert mask(url) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", ""),
        ("hunter2", "***"),
        ("sqlite:////var/socorro.db", "sqlite:////var/socorro.db"),
        ("postgres://u:hunter2@db/x", "postgres://***@db/x"),
    ],
)
def test_secrets_show_only_where_they_lead(value: str, shown: str) -> None:
    assert mask_secret(value) == shown


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("fe80::1", "http://[fe80::1]:8000"),
        ("crashes.example.org", "http://crashes.example.org:8000"),
    ],
)
def test_an_address_can_be_reached_from_here(host: str, address: str) -> None:
    assert replace(load(), collector_host=host).collector_address == address


def test_the_secret_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    settings = replace(load(), data=tmp_path / "data")
    key = secret_key(settings)
    assert len(key) >= 40
    assert secret_key(settings) == key
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret_key"]
    assert stat.S_IMODE((tmp_path / "data/secret_key").stat().st_mode) == 0o600


def test_a_given_secret_key_is_used_and_nothing_is_made(tmp_path: Path) -> None:
    settings = replace(load(), data=tmp_path / "data", secret_key="given")
    assert secret_key(settings) == "given"
    assert not (tmp_path / "data").exists()


def _key_in(folder: Path) -> str:
    return secret_key(replace(load(), data=folder))


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(8) as pool:
        for number in range(20):
            keys = pool.map(_key_in, [tmp_path / str(number)] * 8, chunksize=1)
            assert len(set(keys)) == 1


def test_a_cut_secret_key_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("short")
    with pytest.raises(SettingError, match="delete it"):
        secret_key(replace(load(), data=tmp_path))


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match=r"^SECRET_KEY: "):
        secret_key(replace(load(), data=tmp_path / "file"))


@pytest.mark.parametrize(
    "url",
    [
        "postgres://user:sec#ret@host/name",
        "postgres://user:12#ret@host/name",
        "postgres://user:12/ret@host/name",
        "postgres://user:12?ret@host/name",
        "postgres://user:sec[ret@host/name",
        "postgres://user:secret@host:port/name",
        "postgres://user:secret@host:99999/name",
        "postgres://user:secret@host:5432",
        "postgres://user:sec%00ret@host/name",
        "postgres://",
        "postgres:///",
        "mysql://user:secret@host/name",
        "sqlite://",
        "sqlite:///",
        "sqlite://:memory:",
        "sqlite:///:memory:",
        "sqlite://folder/x.db",
    ],
)
def test_a_malformed_database_url_is_refused_in_one_sentence_that_quotes_nothing_of_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    for read in (load, describe):
        with pytest.raises(SettingError) as caught:
            read()
        sentence = str(caught.value)
        assert sentence.startswith("DATABASE_URL=***: must be sqlite:///FILE or postgres://")
        assert not any(part in sentence for part in ("ret", "12", "user", "99999"))


def test_what_belongs_before_the_question_mark_of_a_database_url_is_refused_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://host/name?password=secret&user=me")
    with pytest.raises(SettingError) as caught:
        load()
    assert str(caught.value).startswith("DATABASE_URL=***: write password, user before ")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://user:p%2F%23%40@host/name",
        "postgresql://host:5432/name?sslmode=require",
        "postgres://user@host:/name",
        "postgres:///name?host=/run/postgresql",
        "postgres://%2Frun%2Fpostgresql/name",
        "sqlite:////var/lib/a folder/x.db",
    ],
)
def test_a_database_url_with_or_without_its_optional_parts_is_taken(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    assert load().database_url == url


def test_symbols_are_folders_and_servers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYMBOLS", f"{tmp_path},https://me:secret@one.example.com,http://two/x#sym")
    monkeypatch.setenv("SYMBOLS_HEADERS", "two=Auth-Token: secret")
    loaded = load()
    assert loaded.symbol_folders[1:] == (tmp_path,)
    assert [server.address for server in loaded.symbol_servers] == [
        "https://one.example.com/",
        "http://two/x/",
    ]
    assert all(server.is_private for server in loaded.symbol_servers)
    shown = described("SYMBOLS").value
    assert shown == f"{tmp_path},https://***@one.example.com,http://two/x#sym"
    assert described("SYMBOLS_HEADERS").value == "***"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYMBOLS", "https://me:secret@"),
        ("SYMBOLS", "ftp://me:secret@host/"),
        ("SYMBOLS", "http://me:secret@host:port/"),
        ("SYMBOLS_HEADERS", "host=secret"),
        ("SYMBOLS_HEADERS", "host=Na me: secret"),
        ("SYMBOLS_HEADERS", "secret: secret"),
    ],
)
def test_what_is_no_symbol_server_is_refused_without_its_credentials(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=rf"^{name}") as refused:
        load()
    assert "secret" not in str(refused.value)


def test_credentials_of_all_urls_in_a_list_are_masked() -> None:
    text = "/folder,https://a:b@c/x?y@z,http://d@e"
    assert mask(text) == "/folder,https://***@c/x?y@z,http://***@e"
