# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What is checked before anything starts; each failure is one sentence that says what to do."""

import errno
import os
import socket
import tempfile

from socorro.cli.instance import AlreadyRunning, Instance
from socorro.settings import SettingError, Settings


def check_data_folder(settings: Settings) -> None:
    """Make the data folder if need be and write into it. Raises SettingError."""
    folder = settings.data
    try:
        # Crashes hold other people's data: no other user of this machine is to read them.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise SettingError(
            f"SOCORRO_DATA: cannot write into {folder} ({reason}); set it to a folder that you own."
        ) from error


def claim_data_folder(settings: Settings, advice: str) -> Instance:
    """Take the data folder for this process. Raises SettingError, which ends in the advice."""
    check_data_folder(settings)
    instance = Instance(settings.data)
    try:
        instance.acquire()
    except AlreadyRunning as error:
        raise SettingError(
            f"SOCORRO_DATA: process {error} runs on {settings.data}; {advice}."
        ) from error
    return instance


def check_ports(settings: Settings) -> None:
    """Check that both ports can be listened on. Raises SettingError."""
    _check_port("COLLECTOR", settings.collector_host, settings.collector_port)
    _check_port("WEBAPP", settings.webapp_host, settings.webapp_port)


def _check_port(name: str, host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: connections of an earlier run that linger are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingError(_port_sentence(name, host, port, error)) from error


def _port_sentence(name: str, host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{name}_PORT: port {port} on {host} is in use; stop the program that uses it or set "
            f"{name}_PORT to a free one."
        )
    if error.errno == errno.EACCES:
        return f"{name}_PORT: only root may listen on port {port}; set it to one above 1023."
    return f"{name}_HOST: cannot listen on {host}: {error.strerror or error}."
