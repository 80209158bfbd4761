#!/usr/bin/env bash
# Fetches the sources of Microsoft SEAL 4.1.2, zlib and zstd and leaves them in OUTDIR/{SEAL,zlib,zstd}.
#
#   third_party/seal/fetch.sh OUTDIR
#
# Every archive is pinned with its SHA-256 (pyfhel.requirements.txt, sources/Cargo.lock) and comes through pip or cargo.
# No code of these packages runs here.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  echo "fetch.sh: $1" >&2
  [ -z "${2:-}" ] || cat "$2" >&2
  exit 1
}

[ $# -eq 1 ] || fail "usage: fetch.sh OUTDIR"
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d "$out/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

# SEAL stands whole in a Python source archive. pip checks the archive against the pinned hash, unpacks it and asks its
# build system for metadata; that is set up to fail, so none of its code runs. --no-clean keeps what was unpacked.
python3 -m pip --version >/dev/null 2>&1 || fail "needs pip for python3 (Debian: apt-get install python3-pip)"
mkdir "$work/pip" "$work/dist" "$work/refuse"
echo 'raise ImportError("nothing of this package is to be run")' >"$work/refuse/setuptools.py"
PYTHONPATH=$work/refuse TMPDIR=$work/pip python3 -m pip download --no-clean --no-deps --no-binary :all: \
  --no-build-isolation --require-hashes --dest "$work/dist" --requirement "$here/pyfhel.requirements.txt" \
  >"$work/log" 2>&1 </dev/null || true
seal=$(find "$work/pip" -type d -path '*/Pyfhel/backend/SEAL' -print -quit)
[ -n "$seal" ] || fail "pip brought no SEAL:" "$work/log"

# The C sources inside two crates. Cargo runs where rustup reads rust-toolchain.toml.
(cd "$here" && cargo vendor --locked --manifest-path sources/Cargo.toml "$work/crates") >/dev/null 2>"$work/log" </dev/null ||
  fail "cargo vendor:" "$work/log"

rm -rf "${out:?}/SEAL" "$out/zlib" "$out/zstd"
mv "$seal" "$out/SEAL"
rm -rf "$out/SEAL/.git"
mv "$work/crates/libz-sys/src/zlib" "$out/zlib"
mv "$work/crates/zstd-sys/zstd" "$out/zstd"
