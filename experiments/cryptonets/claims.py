#!/usr/bin/env python3
"""Runs every row of the claim table and writes the table into README.md: no figure in it is typed by hand.

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
        "[CN16], results",
        [],
    ),
    (
        "MNIST: 33.99 s a batch on 1 thread",
        "[NGHE2], the authors' notebook (Xeon Platinum 8180; 2.05 s on 24 threads)",
        ["--threads", "1"],
    ),
    (
        "MNIST, the network as published, not squashed",
        "[CN16], the network for training",
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


def ours(r):
    return (
        f"{100 * r['accuracy_encrypted']:.2f} % encrypted, {100 * r['accuracy_clear']:.2f} % in the clear; "
        f"{r['images'] - len(r['disagreements']):,} of {r['images']:,} labels agree, largest logit error "
        f"{r['largest_logit_error']:.1e} on a range of {r['logit_range']:.1f}; "
        f"server {r['seconds_per_batch']:.2f} s a batch = {r['images_per_second']:,.0f} images/s; "
        f"memory {r['peak_rss_bytes'] / 2**30:.2f} GiB"
    )


def row(claim, where, arguments, r):
    shown = [a if not a.startswith("/") else os.path.basename(a) for a in arguments]
    if arguments and str(HERE) in arguments[-1]:
        shown[-1] = os.path.relpath(arguments[-1], ROOT)
    command = " ".join((COMMAND if shown else COMMAND[:-1]) + shown)
    parameters = f"N = {r['n']}, log2 QP = {r['log_qp']:.0f}, {r['security_bits']} bits, batch {r['batch_size']}"
    threads = f"{r['threads']} thread{'s' if r['threads'] > 1 else ''}"
    machine = f"{r['processor']}, {r['isa']}, {threads} of {r['processors']}, {r['date']}"
    return f"| {claim} | {where} | {parameters} | {ours(r)} | `{command}` | {machine} |"


def main():
    readme = HERE / "README.md"
    head, rest = readme.read_text().split(BEGIN)
    old, tail = rest.split(END)
    kept = {line.split("|")[1].strip(): line for line in old.strip().splitlines() if line.startswith("| ")}
    lines = [
        "| claim | where in the paper | parameters | ours | command | machine, date |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for claim, where, arguments in ROWS:
            if None in arguments:
                print(f"skipped: {claim}: HE_TRANSFORMER_MODEL names no file", file=sys.stderr)
                lines += [kept[claim]] if claim in kept else []
                continue
            record = pathlib.Path(folder) / "run.json"
            subprocess.run(PROGRAM + arguments + ["--json", str(record)], cwd=ROOT, check=True)
            lines.append(row(claim, where, arguments, json.loads(record.read_text())))
    readme.write_text(f"{head}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{tail}")


if __name__ == "__main__":
    main()
