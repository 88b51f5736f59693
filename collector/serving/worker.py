# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Gunicorn's threaded worker, made safe against slow clients and lossless at its end.

A connection takes a thread only while its request is served. Before and after, it waits in the main
loop: for the begin of a request (see `collector.serving.gathering`), or for the client to close.
"""

import errno
import heapq
import logging
import selectors
import socket
import time
import traceback
from functools import partial
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from collector.refusal import Refused
from collector.serving.expectation import AwaitedBody
from collector.serving.fair_selector import FairSelector
from collector.serving.gathering import Gathering, HeadLimits
from collector.serving.hand_over import HandOverPool
from collector.serving.http_refusals import plain_answer, refusal_named, refusal_of
from collector.serving.patient_socket import PatientSocket
from collector.serving.request_body import body_of
from socorro.metrics import METRICS
from socorro.sentry import report_error

logger = logging.getLogger(__name__)

_RECEIVE = 16 * 1024
# What a refused client still sends is read so long and so far, so that it sees the answer: many
# look at it only afterwards, and a connection closed with unread bytes is reset.
_LINGER_SECONDS = 10.0
_LINGER_BYTES = 32 * 2**20
_LINGER_RECEIVE = 128 * 1024
# Time limits are looked at so often.
_TICK_SECONDS = 0.25
_NO_ERROR_OF_OURS = (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK)


class Waiting:
    """A connection in the main loop; `deadline` is on the monotonic clock.

    `drained` counts what came after the last answer, on a connection about to be closed.
    """

    def __init__(self, conn: TConn, deadline: float, limits: HeadLimits) -> None:
        self.conn = conn
        self.deadline = deadline
        self.gathering = Gathering(limits)
        self.drained = 0


class CollectorWorker(ThreadWorker):  # type: ignore[misc]
    """The worker of the collector.

    `inherited` says that the listening socket outlives this server, so that who waits in its queue
    is served by the next one.
    """

    inherited = False
    limits = HeadLimits(request_line=4094, head=65536)

    alive: bool
    poller: FairSelector

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[TConn, Waiting] = {}
        self._next_tick = 0.0
        self._next_notice = 0.0

    def get_thread_pool(self) -> HandOverPool:
        """Return the threads that serve requests."""
        return HandOverPool(self.cfg.threads)

    # Connections come

    def run(self) -> None:
        """Serve until told to stop."""
        self.poller.close()
        self.poller = FairSelector()
        super().run()

    def accept(self, listener: Any) -> None:
        """Take a connection that waits in the listener's queue; the next is another process's."""
        self._accept_one(listener)
        self.poller.requeue(listener)

    def _accept_one(self, listener: Any) -> bool:
        """Return whether there was one."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno not in _NO_ERROR_OF_OURS:
                raise
            return False
        self.nr_conns += 1
        conn = TConn(self.cfg, PatientSocket.adopt(client), address, listener.getsockname())
        # Nobody has to wait for the first bytes in a thread: they are here by then.
        conn.data_ready = True
        self._gather(conn, b"", time.monotonic() + conn.sock.idle)
        return True

    def set_accept_enabled(self, enabled: bool) -> None:
        """Stop accepting when the worker ends, but only after taking those who wait already.

        Closing the listener resets the connections in its queue; so they are accepted first, and
        it is closed at once, since whoever connects later would wait in vain. A listener that
        outlives this server keeps its queue.
        """
        super().set_accept_enabled(enabled)
        if enabled:
            self._requeue_listeners()
        if self.alive or enabled:
            return
        for listener in self.sockets:
            if not self.inherited:
                self._accept_waiting(listener)
            listener.close()

    def _requeue_listeners(self) -> None:
        for listener in self.sockets:
            self.poller.requeue(listener)

    def _accept_waiting(self, listener: Any) -> None:
        # No more can wait than its queue holds; who connects meanwhile would make this endless.
        for _ in range(self.cfg.backlog):
            if not self._accept_one(listener):
                return

    # They wait

    def _gather(self, conn: TConn, received: bytes, deadline: float) -> None:
        """Wait for the next request; `received` came with the one before."""
        waiting = Waiting(conn, deadline, self.limits)
        if received:
            conn.sock.begin_request(len(received))
        if self._take(waiting, received) and self._receive(waiting):
            self._wait(waiting, self._on_readable)

    def _wait(self, waiting: Waiting, callback: Any) -> None:
        self._waiting[waiting.conn] = waiting
        self.poller.register(waiting.conn.sock, selectors.EVENT_READ, partial(callback, waiting))

    def _stop_waiting(self, waiting: Waiting) -> None:
        if self._waiting.pop(waiting.conn, None) is not None:
            self.poller.unregister(waiting.conn.sock)

    def _on_readable(self, waiting: Waiting, _socket: Any) -> None:
        self._receive(waiting)

    def _receive(self, waiting: Waiting) -> bool:
        """Read what is here; return whether to wait for more."""
        sock = waiting.conn.sock
        gathering = waiting.gathering
        if not gathering.data:
            # The clock of a request begins with its first byte.
            sock.begin_request(0)
        try:
            data = sock.receive_ready(_RECEIVE)
        except OSError:
            data = b""
        if data is None:
            return True
        if data:
            return self._take(waiting, data)
        if gathering.has_head:
            # The client closed in the middle of a body: the application says what that means.
            self._serve(waiting)
        else:
            self._close(waiting)
        return False

    def _take(self, waiting: Waiting, data: bytes) -> bool:
        """Add bytes; go on with the request if it is time. Return whether to wait for more."""
        gathering = waiting.gathering
        if data:
            waiting.deadline = time.monotonic() + waiting.conn.sock.patience()
        if not gathering.add(data):
            return True
        if gathering.refusal is not None:
            self._refuse(waiting, gathering.refusal)
        else:
            self._serve(waiting)
        return False

    def _serve(self, waiting: Waiting) -> None:
        """Hand a connection to a thread."""
        self._stop_waiting(waiting)
        waiting.conn.sock.prefill(bytes(waiting.gathering.data))
        self.enqueue_req(waiting.conn)

    def _refuse(self, waiting: Waiting, reason: str) -> None:
        """Answer without a thread, and close."""
        self._stop_waiting(waiting)
        try:
            waiting.conn.sock.send(_counted(refusal_named(reason)))
        except OSError:
            self._close(waiting)
        else:
            self._linger(waiting.conn)

    # They end

    def _linger(self, conn: TConn) -> None:
        """Close once the client has seen the answer, that is, when it closes, or after a while."""
        seconds = _LINGER_SECONDS if self.alive else STOP_KEEPALIVE_LINGER
        waiting = Waiting(conn, time.monotonic() + seconds, self.limits)
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(waiting)
            return
        self._wait(waiting, self._on_lingering)

    def _on_lingering(self, waiting: Waiting, _socket: Any) -> None:
        try:
            data = waiting.conn.sock.receive_ready(_LINGER_RECEIVE)
        except OSError:
            data = b""
        waiting.drained += len(data or b"")
        if data == b"" or waiting.drained > _LINGER_BYTES:
            self._close(waiting)

    def _close(self, waiting: Waiting) -> None:
        self._stop_waiting(waiting)
        self.nr_conns -= 1
        waiting.conn.close()

    def murder_pending(self) -> None:
        """End what waited too long, or who waits when there are too many connections."""
        now = time.monotonic()
        if now < self._next_tick:
            return
        self._next_tick = now + _TICK_SECONDS
        if self._accepting:
            # A process that was killed may have been the only one to be woken.
            self._requeue_listeners()
        for waiting in [waiting for waiting in self._waiting.values() if waiting.deadline <= now]:
            self._end_wait(waiting)
        if self.alive and self.nr_conns >= self.worker_connections:
            self._make_room()

    def _make_room(self) -> None:
        """Close some of those that have waited longest: they keep others from being accepted."""
        few = max(1, self.worker_connections // 20)
        for waiting in heapq.nsmallest(few, self._waiting.values(), key=lambda each: each.deadline):
            self._close(waiting)

    def _end_wait(self, waiting: Waiting) -> None:
        gathering = waiting.gathering
        if not gathering.data:
            self._close(waiting)
        elif gathering.has_head:
            # The application refuses it, as it does when a body stalls later.
            waiting.conn.sock.stalled = True
            self._serve(waiting)
        else:
            self._refuse(waiting, "timeout")

    def notify(self) -> None:
        """Tell the master that the main loop runs; not in each turn of it, which are many."""
        now = time.monotonic()
        if now >= self._next_notice:
            self._next_notice = now + _TICK_SECONDS
            super().notify()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events, but not past the next look at the time limits."""
        super().wait_for_and_dispatch_events(min(timeout, _TICK_SECONDS))

    def _cap_keepalive(self, deadline: float) -> None:
        """Close connections that have no request by `deadline`."""
        for waiting in self._waiting.values():
            if not waiting.gathering.data:
                waiting.deadline = min(waiting.deadline, deadline)

    # They are served

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Serve a request whose header is read; its body is not."""
        req.body = body_of(req, conn.sock)
        # Gunicorn would ask for every body.
        if req._expected_100_continue:
            req._expected_100_continue = False
            req.body = AwaitedBody(req.body, req, conn.sock)
        return super().handle_request(req, conn)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """Go on with a connection that has been served, in the main loop."""
        if fs.cancelled() or fs.exception() is not None or not fs.result():
            self._linger(conn)
            return
        wait = self.cfg.keepalive if self.alive else STOP_KEEPALIVE_LINGER
        # The next request may have come already, with the end of this one.
        received = conn.parser.unreader.take_buffered() + conn.sock.take_prefilled()
        self._gather(conn, received, time.monotonic() + wait)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Return whether the connection can serve another request.

        What is left of the body is read only if it is here already: waiting for more of it is no
        work for a thread.
        """
        if not keepalive:
            return False
        try:
            return bool(conn.parser.finish_body(deadline=time.monotonic() + 0.05))
        except (ParseException, OSError):
            return False

    def handle_error(
        self,
        req: Any,  # noqa: ARG002
        client: Any,
        addr: Any,  # noqa: ARG002
        exc: BaseException,
    ) -> None:
        """Answer what is no HTTP with the reason, and an error of ours with 500."""
        refused = refusal_of(exc)
        if refused is not None:
            answer = _counted(refused)
        else:
            stack = "".join(traceback.format_tb(exc.__traceback__))
            logger.error("%s while serving a request\n%s", type(exc).__name__, stack)
            report_error(exc)
            answer = plain_answer(500, '{"title": "500 Internal Server Error"}', "application/json")
        try:
            client.sendall(answer)
        except OSError:
            logger.debug("a client was gone before it was answered")

    def is_parent_alive(self) -> bool:
        """Begin to end when the master is gone: its successor needs the port at once."""
        parent_alive: bool = super().is_parent_alive()
        self.alive = self.alive and parent_alive
        return parent_alive


def _counted(refused: Refused) -> bytes:
    """Return the answer of a refusal, which is counted and logged."""
    METRICS.incr("collector.breakpad_resource.malformed", tags=[f"reason:{refused.reason}"])
    logger.info("refused a request: %s", refused.reason)
    return plain_answer(refused.status, refused.body)
