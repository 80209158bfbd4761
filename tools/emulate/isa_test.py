#!/usr/bin/env python3
"""Runs a test binary on this processor if it has the instruction sets asked for, on the emulated one if not.

The first line of the log says which: `native: ...` or `emulated: ...`. Started by Bazel in a target's runfiles; isa_test.bzl
tells what the options mean.
"""

import argparse
import os
import pathlib
import subprocess
import sys

# What Linux calls the features that he_ring's tokens prove (he_core/ring/src/isa.rs).
_AVX2 = {"avx2", "fma"}
_AVX512 = _AVX2 | {"avx512f", "avx512dq", "avx512vl", "avx512bw"}
FLAGS = {"scalar": set(), "avx2": _AVX2, "avx512": _AVX512, "avx512_ifma": _AVX512 | {"avx512ifma"}}

EMULATOR = "tools/emulate"
# Variables of this process that the test binary sees under the emulator, besides those of the target.
PASSED_ON = ("HENGE_", "PROPTEST_", "RUST_BACKTRACE", "TEST_TMPDIR")


def lacking(isas, cpuinfo):
    """The instruction sets that the processor described by /proc/cpuinfo does not have."""
    flags = next((set(line.split(":")[1].split()) for line in cpuinfo.splitlines() if line.startswith("flags")), set())
    return [isa for isa in isas if not FLAGS[isa] <= flags]


def dealt(cases, shard, shards):
    """The cases of one shard, numbered from 0."""
    return cases[shard::shards]


def emulated(python, binary, environment):
    """The command that runs the binary under the emulator; the package stands beside its Python."""
    site = os.path.join(os.path.dirname(python), "site")
    command = [python, f"{EMULATOR}/emulate.py", f"--site={site}", f"--compat={EMULATOR}/libcompat.so"]
    for name, value in environment.items():
        command += ["-E", f"{name}={value}"]
    return [*command, binary, "--test-threads=1"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--isas", required=True, type=lambda text: text.split(","))
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--emulated-env", action="append", default=[])
    parser.add_argument("--always-emulate", action="store_true")
    parser.add_argument("arguments", nargs="*")
    options, more = parser.parse_known_args()
    arguments = options.arguments + more

    environment = dict(pair.split("=", 1) for pair in options.env)
    environment["HENGE_REQUIRE_ISA"] = ",".join(options.isas)
    missing = lacking(options.isas, pathlib.Path("/proc/cpuinfo").read_text())
    forced = options.always_emulate or os.environ.get("HENGE_EMULATE") == "1"
    if missing or forced:
        print("emulated:", "this processor lacks " + ", ".join(missing) if missing else "as asked", flush=True)
        passed_on = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
        environment.update(pair.split("=", 1) for pair in options.emulated_env)
        command = emulated(options.python, options.binary, {**passed_on, **environment})
    else:
        print("native: this processor has", ", ".join(options.isas), flush=True)
        command = ["./" + options.binary]
        os.environ.update(environment)

    # Bazel asks whether a test shares its cases among shards. Naming them needs no instruction set.
    if "TEST_SHARD_STATUS_FILE" in os.environ:
        pathlib.Path(os.environ["TEST_SHARD_STATUS_FILE"]).touch()
        listed = subprocess.run(["./" + options.binary, "--list", *arguments], check=True, capture_output=True, text=True)
        cases = [line.removesuffix(": test") for line in listed.stdout.splitlines() if line.endswith(": test")]
        cases = dealt(cases, int(os.environ["TEST_SHARD_INDEX"]), int(os.environ["TEST_TOTAL_SHARDS"]))
        if not cases:
            print("no case for this shard")
            return
        arguments = ["--exact", *cases, *(a for a in arguments if a.startswith("--"))]
    os.execv(command[0], [*command, *arguments])


if __name__ == "__main__":
    sys.exit(main())
