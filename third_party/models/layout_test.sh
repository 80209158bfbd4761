#!/bin/sh
# Every file of SHA256SUMS stands below external/ and matches.
sums=$PWD/third_party/models/SHA256SUMS
cd external && sha256sum --check --strict "$sums"
