"""Reads what objdump says of compiled Rust: functions, their instructions, their innermost loops."""

import fnmatch
import re
import subprocess

_FUNCTION = re.compile(r"[0-9a-f]+ <(.*)>:")
_INSTRUCTION = re.compile(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)")
_TARGET = re.compile(r"([0-9a-f]+)\b")
_SCALAR_MULTIPLY = {"mul", "imul", "mulx"}
_MOVES = ("vmovd", "vmovq", "vpextr")
_GENERAL = re.compile(r"%xmm\d+,%[er]\w+$")


class Instruction:
    """One instruction: where, which, and the widest vector register among its operands, `xmm`, `ymm`, `zmm` or none."""

    def __init__(self, at, name, operands):
        self.at, self.name, self.operands = at, name, operands
        self.width = next((width for width in ("zmm", "ymm", "xmm") if "%" + width in operands), "")

    def multiplies_words(self):
        """A multiply of general registers; with a constant it computes an address or a size."""
        return self.name in _SCALAR_MULTIPLY and not self.operands.startswith("$")

    def takes_word_out(self):
        """From a vector to a general register."""
        return self.name.startswith(_MOVES) and _GENERAL.search(self.operands) is not None


class Function:
    """One function: its name as Rust writes it, its instructions."""

    def __init__(self, name):
        self.name = name
        self.instructions = []

    def loops(self):
        """The innermost loops that call nothing, each a list of instructions."""
        spans = []
        for instruction in self.instructions:
            target = _TARGET.match(instruction.operands) if instruction.name.startswith("j") else None
            if target and self.instructions[0].at <= int(target[1], 16) <= instruction.at:
                spans.append((int(target[1], 16), instruction.at))
        inside = lambda a, b: a != b and b[0] <= a[0] and a[1] <= b[1]
        found = []
        for span in sorted(set(spans)):
            if not any(inside(other, span) for other in spans):
                body = [i for i in self.instructions if span[0] <= i.at <= span[1]]
                if not any(i.name.startswith("call") for i in body):
                    found.append(body)
        return found


class Pattern:
    """An instruction as the table writes it: `vpmuludq:ymm`, `vfmsub*:zmm`."""

    def __init__(self, text):
        self.text = text
        self._name, self._width = text.split(":")

    def matches(self, instruction):
        return instruction.width == self._width and fnmatch.fnmatchcase(instruction.name, self._name)


def parse(text):
    """The functions in the output of objdump."""
    functions = []
    for line in text.splitlines():
        if function := _FUNCTION.fullmatch(line):
            functions.append(Function(function[1]))
        elif functions and (instruction := _INSTRUCTION.fullmatch(line)):
            functions[-1].instructions.append(Instruction(int(instruction[1], 16), instruction[2], instruction[3]))
    return [function for function in functions if function.instructions]


def disassemble(path):
    """The functions of a library or program."""
    command = ["objdump", "--disassemble", "--demangle", "--no-show-raw-insn", path]
    # A Rust library holds a member that is not an object: objdump says so, goes on, and ends with an error.
    done = subprocess.run(command, capture_output=True, text=True)
    functions = parse(done.stdout)
    if not functions:
        raise RuntimeError(f"objdump found no function in {path}: {done.stderr}")
    return functions
