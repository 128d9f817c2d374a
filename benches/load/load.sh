#!/usr/bin/env bash
# Portcullis beside a bare Pingora, nginx and nothing at all: builds, starts the peers, measures.
# What is measured and what it does not say: benches/README.md. Everything is on 127.0.0.1, every
# wait is bounded, and whatever was started is stopped at the end.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "$0")/../.."

usage() {
    cat <<'EOF'
usage: benches/load/load.sh [OPTION]...
  --quick              few requests, two rounds, no figures to rely on: does it run at all?
  --sizes KB,...       body sizes (1,16,256)
  --rounds N           rounds, in each of which every peer has its turn (9)
  --peers NAME,...     of direct bare bare-jemalloc nginx portcullis-off portcullis (all)
  --skip json|sse      leave one half out
  --streams N          event streams at a time (100)
  --out FILE           the figures as JSON (target/load.json)
  --instructions       count user-space instructions a request under valgrind instead
  --no-build           take the binaries as they are
  --bin-dir DIR        where they are (target/dist)
  --program FILE       the portcullis to measure (that of the binaries), such as target/guided/portcullis
EOF
}

complain() {
    printf 'load.sh: %s\n' "$1" >&2
    exit "${2:-2}"
}

sizes=1,16,256 rounds= peers=direct,bare,bare-jemalloc,nginx,portcullis-off,portcullis streams=100 skip= out= quick= build=yes
instructions= bin_dir="${CARGO_TARGET_DIR:-target}/dist" program=
while [ $# -gt 0 ]; do
    case "$1" in
        --quick) quick=--quick ;;
        --instructions) instructions=yes ;;
        --no-build) build= ;;
        --sizes | --rounds | --peers | --skip | --streams | --out | --bin-dir | --program)
            [ $# -gt 1 ] || complain "$1 wants a value"
            name="${1#--}"
            printf -v "${name//-/_}" %s "$2"
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && exit 2 ;;
    esac
    shift
done
program="${program:-$bin_dir/portcullis}"
out="${out:-${CARGO_TARGET_DIR:-target}/load.json}"
rounds="${rounds:-$([ -n "$quick" ] && echo 2 || echo 9)}"

oha="$(command -v .cache/tools/bin/oha oha | head -n 1)" || true
[ -n "$oha" ] || complain 'oha is missing: scripts/setup.sh test builds it'
nginx="$(PATH="$PATH:/usr/sbin" command -v nginx)" || nginx=
has() { [[ ",$peers," == *",$1,"* ]]; }
has bare || complain 'the peer bare is what all others are compared with'
if has nginx && [ -z "$nginx" ]; then
    printf 'load.sh: nginx is not installed: left out\n' >&2
    peers="$(tr , '\n' <<<"$peers" | grep -vx nginx | paste -sd,)"
fi

if [ -n "$build" ]; then
    targets=(--example load-mock --example bare-pingora --example bare-pingora-jemalloc)
    if has portcullis || has portcullis-off; then targets+=(--bin portcullis); fi
    cargo build --locked --profile dist "${targets[@]}"
fi

# The proxy under test has a core of its own; load, provider and measuring share the other.
proxy_core=(taskset -c 0) load_core=(taskset -c 1)
if [ "$(nproc)" -lt 2 ] || ! command -v taskset >/dev/null; then
    printf 'load.sh: no second core, or no taskset: load and proxy disturb each other\n' >&2
    proxy_core=() load_core=()
fi

# Two descriptors a stream on either side.
ulimit -n "$(ulimit -Hn)"
umask 077 # the keys file is nobody else's
work="$(mktemp -d)"
mkdir "$work/nginx" "$work/portcullis"
pids=()
# shellcheck disable=SC2317 # called by the trap
cleanup() {
    local status=$? pid
    [ "$status" = 0 ] || tail -qn 5 "$work"/*.out "$work"/nginx/error.log 2>/dev/null >&2 || true
    for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

read -r mock_port bare_port jemalloc_port nginx_port portcullis_port off_port < <(python3 scripts/free-ports.py 6)
key="pc-$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')"

# start NAME PORT COMMAND...: its process is the last of pids once it listens.
start() {
    local name="$1" port="$2" tries=600
    shift 2
    "$@" >"$work/$name.out" 2>&1 &
    pids+=("$!")
    disown
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        tries=$((tries - 1))
        if [ "$tries" = 0 ] || ! kill -0 "${pids[-1]}" 2>/dev/null; then
            complain "$name does not listen" 1
        fi
        sleep 0.1
    done
}

nginx_conf() {
    cat <<EOF
daemon off; master_process off; pid $work/nginx/pid; error_log $work/nginx/error.log warn;
events { worker_connections 8192; }
http {
    access_log $work/nginx/access.log combined buffer=64k flush=1s;
    client_body_temp_path $work/nginx/body; proxy_temp_path $work/nginx/proxy;
    map_hash_bucket_size 256;
    map \$http_authorization \$known { default 0; "Bearer $key" 1; }
    upstream mock {
        server 127.0.0.1:$mock_port; keepalive 1024; keepalive_requests 1000000000;
    }
    server {
        listen 127.0.0.1:$nginx_port; keepalive_requests 1000000000;
        client_max_body_size 8m; client_body_buffer_size 512k;
        location / {
            if (\$known = 0) { return 401; }
            proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_buffering off;
        }
    }
}
EOF
}

# portcullis_conf PORT INSPECTION
portcullis_conf() {
    cat >"$work/portcullis/keys.yaml" <<EOF
keys:
  - {id: load, role: standard, hash: "sha256:$(printf %s "$key" | sha256sum | cut -d' ' -f1)"}
EOF
    chmod 600 "$work/portcullis/keys.yaml"
    cat <<EOF
server:
  listeners: [{address: "127.0.0.1:$1"}]
  workers: 1
auth: {mode: required, keys_file: keys.yaml}
inspection: {request: $2}
rate_limits: {per_ip: null, concurrent_requests: 1000000, per_key: {rate: 1000000000/minute, burst: 1000000}, block: null}
providers:
  - {name: mock, api: openai, endpoints: [{url: "http://127.0.0.1:$mock_port"}],
     api_key: "\${LOAD_PROVIDER_KEY}"}
routes:
  - {models: ["gpt-*"], providers: [mock]}
logging: {level: info, file: access-$1.log}
EOF
}

wrap=()
if [ -n "$instructions" ]; then
    command -v callgrind_control >/dev/null || complain 'valgrind is not installed'
    wrap=(valgrind --tool=callgrind --callgrind-out-file="$work/callgrind.%p")
fi

start mock "$mock_port" "${load_core[@]}" "$bin_dir/examples/load-mock" "127.0.0.1:$mock_port"
measured=(--mock "$mock_port:${pids[-1]}")
if has direct; then measured+=(--peer "direct:$mock_port:0"); fi
# proxy NAME PORT COMMAND...
proxy() {
    start "$1" "$2" "${proxy_core[@]}" "${wrap[@]}" "${@:3}"
    measured+=(--peer "$1:$2:${pids[-1]}")
}
proxy bare "$bare_port" "$bin_dir/examples/bare-pingora" \
    "127.0.0.1:$bare_port" "127.0.0.1:$mock_port"
if has bare-jemalloc; then
    proxy bare-jemalloc "$jemalloc_port" "$bin_dir/examples/bare-pingora-jemalloc" \
        "127.0.0.1:$jemalloc_port" "127.0.0.1:$mock_port"
fi
if has nginx; then
    nginx_conf >"$work/nginx.conf"
    proxy nginx "$nginx_port" "$nginx" -p "$work" -c "$work/nginx.conf"
fi
export LOAD_PROVIDER_KEY=sk-load-mock
if has portcullis; then
    portcullis_conf "$portcullis_port" '{max_text_chars: 1000000}' >"$work/portcullis/on.yaml"
    proxy portcullis "$portcullis_port" "$program" run -c "$work/portcullis/on.yaml"
fi
if has portcullis-off; then
    portcullis_conf "$off_port" '{max_text_chars: 1000000, sanitization: off, pii: off,
      secrets: off, prompt_injection: off, code_patterns: off, web_attacks: off}' \
        >"$work/portcullis/off.yaml"
    proxy portcullis-off "$off_port" "$program" run -c "$work/portcullis/off.yaml"
fi

if [ -n "$instructions" ]; then
    exec_tool=(python3 benches/load/instructions.py --dir "$work")
else
    exec_tool=(python3 benches/load/measure.py --dir "$work" --rounds "$rounds" --out "$out"
        --skip "$skip" --streams "$streams")
fi
mkdir -p "$(dirname "$out")"
"${load_core[@]}" "${exec_tool[@]}" --oha "$oha" --key "$key" --sizes "$sizes" $quick \
    "${measured[@]}"
