"""A real server on this machine to which every mishap of a download can happen."""

import http.server
import re
import threading
import time


class Server(http.server.ThreadingHTTPServer):
    """Serves .files by path; .requests lists (path, Range). The rest are mishaps."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.requests = {}, []
        self.cuts = []  # bytes after which the next answers end
        self.failures = []  # status of the next answers
        self.ranges = True
        self.pause = 0.0  # seconds between blocks
        self.redirect = None
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def start(self):
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # clients that hang up are part of the tests


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.requests.append((self.path, wanted))
        content = server.files.get(self.path)
        if server.failures:
            return self.send_error(server.failures.pop(0))
        if server.redirect:
            return self.answer(302, b"", Location=server.redirect)
        if content is None:
            return self.send_error(404)
        if not (wanted and server.ranges):
            return self.answer(200, content)
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
        if start >= len(content):
            extent = f"bytes */{len(content)}"
            return self.answer(416, b"<html>", **{"Content-Range": extent})
        extent = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return self.answer(206, content[start:], **{"Content-Range": extent})

    def answer(self, status, content, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.server.cuts:
            content = content[: self.server.cuts.pop(0)]
        for start in range(0, len(content), 8192):
            self.wfile.write(content[start : start + 8192])
            time.sleep(self.server.pause)
