#!/usr/bin/env bash
# Reloads and upgrades under load: builds, and has upgrade.py do the rest. What it shows and what
# it does not: docs/upgrade.md. Everything is on 127.0.0.1, and whatever was started is stopped.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "$0")/../.."

usage() {
    cat <<'EOT'
usage: benches/load/upgrade.sh [OPTION]...
  --reloads N     reloads in a row (100)
  --upgrades N    upgrades in a row (20)
  --streams N     event streams open all the while (500)
  --connections N connections of oha (32)
  --keys N        also reload 20 times with so many API keys (100000; 0: not)
  --rules N       and so many rules (1000)
  --no-build      take the binaries as they are
  --bin-dir DIR   where they are (target/dist)
EOT
}

. benches/load/options.sh
run_bench upgrade "--reloads --upgrades --streams --connections --keys --rules" "$@"
