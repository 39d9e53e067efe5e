"""What stands between a client and a portal in the tests: a line that breaks, TLS, a proxy, other servers."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Line:
    """A line to a server, over which connections can be cut.

    `target` may change; `limits` gives each further connection the bytes after which it is cut, in both
    directions together; `passed` counts what went towards the server; `seen` is told that count.
    """

    def __init__(self, url: str, limits: Iterator[int] | None = None) -> None:
        self.target = urlsplit(url).netloc
        self.limits = limits or iter(())
        self.passed = 0
        self.pause = 0.0
        self.connections = 0
        self.seen: Callable[[int], None] = lambda _: None
        self.tls: ssl.SSLContext | None = None
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                self.connections += 1
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        host, _, port = self.target.rpartition(":")
        try:
            if self.tls is not None:
                client = self.tls.wrap_socket(client, server_side=True)
            server = socket.create_connection((host, int(port)))
        except OSError:
            client.close()
            return
        left = [next(self.limits, 2**62)]
        back = threading.Thread(target=self._pump, args=(server, client, left, False), daemon=True)
        back.start()
        self._pump(client, server, left, True)
        back.join()
        client.close()
        server.close()

    def _pump(self, source: socket.socket, sink: socket.socket, left: list[int], up: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(16_384):
                sink.sendall(piece[: left[0]])
                left[0] -= len(piece)
                if up:
                    self.passed += len(piece)
                    self.seen(self.passed)
                    time.sleep(self.pause)
                if left[0] <= 0:
                    break
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def answering(
    answers: Callable[[str, str], tuple[int, dict[str, str], bytes]],
) -> Iterator[tuple[str, list[str]]]:
    """A server with answers of its own: yields its address, and a list that every header line goes to."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            heard.append(f"{self.command} {self.path}")
            heard.extend(f"{name}: {value}" for name, value in self.headers.items())
            self.rfile.read(int(self.headers.get("content-length", 0)))
            status, headers, body = answers(self.command, self.path)
            self.send_response(status)
            for name, value in (headers | {"content-length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

        do_GET = do_POST = do_HEAD = do_PATCH = _any

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path, name: str, days: int = 2) -> Path:
    """A certificate, signed by itself, with its key in one PEM file; `days` below 0: it has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    alternative: x509.GeneralName = x509.DNSName(name)
    with suppress(ValueError):
        alternative = x509.IPAddress(ipaddress.ip_address(name))
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=10))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}{days}.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def speaking_tls(line: Line, path: Path) -> Line:
    """Let a line speak TLS with this certificate."""
    line.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    line.tls.load_cert_chain(path)
    return line


class Passing:
    """An HTTP proxy that passes every CONNECT on to one server; `heard`: what it was sent."""

    def __init__(self, port: int, refusal: str = "") -> None:
        self.heard: list[str] = []
        self._port, self._refusal = port, refusal
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                head = b""
                while b"\r\n\r\n" not in head:
                    head += client.recv(4096)
                self.heard += head.decode().splitlines()
                if self._refusal:
                    client.sendall(f"HTTP/1.1 {self._refusal}\r\n\r\n".encode())
                    client.close()
                    continue
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                server = socket.create_connection(("127.0.0.1", self._port))
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(16_384):
                self.heard.append(piece.decode("latin-1"))
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_RDWR)
