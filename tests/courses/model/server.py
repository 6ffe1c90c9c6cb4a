"""A small server that speaks the chat protocol, and misbehaves on purpose.

It thinks nothing: `play` says what to answer. `faults` are taken first, one for each request.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = Any
Play = Callable[[Json], Json]


def says(text: str) -> Json:
    """An answer in words."""
    return {"role": "assistant", "content": text}


def calls(name: str, arguments: Mapping[str, Json] | str, call_id: str = "call-1") -> Json:
    """An answer that calls one tool; `arguments` as text stand as they are."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    function = {"name": name, "arguments": text}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": call_id, "type": "function", "function": function}],
    }


@dataclass
class ModelServer:
    url: str = ""
    play: Play = lambda _request: says("Done.")
    faults: list[str] = field(default_factory=list)
    always: str = ""
    retry_after: str = "0"
    requests: list[Json] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    tokens: tuple[int, int] = (100, 10)


@contextmanager
def running() -> Iterator[ModelServer]:
    server = ModelServer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            pass

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            server.requests.append(json.loads(self.rfile.read(length)))
            server.keys.append(self.headers.get("Authorization", ""))
            server.paths.append(self.path)
            fault = server.faults.pop(0) if server.faults else server.always
            if fault:
                self.misbehave(fault)
                return
            self.answer(200, self.body(server.play(server.requests[-1])))

        def body(self, message: Json) -> bytes:
            read, written = server.tokens
            usage = {"prompt_tokens": read, "completion_tokens": written}
            return json.dumps({"choices": [{"message": message}], "usage": usage}).encode()

        def answer(
            self, status: int, body: bytes, kind: str = "application/json", **headers: str
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def misbehave(self, fault: str) -> None:
            whole = self.body(says("Too late."))
            match fault:
                case "busy":
                    self.answer(429, b"{}", Retry_After=server.retry_after)
                case "broken":
                    self.answer(500, b"Internal Server Error", "text/plain")
                case "key":
                    self.answer(401, b"{}")
                case "refused":
                    self.answer(400, b"{}")
                case "redirect":
                    self.answer(307, b"", Location=f"{server.url}/elsewhere")
                case "type":
                    self.answer(200, b"<html>Welcome</html>", "text/html")
                case "stream":
                    self.answer(200, b"data: {}\n\n", "text/event-stream")
                case "json":
                    self.answer(200, whole[:-5])
                case "deep":
                    self.answer(200, b"[" * 200_000)
                case "shape":
                    self.answer(200, b'{"choices": []}')
                case "long":
                    self.answer(200, b" " * 1_200_000 + whole)
                case "slow":
                    time.sleep(1.5)
                case "drip":
                    self.send_response(200)
                    self.send_header("Content-Length", "100000")
                    self.end_headers()
                    try:
                        for _ in range(40):
                            self.wfile.write(b" ")
                            self.wfile.flush()
                            time.sleep(0.1)
                    except OSError:
                        pass
                case "cut":
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(whole)))
                    self.end_headers()
                    self.wfile.write(whole[:20])
                case "cut-chunks":
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    self.wfile.write(b"14\r\n" + whole[:20] + b"\r\n")
                case "hang-up":
                    pass
            self.close_connection = True

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    server.url = f"http://127.0.0.1:{httpd.server_port}/v1"
    threading.Thread(
        target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    ).start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
