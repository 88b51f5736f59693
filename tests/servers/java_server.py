# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What the two servers in Java have in common."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from tests.servers import jars
from tests.servers.credentials import REGION
from tests.servers.process import ServerProcess

_LOGBACK = Path(__file__).with_name("logback.xml")
# Short-lived and small: no compiler or collector that pays off only after minutes.
_MACHINE = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


class JavaServer(ServerProcess):
    """A server whose jars Maven fetches, with an HTTP interface on loopback."""

    #: The profile of pom.xml that names the jars.
    profile: jars.Profile
    #: Java's class to run.
    main_class: str

    @property
    def endpoint(self) -> str:
        """Where clients reach it: ``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        return [
            jars.java(),
            *_MACHINE,
            f"-Dlogback.configurationFile={_LOGBACK}",
            # Where what Java writes aside belongs to this server alone.
            f"-Djava.io.tmpdir={self.folder}",
            *self.machine_options(),
            "-cp",
            jars.class_path(self.profile),
            self.main_class,
            *self.arguments(),
        ]

    def machine_options(self) -> Sequence[str]:
        """Return more options of the Java machine."""
        return ()

    @abstractmethod
    def arguments(self) -> Sequence[str]:
        """Return the arguments of the main class."""

    def aws_url(self, scheme: str, name: str, **options: str) -> str:
        """Return ``SCHEME://NAME?endpoint=...&region=...``, with more options if given."""
        query = {"endpoint": self.endpoint, "region": REGION, **options}
        return f"{scheme}://{name}?{urlencode(query, safe=':/')}"
