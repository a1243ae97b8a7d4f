"""Servers of tests, on a free port of this machine."""

import http.server
import threading
from contextlib import contextmanager


class QuietServer(http.server.ThreadingHTTPServer):
    """A client that gave up is no news."""

    def handle_error(self, *arguments):
        """Nothing on stderr."""


@contextmanager
def served(handler, port=0, server_class=http.server.ThreadingHTTPServer):
    """The address under which requests go to `handler`, until the block ends."""
    server = server_class(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
