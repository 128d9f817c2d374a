"""Drives the peers that load.sh has started, in rounds, and prints what came of it as Markdown.

In each round every peer has its turn, beginning with another one each time; a figure is the median
of the rounds. A ratio is the median of the rounds' own ratios to the bare Pingora of the same
round, so that what disturbs a whole round cancels out. Exit code 1 if any request failed.
"""

import json
import os
import platform
import resource
import statistics
import sys
import time
from pathlib import Path

from peers import CONNECTIONS, arguments, chat, check, oha, post

BASE = "bare"
# Requests of one turn by body size in KB: about one second each, long enough to count its CPU to
# one percent and short enough for the base to have its turn under the same conditions.
REQUESTS = {1: 20_000, 16: 15_000, 256: 4_000}
EVENTS, EVERY_MS, REPEATS = 50, 20, 2
# Streams that open together, and how many open in a second where there are more.
AT_ONCE, OPENED = 100, 500
STREAM_BODY = 2048
# Streams that a peer has had before its memory for more of them is counted.
FEW = 10
TICKS = os.sysconf("SC_CLK_TCK")
MB = 1024.0


class Cpu:
    """CPU seconds that a process has used so far."""

    def __init__(self, pid):
        self.nanos = {}
        self.ticks = 0
        if pid is None:
            return
        for task in Path(f"/proc/{pid}/task").iterdir():
            self.nanos[task.name] = int((task / "schedstat").read_text().split()[0])
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        self.ticks = int(fields[11]) + int(fields[12])

    def since(self, before):
        """Nanoseconds of the threads; ticks where a thread has gone and taken its count along."""
        if before.nanos.keys() <= self.nanos.keys() and sum(self.nanos.values()):
            return (sum(self.nanos.values()) - sum(before.nanos.values())) / 1e9
        return (self.ticks - before.ticks) / TICKS


def core_busy():
    """Seconds that core 0 has been busy."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name == "cpu0":
            user, nice, system, _, _, irq, softirq, *_ = map(int, fields)
            return (user + nice + system + irq + softirq) / TICKS
    return 0.0


def memory(pid):
    """RSS and PSS of a process in MB."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = dict(row.split(":", 1) for row in rows[1:])
    return {name.lower(): int(sizes[name].split()[0]) / MB for name in ("Rss", "Pss")}


def forget_peak(pid):
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak(pid):
    """Highest RSS in MB since `forget_peak`."""
    for row in Path(f"/proc/{pid}/status").read_text().splitlines():
        if row.startswith("VmHWM:"):
            return int(row.split()[1]) / MB
    return 0.0


class Watch:
    """What one turn of a peer costs, and how much others used of its core meanwhile."""

    def __init__(self, options, peer):
        self.peer, self.mock = peer, options.mock
        self.start = time.monotonic()
        self.busy, self.cpu, self.mock_cpu = core_busy(), Cpu(peer.pid), Cpu(self.mock.pid)
        self.load = resource.getrusage(resource.RUSAGE_CHILDREN)

    def done(self, count):
        wall = time.monotonic() - self.start
        cpu = Cpu(self.peer.pid).since(self.cpu)
        busy = core_busy() - self.busy
        load = resource.getrusage(resource.RUSAGE_CHILDREN)
        load_cpu = load.ru_utime + load.ru_stime - self.load.ru_utime - self.load.ru_stime
        return {
            "cpu_us": cpu / count * 1e6,
            "core": cpu / wall,
            "foreign": max(0.0, busy - cpu) / wall,
            "mock_us": Cpu(self.mock.pid).since(self.mock_cpu) / count * 1e6,
            "load_us": load_cpu / count * 1e6,
        }


def turn(options, peer, size, requests):
    watch = Watch(options, peer)
    report = oha(options, peer, size, requests)
    figures = watch.done(requests)
    figures["failed"] = report["failed"]
    figures["errors"] = report["errorDistribution"]
    figures["rps"] = report["summary"]["requestsPerSec"]
    for rank in ("p50", "p99"):
        figures[f"{rank}_us"] = (report["latencyPercentiles"][rank] or 0) * 1e6
    if peer.pid:
        figures |= {"peak": peak(peer.pid), **memory(peer.pid)}
    return figures


def stream_turn(options, peer, repeats, streams):
    # Few open within one interval; many at a pace that leaves time to serve those that are open,
    # and then all stay as long again.
    opening = EVERY_MS if streams <= AT_ONCE else streams * 1000 // OPENED
    events = max(EVENTS, 2 * opening // EVERY_MS)
    plan = (
        f"/drive?to={peer.port}&key={options.key}&streams={streams}&repeats={repeats}"
        f"&events={events}&every={EVERY_MS}&opening={opening}"
    )
    if peer.pid:
        forget_peak(peer.pid)
    watch = Watch(options, peer)
    _, body = post(options.mock.port, options.key, chat(STREAM_BODY, stream=True), plan, 600)
    report = json.loads(body)
    if "error" in report:
        raise SystemExit(f"the stream client failed: {report['error']}")
    figures = watch.done(max(1, report["events"]))
    figures["failed"] = report["failed"]
    figures["errors"] = report["fault"]
    for name in ("first", "first_one_way", "one_way", "gap"):
        for rank in ("p50", "p99"):
            figures[f"{name}_{rank}_us"] = (report[name][f"{rank}_ns"] or 0) / 1e3
    if peer.pid:
        figures["peak"] = peak(peer.pid)
    return figures


def in_rounds(options, once):
    """Turns of all peers, by peer; the order is another one in each round."""
    turns = {peer.name: [] for peer in options.peers}
    for number in range(options.rounds):
        shift = number % len(options.peers)
        for peer in options.peers[shift:] + options.peers[:shift]:
            turns[peer.name].append(once(peer))
    return turns


def summary(turns):
    """Medians of each peer, with the ratio of its CPU to that of the base, round by round."""
    found = {}
    for name, rows in turns.items():
        figures = {
            key: statistics.median(row[key] for row in rows)
            for key, value in rows[0].items()
            if isinstance(value, (int, float))
        }
        figures["failed"] = sum(row["failed"] for row in rows)
        ratios = [row["cpu_us"] / base["cpu_us"] for row, base in zip(rows, turns[BASE])]
        figures["ratio"] = statistics.median(ratios)
        figures["ratio_low"], figures["ratio_high"] = min(ratios), max(ratios)
        found[name] = figures
    return found


def table(head, rows):
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def ratio(figures):
    return f"{figures['ratio']:.2f} ({figures['ratio_low']:.2f} to {figures['ratio_high']:.2f})"


def json_rows(size, found):
    for name, row in found.items():
        proxied = name != "direct"
        yield [
            f"{size} KB", name, f"{row['rps']:,.0f}", f"{row['p50_us']:,.0f}",
            f"{row['p99_us']:,.0f}", f"{row['core']:.0%}" if proxied else "–",
            f"{row['cpu_us'] / 1e3:.4f}" if proxied else "–", ratio(row) if proxied else "–",
            f"{row['pss']:.1f}" if proxied else "–", f"{row['peak']:.1f}" if proxied else "–",
        ]  # fmt: skip


def a_stream(count, warm, found):
    """KB of RSS that each peer took for one stream: its peak less what it had after a few."""
    return {
        name: (row["peak"] - warm[name]) * 1024 / (count - FEW)
        for name, row in found.items()
        if "peak" in row
    }


def stream_rows(found, each):
    direct = found.get("direct")
    for name, row in found.items():
        proxied = name != "direct"

        def pair(kind):
            p50, p99 = row[f"{kind}_p50_us"], row[f"{kind}_p99_us"]
            if not direct or not proxied:
                return f"{p50:,.0f} / {p99:,.0f}"
            added = (p50 - direct[f"{kind}_p50_us"], p99 - direct[f"{kind}_p99_us"])
            return f"{p50:,.0f} / {p99:,.0f} ({added[0]:+,.0f} / {added[1]:+,.0f})"

        yield [
            name, pair("first"), pair("first_one_way"), pair("one_way"),
            f"{row['cpu_us']:.1f}" if proxied else "–", ratio(row) if proxied else "–",
            f"{each[name]:.1f} ({each[name] - each[BASE]:+.1f})" if proxied else "–",
        ]  # fmt: skip


def measure(options):
    """All figures, printed as they come."""
    proxies = [peer for peer in options.peers if peer.pid]
    idle = {peer.name: memory(peer.pid) for peer in proxies}
    check(options)
    figures = {"idle": idle, "json": {}, "sse": None}
    if "json" not in options.skip:
        rows = []
        for size in options.sizes:
            requests = REQUESTS.get(size, 2_000) // (10 if options.quick else 1)
            for peer in options.peers:
                oha(options, peer, size, requests // 4)
                if peer.pid:
                    forget_peak(peer.pid)
            turns = in_rounds(options, lambda peer: turn(options, peer, size, requests))
            figures["json"][size] = {"requests": requests, "turns": turns, "median": summary(turns)}
            rows += json_rows(size, figures["json"][size]["median"])
        table(
            ["body", "peer", "requests/s", "p50 µs", "p99 µs", "core in use",
             "CPU s per 1000 requests", "× bare (rounds)", "PSS MB", "peak RSS MB"], rows,
        )  # fmt: skip
    if "sse" not in options.skip:
        repeats = 1 if options.quick else REPEATS
        count, warm = options.streams, {}
        for peer in options.peers:
            stream_turn(options, peer, 1, FEW)
            warm[peer.name] = memory(peer.pid)["rss"] if peer.pid else 0.0
            stream_turn(options, peer, 1, count)
        turns = in_rounds(options, lambda peer: stream_turn(options, peer, repeats, count))
        figures["sse"] = {"turns": turns, "median": summary(turns)}
        each = a_stream(count, warm, figures["sse"]["median"])
        figures["sse"]["kb_a_stream"] = each
        table(
            ["peer", "first event µs, p50 / p99 (added)", "its way µs", "any event's way µs",
             "CPU µs per event", "× bare (rounds)", "RSS KB a stream (more than bare)"],
            stream_rows(figures["sse"]["median"], each),
        )  # fmt: skip
    table(
        ["peer", "idle RSS MB", "idle PSS MB"],
        ([name, f"{row['rss']:.1f}", f"{row['pss']:.1f}"] for name, row in idle.items()),
    )
    return figures


def verdict(figures):
    """Failed requests, and a word on how far the figures can be trusted."""
    parts = [*figures["json"].values(), *filter(None, [figures["sse"]])]
    failed, foreign = 0, 0.0
    for part in parts:
        for name, rows in part["turns"].items():
            for row in rows:
                failed += row["failed"]
                foreign = max(foreign, row["foreign"] if name != "direct" else 0.0)
                if row["failed"]:
                    print(f"{name}: {row['failed']} failed: {row['errors']}", file=sys.stderr)
    print(f"\nFailed: {failed}. Others used at most {foreign:.0%} of the proxy's core in a turn.")
    if foreign > 0.05:
        print("The machine was not quiet: trust ratios only, and those with care.")
    return failed


def main():
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--skip", default="")
    parser.add_argument("--streams", type=int, required=True)
    options = parser.parse_args()
    print(
        f"{options.rounds} rounds, {CONNECTIONS} connections, keep-alive; streams: {options.streams} at a "
        f"time, {1000 // EVERY_MS} events/s each. {os.cpu_count()} cores, {platform.system()} "
        f"{platform.release().split('-')[0]}."
    )
    figures = measure(options)
    failed = verdict(figures)
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
