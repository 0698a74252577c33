# SPDX-License-Identifier: Apache-2.0
"""Prints what the control API costs: lists, watches and writes with many objects, beside what the disk
and the kernel charge for the same bytes. docs/performance.md explains the rows."""

import argparse
import http.client
import json
import os
import pathlib
import re
import selectors
import socket
import sqlite3
import statistics
import subprocess
import tempfile
import time

NAMESPACE = "bench"
KIND = f"/apis/networking.istio.io/v1/namespaces/{NAMESPACE}/virtualservices"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def virtual_service(number, path="/"):
    host = f"host-{number}.example.com"
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": f"vs-{number:05}", "namespace": NAMESPACE},
        "spec": {
            "hosts": [host],
            "gateways": ["bench"],
            "http": [{
                "match": [{"uri": {"prefix": path}}],
                "timeout": "5s",
                "route": [{"destination": {"host": host, "port": {"number": 80}}}],
            }],
        },
    }


class Server:
    """skiffd with its API, until `stop`."""

    def __init__(self, program, directory):
        log = directory / "log"
        begun = time.perf_counter()
        with open(log, "w") as messages:
            self.process = subprocess.Popen(
                ["taskset", "-c", "0", program, "--data-dir", directory / "data",
                 "--api-address", "127.0.0.1:0", "--grpc-address", "127.0.0.1:0",
                 "--http-address", "127.0.0.1:0", "--monitoring-address", "127.0.0.1:0"],
                stderr=messages)
        while not (ready := re.search(r" ready .*\bapi=\S*:(\d+)\n", log.read_text())):
            if self.process.poll() is not None:
                raise SystemExit(f"apiload: {program} did not start: {log.read_text()}")
            time.sleep(0.001)
        self.seconds_to_ready = time.perf_counter() - begun
        self.port = int(ready[1])

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def memory(self, key="VmRSS"):
        """In KiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{key}:\s+(\d+)", status)[1])

    def cpu(self):
        """User and kernel, in seconds."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Client:
    """One kept connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, method, path, body=None, accept="application/json", content="application/json"):
        data = json.dumps(body).encode() if body is not None else None
        self.connection.request(method, path, data, {"Accept": accept, "Content-Type": content})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"apiload: {method} {path}: {answer.status} {text[:300]}")
        return text

    def revision(self):
        page = json.loads(self.send("GET", KIND + "?limit=1"))
        return page["metadata"]["resourceVersion"]

    def patch(self, number, path):
        change = virtual_service(number, path)["spec"]["http"]
        return self.send("PATCH", f"{KIND}/vs-{number:05}", {"spec": {"http": change}},
                         content="application/merge-patch+json")


class Watchers:
    """Watches of one collection that count what they see, or do not read at all."""

    def __init__(self, port, count, revision, reads=True):
        self.selector = selectors.DefaultSelector()
        self.sockets = []
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", port))
            sock.sendall(f"GET {KIND}?watch=1&resourceVersion={revision} HTTP/1.1\r\n"
                         "Host: localhost\r\nAccept: application/json\r\n\r\n".encode())
            if reads:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += sock.recv(1)
                if b" 200 " not in head.split(b"\r\n")[0]:
                    raise SystemExit(f"apiload: watch: {head!r}")
                sock.setblocking(False)
                self.selector.register(sock, selectors.EVENT_READ)
            self.sockets.append(sock)

    def wait(self, text):
        """Until each has been sent the text; the seconds to the first and to the last."""
        begun, times = time.perf_counter(), []
        tails = {sock: b"" for sock in self.sockets}
        while tails:
            for key, _ in self.selector.select(10) or self.late():
                if key.fileobj not in tails:
                    key.fileobj.recv(1 << 20)
                    continue
                tails[key.fileobj] = tails[key.fileobj][-len(text):] + key.fileobj.recv(1 << 20)
                if text in tails[key.fileobj]:
                    del tails[key.fileobj]
                    times.append(time.perf_counter() - begun)
        return times[0], times[-1]

    def late(self):
        raise SystemExit("apiload: a watch was told nothing for ten seconds")

    def close(self):
        for sock in self.sockets:
            sock.close()


def timed(action, times):
    durations = []
    for _ in range(times):
        begun = time.perf_counter()
        action()
        durations.append(time.perf_counter() - begun)
    return statistics.median(durations), sorted(durations)[int(len(durations) * 0.99)]


def disk_floor(directory, size, times):
    """One durable commit of so many bytes, in the database's own way of being durable."""
    database = sqlite3.connect(directory / "floor.sqlite", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE object (name INTEGER PRIMARY KEY, body BLOB)")
    return timed(lambda: database.execute(
        "INSERT INTO object (body) VALUES (?)", (os.urandom(size),)), times)


def kernel_floor(size, times):
    """So many bytes through a loopback connection, after a short request."""
    listener = socket.create_server(("127.0.0.1", 0))
    if os.fork() == 0:
        sock, data = listener.accept()[0], bytes(size)
        while sock.recv(100):
            sock.sendall(data)
        os._exit(0)
    sock = socket.create_connection(listener.getsockname())

    def fetch():
        sock.sendall(b"GET")
        left = size
        while left:
            left -= len(sock.recv(min(left, 1 << 20)))

    median = timed(fetch, times)[0]
    sock.close()
    os.wait()
    return median


def row(what, value, beside=""):
    print(f"| {what} | {value} | | {beside} |", flush=True)


def milliseconds(seconds):
    return f"{seconds * 1e3:.1f} ms"


def measure(program, directory, count, watchers):
    print("| what | measured | target | beside |\n|---|---|---|---|")
    server = Server(program, directory)
    client = Client(server.port)
    before, cpu = server.memory(), server.cpu()
    begun = time.perf_counter()
    for number in range(count):
        client.send("POST", KIND, virtual_service(number))
    taken = time.perf_counter() - begun
    size = len(client.send("GET", f"{KIND}/vs-00000"))
    row(f"creating {count} VirtualServices, one after the other", f"{taken / count * 1e3:.2f} ms each",
        f"CPU {(server.cpu() - cpu) / count * 1e3:.2f} ms each")
    row("memory per object", f"{(server.memory() - before) / count:.1f} KiB", f"{size} bytes as JSON")

    floor, floor_worst = disk_floor(directory, size, 500)
    writes = iter(range(10**6))
    median, worst = timed(lambda: client.patch(next(writes) % count, "/patched"), 500)
    row("a patch of one object: median", milliseconds(median),
        f"{median / floor:.1f} × a durable commit ({milliseconds(floor)})")
    row("  99th percentile", milliseconds(worst), f"a durable commit: {milliseconds(floor_worst)}")

    answer = client.send("GET", KIND)
    median, _ = timed(lambda: client.send("GET", KIND), 10)
    floor = kernel_floor(len(answer), 10)
    row("listing all", milliseconds(median),
        f"{len(answer) / 1e6:.1f} MB; {median / floor:.1f} × the same bytes through a socket")
    row("listing all as a table", milliseconds(
        timed(lambda: client.send("GET", KIND, accept=TABLE), 10)[0]))
    row("a page of 500", milliseconds(timed(lambda: client.send("GET", KIND + "?limit=500"), 20)[0]))
    row("peak memory so far", f"{server.memory('VmHWM') / 1024:.0f} MiB")

    begun = time.perf_counter()
    events = Watchers(server.port, 1, 0)
    row("a watch's start with all objects as events", milliseconds(
        events.wait(f"vs-{count - 1:05}".encode())[1]))
    events.close()

    memory, begun = server.memory(), time.perf_counter()
    readers = Watchers(server.port, watchers, client.revision())
    row(f"starting {watchers} watches from a revision",
        f"{(time.perf_counter() - begun) / watchers * 1e3:.2f} ms each",
        f"{(server.memory() - memory) / watchers:.0f} KiB each")
    seen = []
    cpu = server.cpu()
    for number in range(50):
        client.patch(number, f"/seen-{number}-")
        seen.append(readers.wait(f"/seen-{number}-".encode()))
    row(f"from a write's answer to the last of {watchers} watches: median",
        milliseconds(statistics.median(last for _, last in seen)),
        f"first {milliseconds(statistics.median(first for first, _ in seen))}, "
        f"CPU {(server.cpu() - cpu) / 50 / watchers * 1e6:.0f} µs an event")

    readers.close()
    readers = Watchers(server.port, 5, client.revision())
    for name in "every watch reads", "one watch reads nothing":
        stopped = Watchers(server.port, 1, client.revision(), reads=False)
        if name == "every watch reads":
            stopped.close()
        memory, slowest = server.memory(), 0
        for number in range(1000):
            client.patch(number % 100, f"/{name[0]}{'x' * 20_000}-{number}-")
            slowest = max(slowest, readers.wait(f"-{number}-".encode())[1])
        row(f"20 MB of changes, {name}: growth of the server",
            f"{(server.memory() - memory) / 1024:.1f} MiB",
            f"the others waited {milliseconds(slowest)} at most")
        stopped.close()
    readers.close()
    server.stop()

    again = Server(program, directory)
    size = sum(path.stat().st_size for path in (directory / "data").iterdir())
    row("from start to ready with all of it", f"{again.seconds_to_ready:.2f} s",
        f"{size / 1e6:.0f} MB on the disk")
    again.stop()


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("skiffd", type=pathlib.Path)
parser.add_argument("--objects", type=int, default=10_000)
parser.add_argument("--watchers", type=int, default=100)
arguments = parser.parse_args()
with tempfile.TemporaryDirectory() as made:
    measure(arguments.skiffd.resolve(), pathlib.Path(made), arguments.objects, arguments.watchers)
