# What upgrade.sh and kill.sh share; sourced by them, with a `usage` of their own.

# Builds what a bench needs and runs it: its name, the options that take a value, what was given.
run_bench() {
    local name="$1" known=" $2 " build=yes bin_dir="${CARGO_TARGET_DIR:-target}/dist" passed=() oha
    shift 2
    while [ $# -gt 0 ]; do
        case "$1" in
            --no-build) build= ;;
            --bin-dir)
                bin_dir="$2"
                shift
                ;;
            -h | --help) usage && exit 0 ;;
            *)
                [[ "$known" == *" $1 "* ]] || { usage >&2 && exit 2; }
                passed+=("$1" "$2")
                shift
                ;;
        esac
        shift
    done

    oha="$(command -v .cache/tools/bin/oha oha | head -n 1)" || true
    [ -n "$oha" ] || {
        printf '%s.sh: oha is missing: scripts/setup.sh test builds it\n' "$name" >&2
        exit 2
    }
    [ -z "$build" ] || cargo build --locked --profile dist --bin portcullis --example load-mock
    exec python3 "benches/load/$name.py" --bin-dir "$bin_dir" --oha "$oha" "${passed[@]}"
}
