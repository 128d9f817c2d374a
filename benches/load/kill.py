"""Kills a provider's endpoints under load, and slows one of three down; counts what callers see.

Kill: two endpoints, one of which is killed (SIGKILL) and started again, then the other, and so on,
while oha calls at a steady rate. With `retry_unsafe` no call may fail, and the provider may get no
more calls than a tenth on top, and ten. Without it, a call that the dead endpoint may have run is
not made again: how many that are is told, and nothing is demanded of it.

Latency: three endpoints, all of them fast, and then one ten times slower; the 99th percentile may
be one and a half times as long. Turns are taken in rounds, and the median of the rounds' ratios
counts. Exit code 1 if something is not as demanded. Prints Markdown.
"""

import argparse
import json
import os
import re
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from peers import chat

ADMIN = "sk-admin-" + secrets.token_hex(16)
CALLER = "sk-caller-" + secrets.token_hex(16)
# Milliseconds that an endpoint takes: enough that calls are in flight wherever one is killed.
BRIEF, FAST, SLOW = 10, 50, 500
# A killed endpoint is away for so long, and so long passes before the next kill.
AWAY, BETWEEN = 1.5, 2.5


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def listens(port):
    while socket.socket().connect_ex(("127.0.0.1", port)):
        time.sleep(0.01)


class Mock:
    """One endpoint."""

    def __init__(self, options, milliseconds):
        self.port = free_port()
        program = options.bin_dir / "examples/load-mock"
        self.command = [program, f"127.0.0.1:{self.port}", str(milliseconds)]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command)
        listens(self.port)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Gateway:
    """A gateway before these endpoints."""

    def __init__(self, options, mocks, balance, more=""):
        self.port, self.folder = free_port(), tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        endpoints = ", ".join(f'{{url: "http://127.0.0.1:{mock.port}"}}' for mock in mocks)
        file = folder / "portcullis.yaml"
        file.write_text(f"""
server: {{listeners: [{{address: "127.0.0.1:{self.port}"}}]}}
rate_limits: {{per_ip: null, per_key: null, concurrent_requests: null, block: null}}
providers: [{{name: mock, api: openai, endpoints: [{endpoints}], api_key: sk-mock{more}}}]
routes: [{{models: ["gpt-*"], providers: [mock], balance: {balance}, retries: 2}}]
logging: {{level: info, file: {folder}/log}}
""")
        environment = {"PATH": os.environ["PATH"], "API_KEY": ADMIN, "ADDITIONAL_API_KEYS": CALLER}
        with open(folder / "stderr", "ab") as errors:
            self.process = subprocess.Popen(
                [options.bin_dir / "portcullis", "run", "-c", file], env=environment, stderr=errors
            )
        while not self.ready():
            assert self.process.poll() is None, (folder / "stderr").read_text()
            time.sleep(0.05)

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=5) as answer:
                return answer.status == 200
        except (OSError, urllib.error.HTTPError):
            return False

    def attempts(self):
        """Attempts so far, by what they came to."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/metrics", headers={"authorization": f"Bearer {ADMIN}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read().decode()
        row = re.compile(r'proxy_api_provider_attempts_total\{.*result="(\w+)".*\} (\d+)')
        return {result: int(count) for result, count in row.findall(text)}

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.folder.cleanup()


def load(options, port, rate, connections, seconds):
    """A steady rate of calls for so long; oha's report."""
    with tempfile.NamedTemporaryFile() as body:
        body.write(chat(1024))
        body.flush()
        command = [
            options.oha, "--no-tui", "--output-format", "json", "-z", f"{seconds}s", "-w",
            "-q", str(rate), "-c", str(connections), "-m", "POST", "-T", "application/json",
            "-H", f"authorization: Bearer {CALLER}", "-D", body.name,
            f"http://127.0.0.1:{port}/v1/chat/completions",
        ]
        return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def outcome(report):
    """Calls, and those that failed."""
    statuses = report["statusCodeDistribution"]
    errors = dict(report["errorDistribution"])
    errors.pop("aborted due to deadline", None)
    calls = sum(statuses.values()) + sum(errors.values())
    return calls, calls - statuses.get("200", 0), {**statuses, **errors}


def killing(options, unsafe):
    """One run: the row of the table, and whether it is as demanded."""
    mocks = [Mock(options, BRIEF), Mock(options, BRIEF)]
    more = f", retry_unsafe: {str(unsafe).lower()}"
    gateway = Gateway(options, mocks, "least_in_flight", more)
    seconds = 2 + options.kills * (AWAY + BETWEEN)
    reports = []
    caller = threading.Thread(
        target=lambda: reports.append(load(options, gateway.port, options.rate, 64, seconds))
    )
    caller.start()
    time.sleep(2)
    for kill in range(options.kills):
        victim = mocks[kill % 2]
        victim.kill()
        time.sleep(AWAY)
        victim.start()
        time.sleep(BETWEEN)
    caller.join()
    attempts = gateway.attempts()
    gateway.stop()
    for mock in mocks:
        mock.kill()
    calls, failed, how = outcome(reports[0])
    reached = sum(attempts.values()) - attempts.get("not_connected", 0)
    # oha gives calls up at its end that the gateway still makes.
    most = (calls + 64) * 1.1 + 10
    fine = calls > 0 and reached <= most and not (unsafe and failed)
    rate = reports[0]["summary"]["requestsPerSec"]
    p99 = (reports[0]["latencyPercentiles"]["p99"] or 0) * 1e3
    print(
        f"| {str(unsafe).lower()} | {rate:.0f} | {options.kills} | {calls} | {failed} | {reached} | "
        f"{reached / calls:.4f} | {attempts.get('not_connected', 0)} | {p99:.1f} |"
    )
    if not fine or failed:
        print(f"retry_unsafe {unsafe}: {how} {attempts}", file=sys.stderr)
    return fine


def slowed(options):
    """The rounds of the half about latency; whether they are as demanded."""
    fields = {"all fast": (FAST, "latency"), "one slow": (SLOW, "latency"), "in turn": (SLOW, "round_robin")}
    peaks = {name: [] for name in fields}
    for _ in range(options.rounds):
        for name, (third, balance) in fields.items():
            mocks = [Mock(options, FAST), Mock(options, FAST), Mock(options, third)]
            gateway = Gateway(options, mocks, balance)
            # What is learnt of an endpoint is learnt before anything is counted.
            load(options, gateway.port, 400, 64, 2)
            report = load(options, gateway.port, 400, 64, 10)
            gateway.stop()
            for mock in mocks:
                mock.kill()
            calls, failed, how = outcome(report)
            assert calls and not failed, how
            peaks[name].append({rank: report["latencyPercentiles"][rank] * 1e3 for rank in ("p50", "p99")})
    print(f"\n| endpoints of {FAST} ms | balance | p50 ms | p99 ms | p99 to `all fast` |")
    print("|---|---|---|---|---|")
    verdict = True
    for name, (third, balance) in fields.items():
        ratios = [one["p99"] / fast["p99"] for one, fast in zip(peaks[name], peaks["all fast"])]
        middle = {rank: statistics.median(one[rank] for one in peaks[name]) for rank in ("p50", "p99")}
        ratio = statistics.median(ratios)
        kind = "three" if third == FAST else f"two, and one of {third} ms"
        print(f"| {kind} | `{balance}` | {middle['p50']:.1f} | {middle['p99']:.1f} | {ratio:.2f} |")
        verdict &= name != "one slow" or ratio <= 1.5
    return verdict


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin-dir", type=Path, required=True)
    parser.add_argument("--oha", required=True)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("| `retry_unsafe` | calls/s | kills | calls | failed | reached the provider | a call | no connection | p99 ms |")
    print("|---|---|---|---|---|---|---|---|---|")
    good = [killing(options, True), killing(options, False), slowed(options)]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
