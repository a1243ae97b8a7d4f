"""An HTTP server in front of another one, that misbehaves when told to."""

import http.client
import http.server
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.support.servers import QuietServer, served

_HOP = {"connection", "transfer-encoding", "content-length", "host", "keep-alive"}


class Unreliable:
    """Forwards to `upstream`, as `mode` says: "well", "errors" (500), "dropped" (no answer), "slow" (by `seconds`)."""

    def __init__(self, upstream):
        self.mode, self.asked, self.seconds = "well", 0, 0.0
        self._upstream = urlsplit(upstream)

    def answer(self, handler):
        self.asked += 1
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        if self.mode == "dropped":
            handler.close_connection = True
            handler.connection.close()
            return
        if self.mode == "errors":
            self._send(handler, 500, {}, b'{"error_code": "INTERNAL_ERROR", "message": "out of order"}')
            return
        if self.mode == "slow":
            time.sleep(self.seconds)
        upstream = http.client.HTTPConnection(self._upstream.hostname, self._upstream.port, timeout=60)
        headers = {key: value for key, value in handler.headers.items() if key.lower() not in _HOP}
        upstream.request(handler.command, handler.path, body=body, headers=headers)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        kept = {key: value for key, value in answer.getheaders() if key.lower() not in _HOP}
        self._send(handler, answer.status, kept, content)

    @staticmethod
    def _send(handler, status, headers, content):
        handler.send_response(status)
        for key, value in headers.items():
            handler.send_header(key, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


@contextmanager
def unreliable(upstream, port=0):
    """A server in front of another one, its address, and the switch of its behaviour."""
    switch = Unreliable(upstream)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self):
            switch.answer(self)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

        def log_message(self, *arguments):
            """Nothing on stderr."""

    with served(Handler, port, QuietServer) as address:
        yield address, switch
