# `make run` and `make test` need nothing but Rust and a C compiler; they install the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test fmt lint bench load guided deb clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s %s\n", $$1, $$2}' Makefile

run: ## build, and serve the demo on 127.0.0.1:8000
	scripts/setup.sh build
	cargo run --release --locked -- demo

test: ## everything that CI runs, set-up included
	scripts/setup.sh test
	$(MAKE) --no-print-directory lint
	cargo test --locked

fmt: ## format the sources
	cargo fmt

lint: ## formatting, clippy and documentation; a warning is an error
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked

bench: ## microbenchmarks (criterion)
	scripts/setup.sh build
	cargo bench --locked

load: ## requests a second, times, CPU and memory beside a bare Pingora
	scripts/setup.sh test
	benches/load/load.sh

guided: ## the fastest program, built by how it runs under load, in target/guided
	scripts/setup.sh guided
	packaging/guided.sh

deb: guided ## the Debian package, in target/deb
	cargo run --quiet --locked --example papers -- target/deb/papers
	packaging/build-deb.sh target/guided/portcullis target/deb/papers target/deb

clean: ## remove everything that these commands made
	cargo clean
	rm -rf .venv .cache
