#!/usr/bin/env python3
"""The emulator on a program that uses each thing it stands in for."""

import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, "tools/emulate")

import isa_test  # noqa: E402

PROBE = "tools/emulate/probe"


def probe(*what, environment=None):
    command = isa_test.emulated(PYTHON, PROBE, environment or {})
    command.remove("--test-threads=1")
    return subprocess.run([*command, *what], capture_output=True, text=True, timeout=120)


class Emulator(unittest.TestCase):
    def says(self, what, line, **how):
        done = probe(what, **how)
        self.assertEqual((done.stdout, done.returncode), (line + "\n", 0), done.stderr)

    def fails(self, what, code, reason):
        done = probe(what)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(reason, done.stderr)

    def test_the_processor_is_the_documented_one(self):
        self.says("cpuid", "avx512: f 1 dq 1 bw 1 vl 1 ifma 1 vbmi 1 vnni 0")

    def test_vector_instructions_compute(self):
        self.says("ifma", "ifma: 32")

    def test_only_the_given_environment_is_seen(self):
        self.says("environment", "environment: none")
        self.says("environment", "environment: a=b", environment={"PROBE": "a=b"})

    def test_threads_take_turns(self):
        self.says("threads", "turns: 200")

    def test_a_wait_ends_in_time(self):
        self.says("wait", "waited: Connection timed out, long enough 1")

    def test_memory_given_back_is_zero_when_taken_again(self):
        self.says("memory", "memory: 7")

    def test_files_are_the_hosts_but_for_proc(self):
        self.says("file", "file: 0 -1")

    def test_exit_codes_come_through(self):
        self.fails("fail", 3, "system calls")
        self.fails("abort", 128 + 6, "ends itself with signal 6")

    def test_faults_are_failures(self):
        self.fails("null", 125, "exception 14")
        self.fails("undefined", 125, "exception 6")
        self.fails("unknown", 125, "system call 29 is not known")
        self.fails("deadlock", 125, "every thread waits for another one")

    def test_a_dynamic_program_is_refused(self):
        command = isa_test.emulated(PYTHON, "/bin/true", {})
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertIn("dynamically linked", done.stderr)
        self.assertNotEqual(done.returncode, 0)


class IsaTest(unittest.TestCase):
    def test_an_instruction_set_needs_all_of_its_flags(self):
        everything = "flags\t\t: fma avx2 avx512f avx512dq avx512vl avx512bw avx512ifma\n"
        self.assertEqual(isa_test.lacking(list(isa_test.FLAGS), everything), [])
        self.assertEqual(isa_test.lacking(list(isa_test.FLAGS), everything.replace("avx512vl", "")), ["avx512", "avx512_ifma"])
        self.assertEqual(isa_test.lacking(["scalar", "avx2"], "flags\t: avx2\n"), ["avx2"])
        self.assertEqual(isa_test.lacking(["avx2"], ""), ["avx2"])

    def test_every_case_is_dealt_once(self):
        cases = [str(i) for i in range(7)]
        for shards in (1, 2, 3, 9):
            self.assertEqual(sorted(sum((isa_test.dealt(cases, i, shards) for i in range(shards)), [])), cases)


if __name__ == "__main__":
    # Bazel hands every test the arguments of Rust's as well.
    PYTHON = sys.argv[1]
    unittest.main(argv=sys.argv[:1])
