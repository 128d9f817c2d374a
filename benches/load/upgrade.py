"""Reloads and upgrades a gateway under load, and counts what went wrong meanwhile: nothing may.

oha keeps asking for plain answers, the mock's client keeps its event streams open, and a prober
connects anew every few milliseconds. Exit code 1 if a call failed, a stream did not come whole, or
a connection was refused. Prints Markdown.
"""

import argparse
import atexit
import hashlib
import json
import os
import queue
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from peers import chat, post

# A stream takes five seconds, so that upgrades always find some in the middle.
EVENTS, EVERY_MS = 50, 100
ADMIN = "sk-admin-" + secrets.token_hex(16)
CALLER = "sk-caller-" + secrets.token_hex(16)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Gateway:
    """The running gateway, whichever process that is."""

    def __init__(self, binary, folder, mock, port):
        self.binary, self.folder, self.port = binary, folder, port
        self.file = folder / "portcullis.yaml"
        self.file.write_text(self.text(mock))
        self.told, self.listens = queue.Queue(), threading.Event()
        threading.Thread(target=self.listen, args=(folder / "told",), daemon=True).start()
        self.listens.wait(10)
        self.gone = []
        self.process = self.start()

    def text(self, mock):
        return f"""
server: {{listeners: [{{address: "127.0.0.1:{self.port}"}}], shutdown: {{drain: 30s}}}}
inspection: {{request: {{max_text_chars: 1000000}}}}
rate_limits: {{per_ip: null, per_key: null, concurrent_requests: null, block: null}}
providers:
  - {{name: mock, api: openai, endpoints: [{{url: "http://127.0.0.1:{mock}"}}], api_key: sk-mock}}
routes: [{{models: ["gpt-*"], providers: [mock]}}]
logging: {{level: info, file: {self.folder}/log}}
"""

    def listen(self, path):
        """Reads all that a service manager is told, as the real one does."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(str(path))
            self.listens.set()
            while True:
                self.told.put(told.recv(4096).decode())

    def start(self, *more):
        """Starts a process and waits until it says that it is ready."""
        environment = {
            "PATH": os.environ["PATH"],
            "API_KEY": ADMIN,
            "ADDITIONAL_API_KEYS": CALLER,
            "RUNTIME_DIRECTORY": str(self.folder / "run"),
            "NOTIFY_SOCKET": str(self.folder / "told"),
        }
        with open(self.folder / "stderr", "ab") as errors:
            process = subprocess.Popen(
                [self.binary, "run", "-c", self.file, *more], env=environment, stderr=errors
            )
        if more:
            # It waits for a successor as long as it takes one to start.
            self.process.send_signal(signal.SIGQUIT)
        while f"MAINPID={process.pid}" not in self.told.get(timeout=60):
            pass
        return process

    def upgrade(self):
        """Another process takes over; answers how long that took."""
        began = time.monotonic()
        before, self.process = self.process, self.start("--upgrade")
        self.gone.append(before)
        return time.monotonic() - began

    def reload(self):
        began = time.monotonic()
        answer = post(self.port, ADMIN, b"{}", path="/internal/config/reload")
        assert answer[0] == 200, answer
        return time.monotonic() - began

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return [process.wait(60) for process in [*self.gone, self.process]]

    def end(self):
        """Leaves nothing behind, however the bench ended."""
        for process in [*self.gone, self.process]:
            if process.poll() is None:
                process.kill()


class Prober(threading.Thread):
    """Connects anew all the while: somebody must be listening."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.tries, self.refused, self.stop = port, 0, 0, False

    def run(self):
        while not self.stop:
            self.tries += 1
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
            except OSError:
                self.refused += 1
            time.sleep(0.002)


def oha(options, port, seconds):
    """A thread's worth of load for so long; its report lands in the list."""
    body = options.folder / "body"
    body.write_bytes(chat(1024))
    command = [
        options.oha, "--no-tui", "--output-format", "json", "-z", f"{seconds}s",
        "-w", "-c", str(options.connections), "-m", "POST", "-T", "application/json",
        "-H", f"authorization: Bearer {CALLER}", "-D", str(body),
        f"http://127.0.0.1:{port}/v1/chat/completions",
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def streams(options, mock, port, repeats, into):
    query = (
        f"/drive?to={port}&key={CALLER}&streams={options.streams}&repeats={repeats}"
        f"&events={EVENTS}&every={EVERY_MS}"
    )
    body = chat(1024, stream=True)
    request = urllib.request.Request(f"http://127.0.0.1:{mock}{query}", data=body)
    with urllib.request.urlopen(request, timeout=3600) as answer:
        into.append(json.load(answer))


def many_keys(options, gateway):
    """Gives the gateway many keys and rules of its own."""
    key = lambda n: hashlib.sha256(f"key {n}".encode()).hexdigest()
    lines = (
        json.dumps({"id": f"key-{n}", "role": "standard", "hash": f"sha256:{key(n)}"})
        for n in range(options.keys)
    )
    keys = gateway.folder / "keys.yaml"
    keys.write_text("keys:\n" + "".join(f"  - {line}\n" for line in lines))
    keys.chmod(0o600)
    rules = gateway.folder / "rules.yaml"
    rule = (
        "  - {{id: own.rule{n}, family: prompt_injection, severity: high, "
        "literals: ['quarterly figure {n}'], pattern: 'quarterly figure {n} of [a-z]+'}}\n"
    )
    rules.write_text("rules:\n" + "".join(rule.format(n=n) for n in range(options.rules)))
    text = gateway.file.read_text() + "auth: {keys_file: keys.yaml}\n"
    text = text.replace("{max_text_chars: 1000000}", "{max_text_chars: 1000000, rules_file: rules.yaml}")
    gateway.file.write_text(text)
    gateway.reload()


def percentile(report, rank):
    return (report["latencyPercentiles"][rank] or 0) * 1e3


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin-dir", type=Path, required=True)
    parser.add_argument("--oha", required=True)
    parser.add_argument("--reloads", type=int, default=100)
    parser.add_argument("--upgrades", type=int, default=20)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--rules", type=int, default=1_000)
    return parser.parse_args()


def loaded(options, gateway, mock, act):
    """Has `act` run under load, and answers the reports of the load."""
    prober, whole = Prober(gateway.port), []
    prober.start()
    # Streams for as long as it takes: more than enough, the rest is not waited for.
    repeats = max(2, int(options.seconds // (EVENTS * EVERY_MS / 1000)) + 1)
    driver = threading.Thread(target=streams, args=(options, mock, gateway.port, repeats, whole))
    driver.start()
    load = oha(options, gateway.port, options.seconds)
    time.sleep(2)
    figures = act()
    late = load.poll() is not None
    report = json.loads(load.communicate()[0])
    driver.join()
    prober.stop = True
    return figures, report, whole[0], prober, late


def main():
    options = arguments()
    mock_port, port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        options.folder = Path(folder)
        mock = subprocess.Popen([options.bin_dir / "examples/load-mock", f"127.0.0.1:{mock_port}"])
        atexit.register(mock.kill)
        while socket.socket().connect_ex(("127.0.0.1", mock_port)):
            time.sleep(0.05)
        gateway = Gateway(options.bin_dir / "portcullis", options.folder, mock_port, port)
        atexit.register(gateway.end)
        good = True
        rows = []
        steps = [
            ("nothing", 0, lambda: []),
            ("reloads", options.reloads, lambda: [gateway.reload() for _ in range(options.reloads)]),
            ("upgrades", options.upgrades, lambda: [gateway.upgrade() for _ in range(options.upgrades)]),
            ("nothing", 0, lambda: []),
        ]
        large = f"reloads of {options.keys} keys and {options.rules} rules"
        if options.keys:
            steps.append((large, 20, lambda: [gateway.reload() for _ in range(20)]))
        pace = {"nothing": 1, "reloads": 0.6, "upgrades": 4, large: 2}
        for name, count, act in steps:
            if name == large:
                many_keys(options, gateway)
            options.seconds = 10 + count * pace[name]
            figures, report, whole, prober, late = loaded(options, gateway, mock_port, act)
            calls = sum(report["statusCodeDistribution"].values())
            wrong = calls - report["statusCodeDistribution"].get("200", 0)
            errors = report["errorDistribution"]
            errors.pop("aborted due to deadline", None)
            failed = wrong + sum(errors.values())
            fine = not failed and not whole["failed"] and not prober.refused and not late
            good &= fine
            rows.append(
                f"| {count} {name} | {calls} | {failed} | {whole['streams']} | {whole['failed']} | "
                f"{prober.tries} | {prober.refused} | {percentile(report, 'p50'):.1f} | "
                f"{percentile(report, 'p99'):.1f} | "
                + (f"{statistics.median(figures) * 1e3:.0f} |" if figures else "– |")
            )
            if not fine:
                print(f"{name}: {errors} {whole.get('fault')} late={late}", file=sys.stderr)
        print("| meanwhile | calls | failed | streams | cut | connections | refused | p50 ms | p99 ms | each ms |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        print("\n".join(rows))
        codes = gateway.stop()
        mock.kill()
        if any(codes):
            good = False
            print(f"exit codes: {codes}", file=sys.stderr)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
