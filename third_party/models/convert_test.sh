#!/bin/sh
# Runs the tests of convert/ where python3 has numpy.
if ! python3 -c "import numpy" 2>/dev/null; then
  echo "skipped: python3 has no numpy"
  exit 0
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 third_party/models/convert/torch_file_test.py
