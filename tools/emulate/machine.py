"""A 64-bit processor with AVX-512, its memory, and one statically linked program in it, ready to run.

The processor is Bochs'. Memory is one flat range, mapped to itself in large pages, the first of which is left out, so that
a null pointer faults.

    PROGRAM     a program that may lie anywhere; others say where they lie, usually here as well
    after it    the heap that brk moves, then what mmap hands out
    STACK_TOP   the first thread's stack grows down from here
    KERNEL      page tables, and the two instructions that a system call enters
"""

import ctypes
import mmap
import struct

import bochscpu
import bochscpu.cpu
import bochscpu.memory

MEMORY = 1 << 30
PAGE = 4096
LARGE_PAGE = 2 << 20
PROGRAM = 0x400000
KERNEL = MEMORY - LARGE_PAGE
STACK_TOP = KERNEL - LARGE_PAGE
STACK = 16 << 20

PRESENT_WRITABLE_USER = 0b111
LARGE = 0x80
# clflush [rip - 7], which calls a hook and clobbers no register, then sysretq.
TRAMPOLINE = b"\x0f\xae\x3d\xf9\xff\xff\xff\x48\x0f\x07"

ELF_MACHINE_X86_64 = 0x3E
ELF_POSITION_INDEPENDENT = 3
SEGMENT_LOAD = 1
SEGMENT_INTERPRETER = 3


class NotRunnable(Exception):
    """The file is not a program that can run here."""


class Memory:
    """The guest's memory: bytes at guest addresses, which are also offsets from `host`, an address of this process."""

    def __init__(self):
        self._map = mmap.mmap(-1, MEMORY, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.bytes = memoryview(self._map)
        self.host = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        for page in range(LARGE_PAGE, MEMORY, PAGE):
            bochscpu.memory.page_insert(page, self.host + page)

    def read(self, at, count):
        return bytes(self.bytes[at : at + count])

    def write(self, at, data):
        self.bytes[at : at + len(data)] = data

    def forget(self, at, count):
        """Whole pages become zeros and cost nothing until they are touched again."""
        self._map.madvise(mmap.MADV_DONTNEED, at, count)

    def u32(self, at):
        return struct.unpack_from("<I", self.bytes, at)[0]

    def set_u32(self, at, value):
        struct.pack_into("<I", self.bytes, at, value)

    def u64(self, at):
        return struct.unpack_from("<Q", self.bytes, at)[0]

    def set_u64(self, at, value):
        struct.pack_into("<Q", self.bytes, at, value)


class Image:
    """A program in memory: where it begins, where it ends, and what the auxiliary vector says of it."""

    def __init__(self, memory, path):
        with open(path, "rb") as file:
            data = file.read()
        if data[:5] != b"\x7fELF\x02" or data[18:20] != bytes([ELF_MACHINE_X86_64, 0]):
            raise NotRunnable(f"{path}: not a program for x86-64")
        (kind,) = struct.unpack_from("<H", data, 16)
        entry, table = struct.unpack_from("<QQ", data, 24)
        self.header_size, self.header_count = struct.unpack_from("<HH", data, 54)
        self.bias = PROGRAM if kind == ELF_POSITION_INDEPENDENT else 0
        self.entry = self.bias + entry
        self.headers = self.end = 0
        for i in range(self.header_count):
            what, _, offset, address, _, in_file, in_memory, _ = struct.unpack_from("<IIQQQQQQ", data, table + i * self.header_size)
            if what == SEGMENT_INTERPRETER:
                raise NotRunnable(f"{path}: dynamically linked; build it with -Ctarget-feature=+crt-static")
            if what == SEGMENT_LOAD:
                memory.write(self.bias + address, data[offset : offset + in_file])
                self.end = max(self.end, self.bias + address + in_memory)
                if offset <= table < offset + in_file:
                    self.headers = self.bias + address + table - offset


def first_stack(memory, image, arguments, environment):
    """Lays out what a program finds on its stack when it begins, and returns the stack pointer."""
    top = STACK_TOP

    def push(data):
        nonlocal top
        top -= len(data)
        memory.write(top, data)
        return top

    arguments = [push(a.encode() + b"\0") for a in arguments]
    environment = [push(f"{name}={value}".encode() + b"\0") for name, value in environment.items()]
    # The canary of stack protectors need not be secret here.
    random = push(bytes(range(16)))
    auxiliary = {
        3: image.headers,  # AT_PHDR
        4: image.header_size,  # AT_PHENT
        5: image.header_count,  # AT_PHNUM
        6: PAGE,  # AT_PAGESZ
        9: image.entry,  # AT_ENTRY
        17: 100,  # AT_CLKTCK
        23: 0,  # AT_SECURE
        25: random,  # AT_RANDOM
        0: 0,  # AT_NULL
    }
    words = [len(arguments), *arguments, 0, *environment, 0]
    for pair in auxiliary.items():
        words += pair
    top = (top - 8 * len(words)) & ~15
    memory.write(top, struct.pack(f"<{len(words)}Q", *words))
    return top


def page_tables(memory):
    """Maps memory to itself in large pages, all of it open to the program, and returns what CR3 holds."""
    root, middle, last = KERNEL, KERNEL + PAGE, KERNEL + 2 * PAGE
    memory.set_u64(root, middle | PRESENT_WRITABLE_USER)
    memory.set_u64(middle, last | PRESENT_WRITABLE_USER)
    for i in range(1, MEMORY // LARGE_PAGE):
        memory.set_u64(last + 8 * i, i * LARGE_PAGE | LARGE | PRESENT_WRITABLE_USER)
    return root


def _segment(selector, attributes):
    segment = bochscpu.Segment()
    segment.present, segment.selector, segment.attr = True, selector, attributes
    segment.base, segment.limit = 0, 0xFFFFFFFF
    return segment


def first_state(memory, entry, stack):
    """The processor as Linux hands it to a program: long mode, ring 3, every vector register switched on."""
    trampoline = KERNEL + 4 * PAGE
    memory.write(trampoline, TRAMPOLINE)
    state = bochscpu.State()
    bochscpu.cpu.set_long_mode(state)
    state.cr0 = 0x80050033  # paging, write protection and what else Linux sets
    state.cr3 = page_tables(memory)
    state.cr4 = 0x506A0  # PAE, PGE, OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE
    state.efer = 0xD01  # no-execute, long mode, system calls
    state.xcr0 = 0xE7  # x87, SSE, AVX, mask registers, both halves of AVX-512
    state.cs, state.ss = _segment(0x33, 0xA0FB), _segment(0x2B, 0xC0F3)
    state.ds, state.es, state.fs, state.gs = (_segment(0x2B, 0xC0F3) for _ in range(4))
    state.star, state.lstar, state.sfmask = 0x23 << 48 | 0x10 << 32, trampoline, 0x47700
    state.rip, state.rsp, state.rflags = entry, stack, 2
    state.mxcsr, state.mxcsr_mask, state.fpcw, state.fptw = 0x1F80, 0xFFFF, 0x37F, 0xFFFF
    state.apic_base = 0xFEE00900
    return state
