# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Readers of the container files: as much of their languages as these files use, and no more."""

import fnmatch
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "docker" / "Dockerfile"
COMPOSE_FILE = ROOT / "docker-compose.yml"
CONFIG = ROOT / "docker" / "config"


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile; `text` is all that follows the keyword, on one line."""

    keyword: str
    text: str

    @property
    def words(self) -> list[str]:
        """The parts of the text, whether it is JSON or not."""
        if self.text.startswith("["):
            return [str(word) for word in json.loads(self.text)]
        return shlex.split(self.text)

    @property
    def pairs(self) -> dict[str, str]:
        """The ``NAME=value`` of ENV, ARG or LABEL."""
        return dict(word.split("=", 1) for word in self.words)


@dataclass(frozen=True)
class Stage:
    """One stage of a Dockerfile: its name, the image it begins with, and what is done."""

    name: str
    base: str
    instructions: tuple[Instruction, ...]

    def all(self, keyword: str) -> list[Instruction]:
        """Return the instructions of one keyword, in order."""
        return [found for found in self.instructions if found.keyword == keyword]

    def last(self, keyword: str) -> Instruction:
        """Return the instruction that is in force."""
        return self.all(keyword)[-1]

    @property
    def environment(self) -> dict[str, str]:
        """What ENV sets."""
        return {name: value for found in self.all("ENV") for name, value in found.pairs.items()}


def read_stages(path: Path = DOCKERFILE) -> dict[str, Stage]:
    """Return the stages of a Dockerfile by name, in order."""
    kept = [line for line in path.read_text().splitlines() if not re.match(r"\s*(#|$)", line)]
    lines = re.sub(r"\\\n\s*", "", "\n".join(kept)).splitlines()
    stages: dict[str, list[Instruction]] = {}
    bases: dict[str, str] = {}
    for line in lines:
        keyword, text = line.split(maxsplit=1)
        if keyword == "FROM":
            base, _, name = text.split()
            bases[name], stages[name] = base, []
        else:
            stages[next(reversed(stages))].append(Instruction(keyword, text))
    return {name: Stage(name, bases[name], tuple(found)) for name, found in stages.items()}


def is_ignored(path: str, ignore_file: Path = ROOT / ".dockerignore") -> bool:
    """Say whether .dockerignore keeps a path of the checkout, with slashes, out of the build.

    As Docker does: the last line that matches the path, or a folder that it is in, decides.
    """
    ignored = False
    for line in ignore_file.read_text().splitlines():
        pattern = line.strip().removeprefix("!").strip("/")
        if not pattern or line.startswith("#"):
            continue
        if any(_matches(pattern, parent) for parent in _with_parents(path)):
            ignored = not line.startswith("!")
    return ignored


def _with_parents(path: str) -> list[str]:
    pure = PurePosixPath(path)
    return [str(part) for part in (pure, *pure.parents)][:-1]


def _matches(pattern: str, path: str) -> bool:
    below = pattern.removeprefix("**/")
    parts = path.split("/")
    if below != pattern:
        return any(_matches(below, "/".join(parts[start:])) for start in range(len(parts)))
    patterns = pattern.split("/")
    return len(patterns) == len(parts) and all(map(fnmatch.fnmatchcase, parts, patterns))


def read_compose() -> dict[str, Any]:
    """Return docker-compose.yml, its anchors resolved."""
    content: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
    return content


def read_services() -> dict[str, dict[str, Any]]:
    """Return the services of docker-compose.yml by name."""
    services: dict[str, dict[str, Any]] = read_compose()["services"]
    return services


def ours() -> dict[str, dict[str, Any]]:
    """Return the services that run our own image."""
    return {name: service for name, service in read_services().items() if "build" in service}


def environment_files(service: dict[str, Any]) -> list[Path]:
    """Return the environment files of a service that must be there, in the order of reading."""
    entries = service.get("env_file", [])
    return [ROOT / entry for entry in entries if isinstance(entry, str)]


def read_environment(*files: Path) -> dict[str, str]:
    """Return the variables of environment files; what is read later wins."""
    found = {}
    for path in files:
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                name, value = line.split("=", 1)
                found[name] = value
    return found


def seconds(text: str) -> float:
    """Return a duration such as ``45s`` or ``1m30s`` in seconds."""
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)([hms])", text))
