#!/usr/bin/env bash
# Runs every fuzz target for SECONDS each (60), on stable Rust, beginning with its kept corpus; a crash ends it.
#
#   runtime/protocol/fuzz/run.sh [SECONDS [TARGET..]]
#
# What it finds that is new goes into target/corpus/TARGET. With `merge` for SECONDS the kept corpus is made anew out of itself and
# whatever was found: as few files as reach the same branches. `HENGE_BLESS=1 cargo test -p protocol --test corpus` writes its first files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
seconds=${1:-60}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(from_client from_server hello welcome ask parts description models_request models_reply describe_request parameters ciphertext seeded_ciphertext evaluation_keys public_key)

# What cargo-fuzz asks of the compiler, without the sanitizers of nightly: counters on edges.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
triple=$(rustc -vV | sed -n 's/^host: //p')
cargo build --release --quiet --target "$triple" --bins

for target in "${targets[@]}"; do
  program=$CARGO_TARGET_DIR/$triple/release/$target
  found=$CARGO_TARGET_DIR/corpus/$target
  mkdir -p "$found" "corpus/$target"
  if [ "$seconds" = merge ]; then
    all=$(mktemp -d)
    cp "corpus/$target"/* "$found"/* "$all" 2>/dev/null || true
    rm -rf "corpus/$target"
    mkdir "corpus/$target"
    "$program" -merge=1 -use_counters=0 -max_len=5000 "corpus/$target" "$all" 2>&1 | tail -1
    rm -rf "$all"
  else
    echo "$target"
    "$program" -max_total_time="$seconds" -max_len=5000 -rss_limit_mb=1024 -malloc_limit_mb=64 "$found" "corpus/$target" 2>&1 | tail -3
  fi
done
