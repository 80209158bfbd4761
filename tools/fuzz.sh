#!/usr/bin/env bash
# Runs the fuzz targets of a folder for SECONDS each (60), on stable Rust, beginning with the kept corpus; a crash ends it. With 0 for
# SECONDS they are only compiled, by the locked versions.
#
#   tools/fuzz.sh FOLDER [SECONDS [TARGET..]]
#
# FOLDER has targets/ and corpus/. What is found that is new goes into target/corpus/TARGET. With `merge` for SECONDS the kept corpus is
# made anew, as few files as reach the same branches, out of itself, whatever was found, and those of FOLDER/../testdata/*.seal that bear
# the target's name (all of them where none does).
set -euo pipefail
cd "${1:?the folder of the fuzz targets}"
seconds=${2:-60}
targets=("${@:3}")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(basename --suffix .rs targets/*.rs)
# Longest input: whole objects of the smallest parameters are shorter.
longest=20000

# What cargo-fuzz asks of the compiler, without the sanitizers of nightly: counters on edges.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
triple=$(rustc -vV | sed -n 's/^host: //p')
cargo build --release --quiet --locked --target "$triple" --bins
[ "$seconds" != 0 ] || exit 0

shopt -s nullglob
for target in "${targets[@]}"; do
  program=$CARGO_TARGET_DIR/$triple/release/$target
  found=$CARGO_TARGET_DIR/corpus/$target
  mkdir -p "$found" "corpus/$target"
  if [ "$seconds" = merge ]; then
    seeds=(../testdata/"$target"[._]*.seal)
    [ ${#seeds[@]} -gt 0 ] || seeds=(../testdata/*.seal)
    all=$(mktemp -d)
    for file in "${seeds[@]}" "corpus/$target"/* "$found"/*; do
      cp "$file" "$all"
    done
    rm -rf "corpus/$target"
    mkdir "corpus/$target"
    "$program" -merge=1 -use_counters=0 -max_len=$longest "corpus/$target" "$all" 2>&1 | tail -1
    rm -rf "$all"
  else
    echo "$target"
    "$program" -max_total_time="$seconds" -max_len=$longest -rss_limit_mb=1024 -malloc_limit_mb=64 "$found" "corpus/$target" 2>&1 | tail -3
  fi
done
