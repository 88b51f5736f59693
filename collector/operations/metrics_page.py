# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""``/metrics``: the metrics of all workers for Prometheus."""

import falcon

from collector.operations.operators import require_operator
from socorro.prometheus import CONTENT_TYPE, exposition


class MetricsResource:
    """``/metrics``: open unless there is an OPERATOR_TOKEN."""

    def __init__(self, token: str) -> None:
        self._token = token

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer in the text format of Prometheus."""
        if self._token:
            require_operator(req, self._token)
        resp.content_type = CONTENT_TYPE
        resp.data = exposition()
