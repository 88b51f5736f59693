# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The lists that come with Socorro: in order, with examples that hold, and no line without use."""

import re
from collections.abc import Iterable

import pytest

from socorro.signature import SignatureLists, generate
from socorro.signature.check import check
from socorro.signature.frames import Name
from socorro.signature.list_groups import Example, read
from socorro.signature.lists import (
    IRRELEVANT,
    LINE_NUMBERS,
    PREFIX,
    SENTINELS,
    PatternList,
    default_lists,
)
from socorro.signature.stack import select
from tests.socorro.signature.known_crashes import known_crashes

# trim_dll_signature_re.txt has no lines: it would change nothing.
FILES = (IRRELEVANT, PREFIX, SENTINELS, LINE_NUMBERS)
PATTERN_FILES = (IRRELEVANT, PREFIX, LINE_NUMBERS)
MAX_CHARS = 100

# What programs call their own functions; some begin like names of the lists.
ORDINARY_NAMES = (
    "-[AppDelegate application:didFinishLaunchingWithOptions:]",
    "<alloc::vec::Vec<T> as app::Blob>::pack",
    "<app::Order as core::fmt::Display>::fmt",
    "AMyActor::Tick",
    "App.Model.load",
    "GameAssembly.dll",
    "Java_com_example_app_Engine_draw",
    "MainWindow::on_pushButton_clicked",
    "Node3D::_update_children",
    "Object::draw",
    "Process::kill",
    "PyInit_app",
    "QPainter::drawText",
    "Stream::read",
    "UMyComponent::BeginPlay",
    "WinMain",
    "abortUpload",
    "acme::std::vector<T>::push",
    "app",
    "app.exe",
    "app::(anonymous namespace)::free",
    "app::operator new",
    "app::raise",
    "blink::Document::open",
    "chrome.dll",
    "content::RenderFrameImpl::Commit",
    "core::Engine::Update",
    "createFileList",
    "exitGame",
    "freeSlots",
    "gameLoop",
    "heap_sort",
    "libapp.so",
    "libxul.so",
    "main",
    "main.parse",
    "mozilla::dom::Element::SetAttr",
    "mutexPool::take",
    "node::Environment::RunAndClearNativeImmediates",
    "nsDocument::Destroy",
    "openDocument",
    "output",
    "panicButton::press",
    "readConfig",
    "runtimeError",
    "sendMail",
    "std_lite::run",
    "stringify",
    "terminateWorkers",
    "wWinMain",
    "writeLog",
    "xul.dll",
)


@pytest.fixture(scope="module")
def names_of_known_crashes() -> set[str]:
    """The normalised name of every frame of the known crashes."""
    protos = [generate(known.crash).proto_signature or "" for known in known_crashes()]
    return {name for proto in protos for name in proto.split(" | ")}


def examples(file: str) -> Iterable[Example]:
    groups = read(default_lists().folder / file).groups
    return [example for group in groups for example in group.examples if example.wanted]


def signature(lists: SignatureLists, *names: str) -> str:
    return select([Name(name) for name in names], lists).signature


def test_the_check_of_lists_finds_nothing() -> None:
    assert [str(problem) for problem in check(default_lists().folder)] == []


@pytest.mark.parametrize("name", FILES)
def test_every_group_has_a_heading_and_two_examples(name: str) -> None:
    for group in read(default_lists().folder / name).groups:
        assert group.heading, group.lines[0]
        assert sum(example.wanted for example in group.examples) >= 2, group.heading


@pytest.mark.parametrize("name", FILES)
def test_lines_are_short_enough_to_be_read(name: str) -> None:
    lines = (default_lists().folder / name).read_text().splitlines()
    assert [line for line in lines if len(line) > MAX_CHARS and not line.startswith("#+")] == []


@pytest.mark.parametrize("name", PATTERN_FILES)
def test_every_pattern_is_hit_by_an_example_or_a_known_crash(
    name: str, names_of_known_crashes: set[str]
) -> None:
    names = {example.name for example in examples(name)} | names_of_known_crashes
    path = default_lists().folder / name
    patterns = {line: PatternList(path, [line]) for line in read(path).lines}
    dead = [str(line) for line, one in patterns.items() if not any(map(one.match, names))]
    assert dead == []


@pytest.mark.parametrize("name", PATTERN_FILES)
def test_other_tools_read_the_patterns_alike(name: str) -> None:
    """They join the lines of a list to one regular expression of Python."""
    path = default_lists().folder / name
    ours = PatternList(path, read(path).lines)
    theirs = re.compile("|".join(line.text for line in ours.lines))
    for group in [group for file in FILES for group in read(path.with_name(file)).groups]:
        for example in group.examples:
            assert bool(ours.match(example.name)) == bool(theirs.match(example.name)), example


def test_an_irrelevant_frame_is_skipped() -> None:
    lists = default_lists()
    for example in examples(IRRELEVANT):
        assert signature(lists, example.name, "app::Draw", "main") == "app::Draw", example


def test_a_prefix_is_kept_with_the_frame_after_it() -> None:
    lists = default_lists()
    for example in examples(PREFIX):
        expected = f"{example.name} | app::Draw"
        assert signature(lists, example.name, "app::Draw", "main") == expected, example


def test_a_signature_starts_at_a_sentinel() -> None:
    lists = default_lists()
    for example in examples(SENTINELS):
        expected = f"{example.name} | app::Draw"
        assert signature(lists, "reporter", example.name, "app::Draw") == expected, example


def test_a_line_number_is_shown_only_where_the_name_says_nothing() -> None:
    lists = default_lists()
    for example in examples(LINE_NUMBERS):
        frame = {"function": example.name, "file": "/src/loop.c", "line": 7}
        result = generate({"threads": [{"frames": [frame]}]}, lists)
        assert result.signature == f"{example.name}:7"


@pytest.mark.parametrize("name", ORDINARY_NAMES)
def test_an_ordinary_function_or_module_of_a_program_names_its_crash(name: str) -> None:
    assert signature(default_lists(), name, "main_loop") == name


def test_what_oom_is_recognised_by_is_never_skipped() -> None:
    lists = default_lists()
    for name in (
        "NS_ABORT_OOM",
        "mozalloc_handle_oom",
        "js::AutoEnterOOMUnsafeRegion::crash",
        "js::CrashAtUnhandlableOOM",
        "alloc::oom::oom",
    ):
        assert not lists.irrelevant.match(name), name


def test_the_frame_that_a_shutdown_hang_is_recognised_by_names_its_crash() -> None:
    name = "mozilla::(anonymous namespace)::RunWatchdog"
    assert signature(default_lists(), "MOZ_CrashPrintf", name, "main") == name
