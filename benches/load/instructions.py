"""User-space instructions a request, counted by callgrind: no kernel, no caches, hardly any noise.

load.sh --instructions has started the peers under valgrind. The emulated processor has neither
AVX-512 nor the SHA instructions, so hashing looks dearer here than it is.
"""

import re
import subprocess

from peers import arguments, check, oha


def control(pid, *what):
    subprocess.run(
        ["callgrind_control", *what, str(pid)], capture_output=True, timeout=120, check=True
    )


def totals(directory, pid):
    """What the dumps of one process add up to."""
    dumps = directory.glob(f"callgrind.{pid}*")
    found = (re.search(r"^totals: (\d+)", dump.read_text(), re.M) for dump in dumps)
    return sum(int(match[1]) for match in found if match)


def main():
    options = arguments(__doc__).parse_args()
    proxies = [peer for peer in options.peers if peer.pid]
    check(options)
    print("\n| body | peer | instructions a request, user space | × bare |\n|---|---|---|---|")
    for size in options.sizes:
        requests = 500 if options.quick else 3000 if size < 64 else 1000
        base = None
        for peer in proxies:
            failed = oha(options, peer, size, 300, 600)["failed"]
            before = totals(options.dir, peer.pid)
            control(peer.pid, "--zero")
            failed += oha(options, peer, size, requests, 600)["failed"]
            control(peer.pid, "--dump")
            if failed:
                raise SystemExit(f"{peer.name}: {failed} requests failed")
            count = (totals(options.dir, peer.pid) - before) / requests
            base = base or count
            print(f"| {size} KB | {peer.name} | {count:,.0f} | {count / base:.2f} |", flush=True)


if __name__ == "__main__":
    main()
