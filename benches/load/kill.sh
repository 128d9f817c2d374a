#!/usr/bin/env bash
# Kills endpoints under load, and slows one of three down: builds, and has kill.py do the rest.
# What it shows and what it does not: docs/providers.md. Everything is on 127.0.0.1, and whatever
# was started is stopped.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "$0")/../.."

usage() {
    cat <<'EOT2'
usage: benches/load/kill.sh [OPTION]...
  --rate N        calls a second while endpoints are killed (2000)
  --kills N       kills, of one endpoint and the other in turn (10)
  --rounds N      rounds of the half about latency (3)
  --no-build      take the binaries as they are
  --bin-dir DIR   where they are (target/dist)
EOT2
}

. benches/load/options.sh
run_bench kill "--rate --kills --rounds" "$@"
