# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""What would be sent to Sentry, kept in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from socorro.sentry import set_up_sentry
from socorro.settings import Settings

_DSN = "https://key@sentry.example.org/1"


class Mailbox(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep an envelope."""
        self.envelopes.append(envelope)

    def events(self) -> list[dict[str, Any]]:
        """Return the events of all envelopes in the order of their sending."""
        return [item.payload.json for envelope in self.envelopes for item in envelope.items]


@contextmanager
def reports_kept(settings: Settings, service: str) -> Iterator[Mailbox]:
    """Report errors of this process to a mailbox meanwhile.

    Afterwards nothing is reported. Never end it with ``sentry_sdk.init()``: its default
    integrations change http.client, subprocess and botocore for the rest of the process.
    """
    mailbox = Mailbox()
    set_up_sentry(replace(settings, sentry_dsn=_DSN), service, mailbox)
    try:
        yield mailbox
    finally:
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(None)
