#!/usr/bin/env python3
"""Holds the optimised build of he_ring against kernels.txt: vector kernels are made of the instructions they are meant for.

    kernels_test.py LIBRARY TABLE SOURCE...
"""

import pathlib
import re
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, "tools/disassembly")

from disassembly import Pattern, disassemble, parse  # noqa: E402

_SET = re.compile(r"(^|_)(avx2|avx512|ifma)(_|$)")
_UNUSED = re.compile(r"Isa::(Avx2|Avx512|Avx512Ifma)\((?:_\w*|\.\.)\)")
_NAMED = re.compile(r"\b(Avx2|Avx512Ifma|Avx512)\b(?!\(proof\.)")
_SMALLER = re.compile(r"\.(avx2)\(\)")


def read_table(text):
    """The rows: module -> (patterns wanted, patterns refused, operations known to go word by word), or None for `inlined`."""
    rows = {}
    for line in text.splitlines():
        module, *words = line.split("#")[0].split() or [None]
        if module and "->" not in words:
            refused = [Pattern(word[1:]) for word in words if word.startswith("!")]
            known = {word.removeprefix("words=") for word in words if word.startswith("words=")}
            wanted = [Pattern(word) for word in words if ":" in word and not word.startswith("!")]
            rows[module] = None if words == ["inlined"] else (wanted, refused, known)
    return rows


def read_choices(text):
    """The rows of choices that end in less than they name: (file, set, what it ends in)."""
    return {(words[0], words[1], words[3]) for words in (line.split("#")[0].split() for line in text.splitlines()) if "->" in words}


def choices_in(source):
    """The sets whose proof is not used, which are left to the portable loop, and those handed to a smaller set's kernels."""
    found = {(proof[1], "portable") for proof in _UNUSED.finditer(source)}
    for line, text in enumerate(source.splitlines()):
        if smaller := _SMALLER.search(text):
            named = _NAMED.findall("\n".join(source.splitlines()[: line + 1]))
            found.add((named[-1] if named else "", smaller[1]))
    return found


def modules_of(sources):
    """The modules among source files that are named for an instruction set."""
    return {stem for stem in (pathlib.PurePath(source).stem for source in sources) if _SET.search(stem)}


def operation_of(function):
    """The name of a function, or of the function it stands in: what follows the module's name."""
    path = re.search(r"he_ring::kernels::(?:\w+::)*?\w*(?:avx2|avx512|ifma)\w*::(\w+)", function.name)
    return path[1] if path else function.name


def complaints_about(functions, wanted, refused, known):
    """What is wrong with the functions of one module; nothing, if its row holds."""
    found = []
    instructions = [instruction for function in functions for instruction in function.instructions]
    for pattern in wanted:
        if not any(pattern.matches(instruction) for instruction in instructions):
            found.append(f"no {pattern.text}")
    for pattern in refused:
        found += [f"{i.name} {i.operands}" for i in instructions if pattern.matches(i)]
    # An operation may keep its loop of vectors in a function inside another one that does the rest.
    operations = {}
    for function in functions:
        operations.setdefault(operation_of(function), []).append(function)
    for operation, parts in operations.items():
        slow = []
        loops = [(function, loop) for function in parts for loop in function.loops()]
        has_vectors = any(pattern.matches(i) for pattern in wanted for _, loop in loops for i in loop)
        for function, loop in loops:
            if not any(i.multiplies_words() for i in loop):
                continue
            where = f"{function.name}: the loop at {loop[0].at:#x}"
            if any(i.takes_word_out() for i in loop):
                slow.append(f"{where} takes vectors apart to multiply word by word")
            elif not has_vectors and not any(i.width in ("ymm", "zmm") for i in loop):
                slow.append(f"{where} multiplies word by word, and no other is of vectors")
        if operation not in known:
            found += slow
        elif not slow:
            found.append(f"{operation} does not multiply word by word: the row need not say so")
    found += [f"the row speaks of {operation}, which is not there" for operation in known - operations.keys()]
    return found


class Reading(unittest.TestCase):
    """The check itself, on a few lines as objdump writes them."""

    TEXT = """
0000000000000000 <he_ring::kernels::x_avx2::lanes>:
   0:\txor    %eax,%eax
   2:\tvpmuludq (%rdi,%rax,8),%ymm0,%ymm1
   8:\tadd    $0x4,%rax
   c:\tjne    2 <he_ring::kernels::x_avx2::lanes+0x2>
   e:\timul   %rdx,%rcx
  12:\tdec    %rdx
  15:\tjne    e <he_ring::kernels::x_avx2::lanes+0xe>
  17:\tret
"""

    def complaints(self, text, *patterns):
        return complaints_about(parse(text), *read_table("x_avx2 " + " ".join(patterns))["x_avx2"])

    def test_a_tail_of_words_beside_a_loop_of_vectors_is_fine(self):
        self.assertEqual(self.complaints(self.TEXT, "vpmuludq:ymm"), [])

    def test_a_wanted_instruction_that_is_missing_is_named(self):
        self.assertIn("no vpmadd52luq:zmm", self.complaints(self.TEXT, "vpmadd52luq:zmm"))
        self.assertIn("no vpmuludq:zmm", self.complaints(self.TEXT, "vpmuludq:zmm"))

    def test_a_refused_instruction_is_shown(self):
        self.assertEqual(self.complaints(self.TEXT, "vpmuludq:ymm", "!vpmul*:ymm"), ["vpmuludq (%rdi,%rax,8),%ymm0,%ymm1"])

    def test_a_loop_of_words_alone_is_wrong(self):
        text = self.TEXT.replace("vpmuludq (%rdi,%rax,8),%ymm0,%ymm1", "add %rdx,%rcx")
        self.assertEqual(len(self.complaints(text, "vpmuludq:ymm")), 2)

    def test_taking_vectors_apart_to_multiply_is_wrong(self):
        text = self.TEXT.replace("add    $0x4,%rax", "vpextrq $0x1,%xmm2,%rax\n   9:\tmulx   %rdx,%rcx,%rsi")
        self.assertRegex(" ".join(self.complaints(text, "vpmuludq:ymm")), "the loop at 0x2 takes vectors apart")

    def test_what_is_known_to_go_word_by_word_must_be_so(self):
        text = self.TEXT.replace("add    $0x4,%rax", "vmovq  %xmm2,%rax\n   9:\tmul    %rdx")
        self.assertEqual(self.complaints(text, "vpmuludq:ymm", "words=lanes"), [])
        self.assertIn("need not say so", " ".join(self.complaints(self.TEXT, "vpmuludq:ymm", "words=lanes")))
        self.assertIn("is not there", " ".join(self.complaints(self.TEXT, "vpmuludq:ymm", "words=other")))

    def test_an_index_may_be_multiplied_among_vectors(self):
        text = self.TEXT.replace("add    $0x4,%rax", "imul   %rdx,%rcx")
        self.assertEqual(self.complaints(text, "vpmuludq:ymm"), [])

    def test_a_constant_factor_is_an_address(self):
        text = self.TEXT.replace("add    $0x4,%rax", "imul   $0x18,%rdx,%rcx")
        self.assertEqual(self.complaints(text, "vpmuludq:ymm"), [])


class Choosing(unittest.TestCase):
    """The check of what a choice ends in, on a few lines."""

    def test_a_proof_that_nobody_uses_is_the_portable_loop(self):
        self.assertEqual(choices_in("Isa::Avx2(_) => portable(x),"), {("Avx2", "portable")})
        self.assertEqual(choices_in("Isa::Avx512(_proof) => portable(x),"), {("Avx512", "portable")})

    def test_a_smaller_set_is_seen(self):
        text = "Isa::Avx2(proof) => a::f(proof, x),\nIsa::Avx512(proof) =>\n    a::f(proof.avx2(), x),"
        self.assertEqual(choices_in(text), {("Avx512", "avx2")})

    def test_a_kernel_of_its_own_is_fine(self):
        text = "Isa::Avx512(proof) => b::f(proof, x),\nIsa::Avx512Ifma(proof) => b::f(proof.avx512(), x),"
        self.assertEqual(choices_in(text), set())


class Kernels(unittest.TestCase):
    """The build, and the sources."""

    def test_every_choice_of_a_set_ends_in_it_or_has_a_row(self):
        found = set()
        for source in map(pathlib.PurePath, SOURCES):
            name = str(source).rpartition("/kernels/")[2]
            found |= {(name, *choice) for choice in choices_in(pathlib.Path(source).read_text())}
        self.assertEqual(sorted(found), sorted(CHOICES))

    def test_every_kernel_file_has_a_row_and_every_row_a_file(self):
        self.assertEqual(sorted(modules_of(SOURCES)), sorted(ROWS))

    def test_every_row_holds(self):
        functions = disassemble(LIBRARY)
        found = []
        for module, row in ROWS.items():
            own = re.compile(rf"he_ring::kernels::(\w+::)*{module}::")
            members = [function for function in functions if own.search(function.name)]
            print(f"{module}: {len(members)} functions, {sum(len(f.instructions) for f in members)} instructions")
            if row is None:
                found += [f"{module}: {member.name} is there, and the table says inlined" for member in members]
            elif not members:
                found.append(f"{module}: no function in the build")
            else:
                found += [f"{module}: {complaint}" for complaint in complaints_about(members, *row)]
        self.assertEqual(found, [], "\n" + "\n".join(found))


if __name__ == "__main__":
    LIBRARY, table, *SOURCES = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    ROWS = read_table(pathlib.Path(table).read_text())
    CHOICES = read_choices(pathlib.Path(table).read_text())
    unittest.main(argv=sys.argv[:1])
