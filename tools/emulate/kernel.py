"""The part of Linux that a statically linked test binary asks for.

Files, clocks and random bytes are the host's: such a call is handed on with its pointers translated. Memory and threads
are kept here. Threads take turns on the one processor: another one runs when a thread waits, yields or ends, never at any
other moment, so that a run repeats. There are no signals, no children and no memory protection.

A call that is not known is answered "not implemented", reported at once, and spoils the exit code.
"""

import collections
import ctypes
import errno
import os
import struct
import sys
import time

from machine import LARGE_PAGE, PAGE, STACK, STACK_TOP, TRAMPOLINE

_M64 = (1 << 64) - 1
_HEAP = 64 << 20

# Handed on to the host: number -> (name, one letter per argument: p is a pointer, v is not).
_PASSED = {
    0: ("read", "vpv"),
    1: ("write", "vpv"),
    2: ("open", "pvv"),
    3: ("close", "v"),
    4: ("stat", "pp"),
    5: ("fstat", "vp"),
    6: ("lstat", "pp"),
    7: ("poll", "pvv"),
    8: ("lseek", "vvv"),
    17: ("pread64", "vpvv"),
    18: ("pwrite64", "vpvv"),
    21: ("access", "pv"),
    32: ("dup", "v"),
    39: ("getpid", ""),
    63: ("uname", "p"),
    72: ("fcntl", "vvv"),
    77: ("ftruncate", "vv"),
    79: ("getcwd", "pv"),
    82: ("rename", "pp"),
    83: ("mkdir", "pv"),
    84: ("rmdir", "p"),
    87: ("unlink", "p"),
    89: ("readlink", "ppv"),
    102: ("getuid", ""),
    104: ("getgid", ""),
    107: ("geteuid", ""),
    108: ("getegid", ""),
    217: ("getdents64", "vpv"),
    228: ("clock_gettime", "vp"),
    257: ("openat", "vpvv"),
    262: ("newfstatat", "vppv"),
    263: ("unlinkat", "vpv"),
    267: ("readlinkat", "vppv"),
    318: ("getrandom", "pvv"),
    332: ("statx", "vpvvp"),
}
# Which argument of a passed call is a path. What /proc and /sys tell is the emulator's, not the program's.
_PATHS = {2: 0, 4: 0, 6: 0, 21: 0, 87: 0, 89: 0, 257: 1, 262: 1, 267: 1, 332: 1}
_HIDDEN = (b"/proc", b"/sys")


class Free:
    """Free ranges of addresses, in order; the first that is long enough serves."""

    def __init__(self, start, end):
        self._ranges = [(start, end)]

    def take(self, count):
        for i, (start, end) in enumerate(self._ranges):
            if end - start >= count:
                self._ranges[i : i + 1] = [(start + count, end)] if end - start > count else []
                return start
        return None

    def give(self, start, end):
        merged = []
        for a, b in sorted([*self._ranges, (start, end)]):
            if merged and a <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
            else:
                merged.append((a, b))
        self._ranges = merged


class Thread:
    """One thread: its number, what is written when it ends, and, while another runs, its registers and what it waits for."""

    def __init__(self, number):
        self.number = number
        self.cleared_at_exit = 0
        self.state = None
        self.waits_at = None
        self.deadline = None
        self.answer_at_deadline = 0


class Kernel:
    """Answers the system calls of one program."""

    def __init__(self, session, memory, image):
        self.cpu = session.cpu
        self.session = session
        self.memory = memory
        self.exit_code = None
        self.calls = 0
        self.unknown = set()
        self._host = ctypes.CDLL(None, use_errno=True).syscall
        self._host.restype = ctypes.c_long
        start = (image.end + LARGE_PAGE - 1) & -LARGE_PAGE
        self._break, self._break_first, self._break_last = start, start, start + _HEAP
        self._free = Free(self._break_last, STACK_TOP - STACK)
        self._thread = Thread(1)
        self._threads = 1
        self._ready = collections.deque()
        self._waiting = []

    def enter(self):
        """Answers the call that the registers hold."""
        self.calls += 1
        cpu = self.cpu
        number = cpu.rax
        arguments = (cpu.rdi, cpu.rsi, cpu.rdx, cpu.r10, cpu.r8, cpu.r9)
        if number in _PASSED:
            answer = self._pass(number, arguments)
        elif number in _ANSWERS:
            answer = _ANSWERS[number](self, *arguments)
        elif number in _ACCEPTED:
            answer = 0
        else:
            answer = -errno.ENOSYS
            if number not in _ABSENT and number not in self.unknown:
                self.unknown.add(number)
                say(f"system call {number} is not known")
        if answer is not None:
            cpu.rax = answer & _M64

    def _pass(self, number, arguments):
        name, kinds = _PASSED[number]
        if number in _PATHS and self._text(arguments[_PATHS[number]]).startswith(_HIDDEN):
            return -errno.ENOENT
        translated = [
            ctypes.c_void_p(self.memory.host + value if kind == "p" and value else value)
            for kind, value in zip(kinds, arguments)
        ]
        answer = self._host(ctypes.c_long(number), *translated)
        return -ctypes.get_errno() if answer == -1 else answer

    def _text(self, at):
        raw = self.memory.read(at, PAGE)
        return raw[: raw.find(b"\0")]

    # Files

    def writev(self, file, vector, count, *_):
        written = 0
        for i in range(count):
            at, length = self.memory.u64(vector + 16 * i), self.memory.u64(vector + 16 * i + 8)
            answer = self._pass(1, (file, at, length))
            if answer < 0:
                return written or answer
            written += answer
            if answer < length:
                break
        return written

    # Memory

    def brk(self, wanted, *_):
        if self._break_first <= wanted <= self._break_last:
            # What is given back is zero when it comes again.
            first = (wanted + PAGE - 1) & -PAGE
            if first < self._break:
                self.memory.forget(first, self._break - first)
            self._break = wanted
        return self._break

    def mmap(self, address, length, _protection, flags, file, offset):
        length = (length + PAGE - 1) & -PAGE
        fixed = flags & 0x10
        start = address if fixed else self._free.take(length)
        if start is None:
            return -errno.ENOMEM
        if fixed:
            self.memory.forget(start, length)
        if not flags & 0x20:
            self.memory.write(start, os.pread(file & 0x7FFFFFFF, length, offset))
        return start

    def munmap(self, address, length, *_):
        length = (length + PAGE - 1) & -PAGE
        self.memory.forget(address, length)
        self._free.give(address, address + length)
        return 0

    def mremap(self, old, old_length, new_length, *_):
        if new_length <= old_length:
            return old
        new = self.mmap(0, new_length, 0, 0x20, 0, 0)
        if new >= 0:
            self.memory.write(new, self.memory.bytes[old : old + old_length])
            self.munmap(old, old_length)
        return new

    def madvise(self, address, length, advice, *_):
        if advice == 4:
            self.memory.forget(address, (length + PAGE - 1) & -PAGE)
        return 0

    def getrlimit(self, _which, at, *_):
        self.memory.write(at, struct.pack("<QQ", 8 << 20, 8 << 20))
        return 0

    def prlimit(self, _process, which, _new, at, *_):
        return self.getrlimit(which, at) if at else 0

    # Threads

    def arch_prctl(self, what, value, *_):
        if what != 0x1002:
            return -errno.EINVAL
        segment = self.cpu.fs
        segment.base = value
        self.cpu.fs = segment
        return 0

    def clone(self, flags, stack, parent_word, child_word, tls, *_):
        if not flags & 0x10000:
            say("a program that starts another one is not run here")
            return -errno.EAGAIN
        self._threads += 1
        child = Thread(self._threads)
        state = self.cpu.state
        state.rax, state.rsp = 0, stack
        if flags & 0x80000:
            segment = state.fs
            segment.base = tls
            state.fs = segment
        if flags & 0x100000:
            self.memory.set_u32(parent_word, child.number)
        if flags & 0x200000:
            child.cleared_at_exit = child_word
        child.state = state
        self._ready.append(child)
        return child.number

    def set_tid_address(self, at, *_):
        self._thread.cleared_at_exit = at
        return self._thread.number

    def gettid(self, *_):
        return self._thread.number

    def sched_getaffinity(self, _process, length, at, *_):
        self.memory.write(at, b"\1" + bytes(7))
        return 8

    def sched_yield(self, *_):
        self._wake_expired()
        if self._ready:
            self._set_aside(0)
            self._ready.append(self._thread)
            self._run_next()
            return None
        return 0

    def futex(self, at, operation, value, deadline, *_):
        command = operation & 0x7F
        if command in (1, 10):
            return self._wake(at, value)
        if command not in (0, 9):
            return -errno.ENOSYS
        if self.memory.u32(at) != value & 0xFFFFFFFF:
            return -errno.EAGAIN
        thread = self._thread
        thread.waits_at = at
        if deadline:
            seconds = self.memory.u64(deadline) + self.memory.u64(deadline + 8) / 1e9
            # 0 waits for so long, 9 until the clock says so.
            now = time.clock_gettime(time.CLOCK_REALTIME if operation & 0x100 else time.CLOCK_MONOTONIC)
            thread.deadline = time.monotonic() + (seconds if command == 0 else seconds - now)
            thread.answer_at_deadline = -errno.ETIMEDOUT
        return self._wait()

    def nanosleep(self, at, *_):
        self._thread.deadline = time.monotonic() + self.memory.u64(at) + self.memory.u64(at + 8) / 1e9
        self._thread.answer_at_deadline = 0
        return self._wait()

    def clock_nanosleep(self, clock, flags, at, *_):
        if flags & 1:
            seconds = self.memory.u64(at) + self.memory.u64(at + 8) / 1e9
            self._thread.deadline = time.monotonic() + seconds - time.clock_gettime(clock)
            self._thread.answer_at_deadline = 0
            return self._wait()
        return self.nanosleep(at)

    def exit(self, code, *_):
        thread = self._thread
        if thread.cleared_at_exit:
            self.memory.set_u32(thread.cleared_at_exit, 0)
            self._wake(thread.cleared_at_exit, 1)
        if thread.number == 1 and not self._ready and not self._waiting:
            return self.exit_group(code)
        self._run_next()
        return None

    def exit_group(self, code, *_):
        self.exit_code = code & 0xFF
        self.session.stop()
        return 0

    def kill(self, *arguments):
        signal = arguments[2] if self.cpu.rax == 234 else arguments[1]
        say(f"the program ends itself with signal {signal}")
        return self.exit_group(128 + signal)

    def _wait(self):
        self._set_aside(0)
        self._waiting.append(self._thread)
        self._run_next()

    def _wake(self, at, count):
        chosen = [t for t in self._waiting if t.waits_at == at][: count & 0x7FFFFFFF]
        for thread in chosen:
            self._rouse(thread)
        return len(chosen)

    def _rouse(self, thread):
        self._waiting.remove(thread)
        thread.waits_at = thread.deadline = None
        self._ready.append(thread)

    def _wake_expired(self):
        now = time.monotonic()
        for thread in [t for t in self._waiting if t.deadline is not None and t.deadline <= now]:
            thread.state.rax = thread.answer_at_deadline & _M64
            self._rouse(thread)

    def _set_aside(self, answer):
        state = self.cpu.state
        state.rax = answer & _M64
        self._thread.state = state

    def _run_next(self):
        self._wake_expired()
        if not self._ready:
            deadlines = [t.deadline for t in self._waiting if t.deadline is not None]
            if not deadlines:
                say("every thread waits for another one")
                self.session.stop()
                return
            time.sleep(max(0.0, min(deadlines) - time.monotonic()))
            return self._run_next()
        self._thread = self._ready.popleft()
        # Every thread that does not run stands at the same instruction, the one after the trampoline's first.
        self.cpu.state = self._thread.state
        self._thread.state = None


_ANSWERS = {
    9: Kernel.mmap,
    11: Kernel.munmap,
    12: Kernel.brk,
    16: lambda *_: -errno.ENOTTY,  # ioctl
    20: Kernel.writev,
    24: Kernel.sched_yield,
    25: Kernel.mremap,
    28: Kernel.madvise,
    35: Kernel.nanosleep,
    56: Kernel.clone,
    60: Kernel.exit,
    62: Kernel.kill,
    97: Kernel.getrlimit,
    158: Kernel.arch_prctl,
    186: Kernel.gettid,
    200: Kernel.kill,
    202: Kernel.futex,
    204: Kernel.sched_getaffinity,
    218: Kernel.set_tid_address,
    230: Kernel.clock_nanosleep,
    231: Kernel.exit_group,
    234: Kernel.kill,
    302: Kernel.prlimit,
}
# mprotect, rt_sigaction, rt_sigprocmask, sigaltstack, prctl, set_robust_list: nothing here depends on them.
_ACCEPTED = {10, 13, 14, 131, 157, 273}
# membarrier, rseq, clone3: glibc does without.
_ABSENT = {324, 334, 435}


def say(what):
    """One line on the standard error stream."""
    print(f"emulate: {what}", file=sys.stderr, flush=True)
