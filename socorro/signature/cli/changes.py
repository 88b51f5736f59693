# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What a change of the lists does to the signatures of many crashes: a summary."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from socorro.signature.cli.comparison import Compared, printable


class Changes:
    """Counts of crashes by old and new signature, and one example of each; not the crashes."""

    def __init__(self, compared: Iterable[Compared]) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._examples: dict[tuple[str, str], str] = {}
        for crash in compared:
            pair = (crash.old, crash.new)
            self._counts[pair] += 1
            self._examples.setdefault(pair, crash.crash_id)
        self._new_of: defaultdict[str, set[str]] = defaultdict(set)
        self._old_of: defaultdict[str, set[str]] = defaultdict(set)
        for old, new in self._counts:
            self._new_of[old].add(new)
            self._old_of[new].add(old)

    def kind(self, old: str, new: str) -> str:
        """What became of the old signature on the way to the new one."""
        split, merged = len(self._new_of[old]) > 1, len(self._old_of[new]) > 1
        if split and merged:
            return "split and merged"
        if split:
            return "split"
        if merged:
            return "merged"
        return "unchanged" if old == new else "renamed"

    def lines(self) -> Iterator[str]:
        """The summary: the pairs of most crashes first, then how many are unchanged."""
        unchanged = 0
        for (old, new), count in self._counts.most_common():
            kind = self.kind(old, new)
            unchanged += count if old == new else 0
            if kind != "unchanged":
                example = self._examples[old, new]
                yield f"{kind}: {count:,} crashes, such as {example}"
                yield f"  old: {printable(old)}"
                yield f"  new: {printable(new)}"
        yield f"{unchanged:,} of {self._counts.total():,} crashes keep their signature."
