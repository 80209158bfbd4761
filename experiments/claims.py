#!/usr/bin/env python3
"""Runs every row of the claim table and writes it into README.md, and its short form into the project's README.md: no figure in
either is typed by hand.

    experiments/cryptonets/claims.py            from anywhere; `just repro` calls it

The row of HE-Transformer's own model needs that file: HE_TRANSFORMER_MODEL=he_transformer_cryptonets.onnx. Without it
the row is skipped, aloud, and stays as it was. A run whose gate fails stops everything. CRYPTONETS=FILE runs a program
that is already built instead of calling Bazel; the table names the Bazel command all the same.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BEGIN, END = "<!-- claims -->", "<!-- /claims -->"
COMMAND = ["./bazelw", "run", "//experiments:cryptonets", "--"]
PROGRAM = [os.environ["CRYPTONETS"]] if "CRYPTONETS" in os.environ else COMMAND
HE_TRANSFORMER = os.environ.get("HE_TRANSFORMER_MODEL")

# claim, where it stands, arguments
ROWS = [
    (
        "MNIST: accuracy of 98.95 % on encrypted images",
        "[CN16]",
        [],
    ),
    (
        "MNIST: 33.99 s a batch on 1 thread",
        "[NGHE2], the authors' notebook (Xeon Platinum 8180; 2.05 s on 24 threads)",
        ["--threads", "1"],
    ),
    (
        "MNIST, the network as published, not squashed",
        "[CN16]",
        ["--model", str(HERE / "models" / "mnist_unsquashed.onnx")],
    ),
    (
        "Fashion-MNIST, same network",
        "not in the papers",
        ["--dataset", "fashion"],
    ),
    (
        "MNIST, the model that HE-Transformer shipped: 98.39 % in the clear",
        "[NGHE2], their ONNX file",
        ["--model", HE_TRANSFORMER],
    ),
]


def command_of(arguments):
    shown = [a if not a.startswith("/") else os.path.basename(a) for a in arguments]
    if arguments and str(HERE) in arguments[-1]:
        shown[-1] = os.path.relpath(arguments[-1], ROOT)
    return "`" + " ".join((COMMAND if shown else COMMAND[:-1]) + shown) + "`"


def agreement(r):
    return f"{r['images'] - len(r['disagreements']):,} of {r['images']:,}"


def ours(r):
    return (
        f"{100 * r['accuracy_encrypted']:.2f} % encrypted, {100 * r['accuracy_clear']:.2f} % in the clear; "
        f"{agreement(r)} labels agree, largest logit error "
        f"{r['largest_logit_error']:.1e} on a range of {r['logit_range']:.1f}; "
        f"server {r['seconds_per_batch']:.2f} s a batch = {r['images_per_second']:,.0f} images/s; "
        f"memory {r['peak_rss_bytes'] / 2**30:.2f} GiB"
    )


def threads_of(r):
    return f"{r['threads']} thread{'s' if r['threads'] > 1 else ''}"


def full_row(claim, where, arguments, r):
    parameters = f"N = {r['n']}, log2 QP = {r['log_qp']:.0f}, {r['security_bits']} bits, batch {r['batch_size']}"
    machine = f"{r['processor']}, {r['isa']}, {threads_of(r)} of {r['processors']}, {r['date']}"
    return f"| {claim} | {where} | {parameters} | {ours(r)} | {command_of(arguments)} | {machine} |"


def short_row(claim, arguments, r):
    accuracy = f"{100 * r['accuracy_encrypted']:.2f} % / {100 * r['accuracy_clear']:.2f} %"
    speed = f"{r['seconds_per_batch']:.2f} s, {r['images_per_second']:,.0f} images/s on {threads_of(r)}"
    memory = f"{r['peak_rss_bytes'] / 2**30:.2f} GiB"
    return f"| {claim} | {accuracy} | {agreement(r)} | {speed} | {memory} | {command_of(arguments)} |"


class Table:
    """The table between the two markers of a file. A row that is not run again stays as it was."""

    def __init__(self, path, *columns):
        self.path = path
        self.head, rest = path.read_text().split(BEGIN)
        old, self.tail = rest.split(END)
        self.kept = {line.split("|")[1].strip(): line for line in old.strip().splitlines() if line.startswith("| ")}
        self.lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]

    def keep(self, claim):
        self.lines += [self.kept[claim]] if claim in self.kept else []

    def write(self):
        self.path.write_text(f"{self.head}{BEGIN}\n" + "\n".join(self.lines) + f"\n{END}{self.tail}")


def main():
    full = Table(HERE / "README.md", "claim", "where in the paper", "parameters", "ours", "command", "machine, date")
    short = Table(
        ROOT / "README.md", "claim", "right, encrypted / clear", "labels that agree", "server, a batch", "memory", "command"
    )
    with tempfile.TemporaryDirectory() as folder:
        for claim, where, arguments in ROWS:
            if None in arguments:
                print(f"skipped: {claim}: HE_TRANSFORMER_MODEL names no file", file=sys.stderr)
                full.keep(claim)
                short.keep(claim)
                continue
            record = pathlib.Path(folder) / "run.json"
            subprocess.run(PROGRAM + arguments + ["--json", str(record)], cwd=ROOT, check=True)
            r = json.loads(record.read_text())
            full.lines.append(full_row(claim, where, arguments, r))
            short.lines.append(short_row(claim, arguments, r))
    full.write()
    short.write()


if __name__ == "__main__":
    main()
