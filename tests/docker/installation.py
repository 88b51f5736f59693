# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""The image's Python environment without the image: the Dockerfile's own steps, run in a folder.

What comes of it is made read-only and used by somebody who could not write it anyhow.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.docker.files import ROOT, Instruction, is_ignored, read_stages

_STAGES = read_stages()
_BUILD, _FINAL = _STAGES["environment"], _STAGES["socorro"]
_IMAGE_PREFIX = "/opt/socorro"
_IMAGE_DATA = _FINAL.environment["SOCORRO_DATA"]
_IMAGE_WALKER = _FINAL.environment["STACKWALKER_COMMAND"]
_USER = int(_FINAL.last("USER").text.partition(":")[0])
_STEP_SECONDS = 250


class Installation:
    """An installed tree that nobody can write, and a data folder that its user can."""

    def __init__(self, stackwalker: Path, arguments: Mapping[str, str]) -> None:
        """Build the environment; `arguments` are those of a docker build."""
        # Not below pytest's own folder, which only its user may enter.
        self.root = Path(tempfile.mkdtemp(prefix="socorro-installed-", dir="/var/tmp"))
        self.root.chmod(0o755)
        self.prefix = self.root / "prefix"
        self.data = self.root / "data"
        self._sources = self.root / "sources"
        self._walker = self.root / "bin" / stackwalker.name
        self._arguments = arguments
        for instruction in _BUILD.instructions:
            self._follow(instruction)
        # Nothing may need the sources any more.
        shutil.rmtree(self._sources)
        self._walker.parent.mkdir()
        shutil.copy2(stackwalker, self._walker)
        for folder in (self.prefix, self._walker.parent):
            subprocess.run(["chmod", "-R", "a-w", folder], check=True)
        self._as_user = self._find_user()
        self.make_data_folder()

    @property
    def packages(self) -> Path:
        """Where the packages are."""
        (folder,) = self.prefix.glob("lib/python*/site-packages")
        return folder

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return what a container gets: of the image, and what is `given`, with our folders."""
        return {name: self.here(value) for name, value in {**_FINAL.environment, **given}.items()}

    def here(self, text: str) -> str:
        """Replace the folders of the image by ours."""
        for theirs, ours in (
            (_IMAGE_PREFIX, self.prefix),
            (_IMAGE_DATA, self.data),
            (_IMAGE_WALKER, self._walker),
        ):
            text = text.replace(theirs, str(ours))
        return text

    def run(
        self, command: Sequence[str], given: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a container's environment to its end."""
        return subprocess.run(
            [*self._as_user, *command],
            timeout=_STEP_SECONDS,
            check=False,
            text=True,
            capture_output=True,
            **self._options(given),
        )

    def start(
        self, command: Sequence[str], given: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        """Start a command in a container's environment; its process has the id that is returned."""
        with log.open("ab") as output:
            return subprocess.Popen(
                [*self._as_user, *command],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._options(given),
            )

    def make_data_folder(self) -> None:
        """Make the data folder as the image has it, empty."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        if f"--reuid={_USER}" in self._as_user:
            os.chown(self.data, _USER, _USER)

    def remove(self) -> None:
        """Remove everything."""
        subprocess.run(["chmod", "-R", "u+w", self.root], check=True)
        shutil.rmtree(self.root)

    def _options(self, given: Mapping[str, str]) -> dict[str, Any]:
        return {"cwd": self.data, "env": self.environment(given), "stdin": subprocess.DEVNULL}

    def _follow(self, instruction: Instruction) -> None:
        if instruction.keyword == "WORKDIR":
            self._sources.mkdir()
        elif instruction.keyword == "COPY":
            *sources, target = instruction.words
            for source in sources:
                _copy(source, self._sources / target)
        elif instruction.keyword == "RUN":
            self._run_step(instruction.text.replace(_IMAGE_PREFIX, str(self.prefix)))

    def _run_step(self, step: str) -> None:
        programs = Path(sys.executable).parent
        done = subprocess.run(
            ["/bin/sh", "-c", step],
            cwd=self._sources,
            env={
                **os.environ,
                **self._arguments,
                "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            },
            umask=0o022,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_STEP_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{step}\n{done.stdout}{done.stderr}"

    def _find_user(self) -> list[str]:
        """Return the command that gives up root's power, if we have it."""
        if os.geteuid() != 0:
            return []
        as_in_image = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"]
        if self._is_python_readable(as_in_image):
            return as_in_image
        # It lies in root's own home: then as root, whom permissions bind like anybody else.
        return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]

    def _is_python_readable(self, changed: Sequence[str]) -> bool:
        """Say whether the Python that the environment builds upon works for the changed user."""
        ask = [str(self.prefix / "bin" / "python"), "-c", "import sys; print(sys.base_prefix)"]
        answer = subprocess.run([*changed, *ask], capture_output=True, text=True, check=False)
        # One that cannot read its own library runs all the same, with another one's.
        return answer.stdout.strip() == sys.base_prefix


def _copy(source: str, target: Path) -> None:
    """Copy as a build does: of a folder what is in it, and nothing that .dockerignore names."""
    path = ROOT / source
    if path.is_file():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
        return

    def ignored(folder: str, names: list[str]) -> list[str]:
        within = Path(folder).relative_to(ROOT)
        return [name for name in names if is_ignored(f"{within}/{name}")]

    shutil.copytree(path, target, ignore=ignored, dirs_exist_ok=True)
