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

build=yes bin_dir="${CARGO_TARGET_DIR:-target}/dist" passed=()
while [ $# -gt 0 ]; do
    case "$1" in
        --no-build) build= ;;
        --bin-dir)
            bin_dir="$2"
            shift
            ;;
        --reloads | --upgrades | --streams | --connections | --keys | --rules)
            passed+=("$1" "$2")
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && exit 2 ;;
    esac
    shift
done

oha="$(command -v .cache/tools/bin/oha oha | head -n 1)" || true
[ -n "$oha" ] || {
    printf 'upgrade.sh: oha is missing: scripts/setup.sh test builds it\n' >&2
    exit 2
}
[ -z "$build" ] || cargo build --locked --profile dist --bin portcullis --example load-mock
exec python3 benches/load/upgrade.py --bin-dir "$bin_dir" --oha "$oha" "${passed[@]}"
