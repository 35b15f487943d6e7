"""A web server over a folder, with ranges of bytes or without."""

from __future__ import annotations

import functools
import io
import os
import re
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class _Handler(SimpleHTTPRequestHandler):
    ranges = True

    def log_message(self, *_):
        pass

    def send_head(self):
        path = self.translate_path(self.path)
        if "denied" in path:
            self.send_error(403)
            return None
        asked = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        if not (self.ranges and asked and os.path.isfile(path)):
            return super().send_head()
        start, last = map(int, asked.groups())
        with open(path, "rb") as file:
            file.seek(start)
            data = file.read(last + 1 - start)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{start + len(data) - 1}/{os.path.getsize(path)}")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        return io.BytesIO(data)


class _Server(ThreadingHTTPServer):
    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_):
        """Who asks may hang up."""

    def close(self):
        self.shutdown()
        self.server_close()


def served(folder, *, ranges):
    """A running server of the files in `folder`; close it."""
    handler = type("Handler", (_Handler,), {"ranges": ranges})
    server = _Server(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
