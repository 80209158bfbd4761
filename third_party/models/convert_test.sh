#!/bin/sh
# Runs the tests of convert/ where python3 has what they need. fetch.sh brings it along and runs them before it converts.
for needs in torch_file:numpy keras_file:numpy,h5py; do
  test=${needs%%:*} modules=${needs#*:}
  if ! python3 -c "import $modules" 2>/dev/null; then
    echo "skipped: python3 lacks one of $modules for $test"
    continue
  fi
  PYTHONDONTWRITEBYTECODE=1 python3 "third_party/models/convert/${test}_test.py" || exit 1
done
