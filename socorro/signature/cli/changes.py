# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a change of the lists does to the signatures of many crashes: a summary."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

from socorro.signature.cli.formats import write_table
from socorro.signature.cli.reading import printable
from socorro.signature.cli.signing import Signed

_COLUMNS = ("change", "old", "new", "crashes", "example")
_HEADINGS = {
    "renamed": "Renamed: all crashes of a signature, and no others, get a new one",
    "split": "Split: the crashes of one signature get several",
    "merged": "Merged: the crashes of several signatures get one",
}

Pair = tuple[str, str]


class Changes:
    """Counts of crashes by old and new signature, and one example of each; not the crashes.

    `unknown` are crashes of which nobody knows the signature that they had.
    """

    def __init__(self, signed: Iterable[Signed]) -> None:
        self._counts: Counter[Pair] = Counter()
        self._examples: dict[Pair, str] = {}
        self.unknown = 0
        for each in signed:
            if each.old is None:
                self.unknown += 1
                continue
            pair = (each.old, each.result.signature)
            self._counts[pair] += 1
            self._examples.setdefault(pair, each.label)
        self._by_old = _grouped(self._counts, key=0)
        self._by_new = _grouped(self._counts, key=1)

    @property
    def crashes(self) -> int:
        return self._counts.total()

    @property
    def unchanged(self) -> int:
        """Crashes that keep their signature."""
        return sum(count for (old, new), count in self._counts.items() if old == new)

    def kinds(self) -> Mapping[str, list[list[Pair]]]:
        """The changes of each kind, those of most crashes first.

        A change is one pair of an old and a new signature for "renamed", and all pairs of the old
        one for "split", of the new one for "merged". A pair may be part of both of these.
        """
        renamed = [
            [pair]
            for pair in self._counts
            if pair[0] != pair[1] and len(self._by_old[pair[0]]) == len(self._by_new[pair[1]]) == 1
        ]
        split = [pairs for pairs in self._by_old.values() if len(pairs) > 1]
        merged = [pairs for pairs in self._by_new.values() if len(pairs) > 1]
        kinds = {"renamed": renamed, "split": split, "merged": merged}
        return {kind: sorted(changes, key=self._order) for kind, changes in kinds.items()}

    def write(self, output: TextIO, format_: str) -> None:
        """Write the summary in one of the formats of the command line."""
        if format_ == "json":
            output.write(f"{json.dumps(self.document(), indent=2)}\n")
        elif format_ == "text":
            output.writelines(f"{line}\n" for line in self._lines())
        else:
            write_table(_COLUMNS, self._rows(), output, format_)

    def document(self) -> dict[str, Any]:
        """The summary as plain JSON."""
        return {
            "crashes": self.crashes,
            "unchanged": self.unchanged,
            "unknown": self.unknown,
            **{
                kind: [[self._pair(pair) for pair in change] for change in changes]
                for kind, changes in self.kinds().items()
            },
        }

    def _pair(self, pair: Pair) -> dict[str, Any]:
        old, new = pair
        crashes, example = self._counts[pair], self._examples[pair]
        return {"old": old, "new": new, "crashes": crashes, "example": example}

    def _order(self, change: list[Pair]) -> tuple[int, Pair]:
        return -sum(self._counts[pair] for pair in change), change[0]

    def _lines(self) -> Iterator[str]:
        for kind, changes in self.kinds().items():
            if changes:
                yield f"{_HEADINGS[kind]} ({len(changes):,})"
            for change in changes:
                yield from self._lines_of(kind, change)
        yield f"{self.unchanged:,} of {self.crashes:,} crashes keep their signature."
        if self.unknown:
            yield f"{self.unknown:,} more have no signature to compare with; --against makes one."

    def _lines_of(self, kind: str, change: list[Pair]) -> Iterator[str]:
        old, new = change[0]
        yield f"  {_shown(new if kind == 'merged' else old)}"
        for pair in change:
            other = f"<- {_shown(pair[0])}" if kind == "merged" else f"-> {_shown(pair[1])}"
            yield f"    {other}"
            count = self._counts[pair]
            crashes = "crash" if count == 1 else "crashes"
            yield f"       {count:,} {crashes}, such as {printable(self._examples[pair])}"

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for kind, changes in self.kinds().items():
            for change in changes:
                for pair in change:
                    yield (kind, *pair, str(self._counts[pair]), self._examples[pair])


def _grouped(counts: Counter[Pair], key: int) -> Mapping[str, list[Pair]]:
    """The pairs of each old (0) or new (1) signature, those of most crashes first."""
    groups: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        groups[pair[key]].append(pair)
    return groups


def _shown(signature: str) -> str:
    return printable(signature) or "(no signature)"
