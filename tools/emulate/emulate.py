#!/usr/bin/env python3
"""Runs a statically linked x86-64 Linux program on an emulated processor with AVX-512.

    emulate.py --site DIR --compat FILE [-E NAME=VALUE]... PROGRAM [ARGUMENT]...

DIR holds the Python package bochscpu, FILE is the library made from compat.c; both are in the build's hands (README.md).
The program's environment is what -E gives. The exit code is the program's; 125 is the emulator's own, for a program that
faulted, deadlocked or asked for a system call that is not known.
"""

import argparse
import ctypes
import os
import sys
import time

EMULATOR_FAILED = 125


def run(path, arguments, environment):
    """Runs the program to its end and returns its exit code."""
    # Only here: the package needs compat.c's library to be loaded first.
    import bochscpu
    import kernel
    import machine

    memory = machine.Memory()
    image = machine.Image(memory, path)
    stack = machine.first_stack(memory, image, [path, *arguments], environment)
    session = bochscpu.Session()
    system = kernel.Kernel(session, memory, image)

    def fault(_session, _cpu, vector, error):
        at = session.cpu.rip - image.bias
        kernel.say(f"exception {vector}, error {error:#x}, at {at:#x} of {path}, address {session.cpu.cr2:#x}")
        session.stop()

    hook = bochscpu.Hook()
    hook.clflush = lambda *_: system.enter()
    hook.exception = fault
    session.missing_page_handler = lambda page: fault(None, None, "no memory", page)
    session.cpu.state = machine.first_state(memory, image.entry, stack)

    session.run([hook])
    kernel.say(f"{time.process_time():.1f} s of processor time, {system.calls} system calls")
    sys.stdout.flush()
    if system.exit_code is None or system.unknown:
        return EMULATOR_FAILED
    return system.exit_code


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", required=True)
    parser.add_argument("--compat", required=True)
    parser.add_argument("-E", dest="environment", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("program")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    ctypes.CDLL(os.path.abspath(options.compat), mode=ctypes.RTLD_GLOBAL)
    sys.path[:0] = [os.path.abspath(options.site), os.path.dirname(os.path.abspath(__file__))]
    # One heap for all threads: the arenas of glibc reserve 64 MiB each.
    environment = {"MALLOC_ARENA_MAX": "1"}
    environment.update(pair.split("=", 1) for pair in options.environment)
    # Past the interpreter's own clean-up, which would free memory under the processor.
    code = run(options.program, options.arguments, environment)
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
