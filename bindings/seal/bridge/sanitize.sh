#!/usr/bin/env bash
# Runs the tests of this crate with every line of C++ (SEAL, zlib, zstd, the bridge) under AddressSanitizer, LeakSanitizer and
# UndefinedBehaviorSanitizer: just sanitize [arguments of cargo test]
#
# Stable Rust is not instrumented; its heap is watched all the same, since malloc is. The sources of SEAL are those that Bazel
# fetched. What is built stays in target/sanitize. Damaged files are 10,000 for each loader unless HENGE_SEAL_FILES says otherwise.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

cxx=${CXX:-g++} cc=${CC:-gcc}
sanitizers=-fsanitize=address,undefined,float-cast-overflow
flags=("$sanitizers" -fno-sanitize-recover=all -fno-omit-frame-pointer -g1 -O1 -DNDEBUG -fPIC -w)

./bazelw fetch @seal//... >/dev/null 2>&1
seal=$(./bazelw info output_base 2>/dev/null)/external/seal
[ -f "$seal/SEAL/native/src/seal/util/config.h" ] || { echo "sanitize.sh: no SEAL in $seal" >&2; exit 1; }
out=${CARGO_TARGET_DIR:-target}/sanitize
mkdir -p "$out"
out=$(cd "$out" && pwd)

# The generated side of the bridge.
cargo build --quiet --locked -p cxxbridge
generated=$out/generated
mkdir -p "$generated/rust" "$generated/bindings/seal/bridge/src"
bridge=$generated/bindings/seal/bridge/src/bridge.rs
"${CARGO_TARGET_DIR:-target}/debug/cxxbridge" "$generated/rust/cxx.h"
"${CARGO_TARGET_DIR:-target}/debug/cxxbridge" bindings/seal/bridge/src/bridge.rs "$bridge.h" "$bridge.cc"

includes=(-I. "-I$generated" "-I$seal/SEAL/native/src" "-I$seal/zlib" "-I$seal/zstd/lib")
object_of() {
  local name=${1#/}
  echo "$out/${name//\//_}.o"
}
# compile SOURCE OBJECT: the object is newer than its source, or there is none.
compile() {
  local compiler=$cxx language=(-std=c++17)
  case $1 in *.c | *.S) compiler=$cc language=(-D_LARGEFILE64_SOURCE=1) ;; esac
  case $1 in "$seal"/*) if [ "$2" -nt "$1" ]; then return; fi ;; esac
  rm -f "$2"
  "$compiler" "${language[@]}" "${flags[@]}" "${includes[@]}" -c "$1" -o "$2"
}
sources() {
  find "$seal/SEAL/native/src/seal" -maxdepth 2 \( -name '*.cpp' -o -name '*.c' \) -not -path '*/seal/c/*'
  find "$seal/zlib" -maxdepth 1 -name '*.c' -not -name 'gz*'
  find "$seal"/zstd/lib/{common,compress,decompress} -name '*.c' -o -name '*.S'
  find bindings/seal/bridge/cpp -name '*.cc'
  echo "$bridge.cc"
}
mapfile -t all < <(sources)
objects=()
failed=$out/failed
: >"$failed"
for source in "${all[@]}"; do
  object=$(object_of "$source")
  objects+=("$object")
  # Every job says by itself that it failed: `wait` forgets.
  { compile "$source" "$object" || echo "$source" >>"$failed"; } &
  while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
    wait -n || true
  done
done
wait
if [ -s "$failed" ]; then
  echo "sanitize.sh: not compiled: $(tr '\n' ' ' <"$failed")" >&2
  exit 1
fi
rm -f "$out/libsanitized.a"
ar rcs "$out/libsanitized.a" "${objects[@]}"

# A triple of its own keeps the flags away from build scripts and procedural macros.
target=$(rustc -vV | sed -n 's/^host: //p')
link=\"-Clink-arg=$out/libsanitized.a\",\"-Clink-arg=$sanitizers\",\"-Clink-arg=-lasan\",\"-Clink-arg=-lubsan\",\"-Clink-arg=-lstdc++\",\"-Clink-arg=-lm\"
# The runtime has to be the first library, and rustc puts its own in front.
runner=\"env\",\"LD_PRELOAD=$("$cxx" -print-file-name=libasan.so)\"
export HENGE_SEAL_FILES=${HENGE_SEAL_FILES:-10000}
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
# Cargo does not see the library change.
for test in bindings/seal/bridge/tests/*.rs; do
  rm -f "$out/$target/debug/deps/$(basename "$test" .rs)"-*
done
CARGO_TARGET_DIR=$out cargo test --locked -p seal_bridge --features seal --target "$target" \
  --config "target.$target.rustflags=[$link]" --config "target.$target.runner=[$runner]" "$@"
