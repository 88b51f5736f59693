# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The signature lists: files of one pattern or name a line, "#" for comments.

A missing file is an empty list, and an empty list matches nothing. Patterns are matched at the
start of a name, by RE2: in time linear to the name, whatever the pattern.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

import re2

from socorro.signature.errors import ListError
from socorro.signature.spelling import in_re2_spelling

# Beside the rooms, in a checkout as in site-packages.
_PACKAGED = Path(__file__).resolve().parents[2] / "siglists"

SENTINELS = "signature_sentinels.txt"
IRRELEVANT = "irrelevant_signature_re.txt"
PREFIX = "prefix_signature_re.txt"
TRIM_DLL = "trim_dll_signature_re.txt"
LINE_NUMBERS = "signatures_with_line_numbers_re.txt"

# Answers are remembered for names in ASCII up to this length: names repeat from crash to crash, and
# others would let a few hostile crashes fill the memory.
_CACHED_NAME_CHARS = 512
_CACHE_ENTRIES = 16_384

# RE2 gives up on a set that needs more memory than this, and the default of 8 MiB is tight for
# some hundred patterns.
_RE2_MEMORY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ListLine:
    """A line of a list: file name, line number from 1, and what stands there."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.text}"


class PatternList:
    """Patterns of one file; `match` and `search` give the first line that matches a name's start.

    `match` remembers its answers, `search` is for who does that already.
    """

    def __init__(self, path: Path, lines: list[ListLine]) -> None:
        """Compile the lines; raises ListError with the line that is no regular expression."""
        self.lines = tuple(lines)
        self._set = _compile_set(path, lines)
        self._cached = lru_cache(_CACHE_ENTRIES)(self.search)

    def match(self, name: str) -> ListLine | None:
        if len(name) > _CACHED_NAME_CHARS or not name.isascii():
            return self.search(name)
        return self._cached(name)

    def search(self, name: str) -> ListLine | None:
        if not self.lines:
            return None
        # "replace": JSON can bring half a surrogate pair, which UTF-8 has no bytes for.
        found = self._set.Match(name.encode("utf-8", "replace"))
        return self.lines[min(found)] if found else None


class SignatureLists:
    """The five lists of one folder; `folder` is where they were read from."""

    def __init__(self, folder: Path) -> None:
        """Read and check a folder's lists.

        Raises ListError if there is no such folder, a file cannot be read, or a line is bad.
        """
        self.folder = folder
        if not folder.is_dir():
            raise ListError(folder, 0, "there is no such folder")
        self.sentinels = {line.text: line for line in reversed(_read(folder / SENTINELS))}
        self.irrelevant = _patterns(folder / IRRELEVANT)
        self.prefix = _patterns(folder / PREFIX)
        self.line_numbers = _patterns(folder / LINE_NUMBERS)
        # Older folders have it. It changes no result any more (every frame without a function is
        # named after its library), but a mistake in it is still worth hearing of.
        _patterns(folder / TRIM_DLL)

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """The lists of a folder; without one, the lists that come with Socorro."""
        return cls(folder or _PACKAGED)


@lru_cache(1)
def default_lists() -> SignatureLists:
    """The lists that come with Socorro, read once."""
    return SignatureLists.load()


def _patterns(path: Path) -> PatternList:
    return PatternList(path, _read(path))


def _read(path: Path) -> list[ListLine]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ListError(path, 0, error.strerror or "it cannot be read") from error
    return list(_lines(path, content))


def _lines(path: Path, content: bytes) -> Iterator[ListLine]:
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        try:
            text = raw.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise ListError(path, number, "it is not UTF-8") from error
        if text and not text.startswith("#"):
            yield ListLine(path.name, number, text)


def _compile_set(path: Path, lines: list[ListLine]) -> re2.Set:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _RE2_MEMORY_BYTES
    patterns = re2.Set.MatchSet(options)
    for line in lines:
        expression = in_re2_spelling(line.text)
        try:
            re2.compile(expression, options)
            patterns.Add(expression)
        except re2.error as error:
            raise ListError(path, line.line, _reason(line.text, error)) from error
    patterns.Compile()
    return patterns


def _reason(pattern: str, error: Exception) -> str:
    """RE2's own words; it explains itself in bytes."""
    reason = error.args[0] if error.args else "it is no regular expression"
    words = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    if any(group in pattern for group in ("(?=", "(?!", "(?<=", "(?<!")):
        words += " (look-around is not supported: it cannot be matched in linear time)"
    return f"{pattern!r} is no regular expression: {words}"
