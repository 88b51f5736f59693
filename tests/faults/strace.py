# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""strace: which system calls a process makes on files, and one of them made to fail."""

import re
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# All that change a disk, by the names of all machines.
_CALLS = (
    "openat,open,creat,write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,rename,renameat,"
    "renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,copy_file_range,sendfile"
)
_LINE = re.compile(r"(?P<pid>\d+) +(?P<name>[a-z0-9_]+)\((?P<rest>.*)")


@dataclass(frozen=True)
class Call:
    """The `number`-th system call of that name, counted from 1 in its thread."""

    name: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


@dataclass(frozen=True)
class Fault:
    """What happens at a system call: an error instead of it, or the end of the process."""

    call: Call
    what: str

    @property
    def kills(self) -> bool:
        """Whether it ends the process."""
        return self.what == "KILL"

    @property
    def option(self) -> str:
        """The option of strace."""
        effect = "signal=KILL" if self.kills else f"error={self.what}"
        return f"inject={self.call.name}:{effect}:when={self.call.number}"


@contextmanager
def traced(pid: int, output: Path, *options: str) -> Iterator[None]:
    """Have strace follow a process and its threads while the block runs."""
    command = ["strace", "-f", "-y", "-s", "0", "-o", str(output), "-p", str(pid)]
    for option in options:
        command += ["-e", option]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if f"Process {pid} attached" in line:
            break
    else:
        raise AssertionError("strace cannot follow a process")
    # Nobody reads the rest, but somebody must.
    drain = threading.Thread(target=process.stderr.read, daemon=True)
    drain.start()
    try:
        yield
    finally:
        process.terminate()
        process.wait()
        drain.join()
        process.stderr.close()


def tracing() -> str:
    """Return the option that records the calls that change a disk."""
    return f"trace={_CALLS}"


def calls_below(folder: Path, pid: int, output: Path) -> list[Call]:
    """Return the recorded calls of a process's main thread on files below a folder, in order."""
    counts: Counter[str] = Counter()
    calls = []
    for line in output.read_text().splitlines():
        match = _LINE.match(line)
        if match is None or int(match["pid"]) != pid:
            continue
        counts[match["name"]] += 1
        if str(folder) in match["rest"]:
            calls.append(Call(match["name"], counts[match["name"]], match["rest"]))
    return calls
