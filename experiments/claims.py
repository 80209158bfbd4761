#!/usr/bin/env python3
"""Runs the rows of the claim tables and writes them: into the README.md of each experiment, and the short form of CryptoNets' into the
project's. No figure in any table is typed by hand.

    experiments/claims.py                              every row; `just repro` calls it
    experiments/claims.py --list                       the rows by name
    experiments/claims.py --only relu --only 0.35-96   those whose name contains one of these words; a whole name stands for itself alone
    experiments/claims.py --keep-going                 goes on when a run fails or is killed, and says so at the end

A row that is not run keeps the figures it has; one that never ran says so. Tables are written after every row, so that a long run that is cut
loses nothing. A run whose gate fails stops everything and leaves its row as it was.

Environment: HE_TRANSFORMER_MODEL=FILE.onnx names the model of HE-Transformer, whose row is skipped, aloud, without it. CRYPTONETS, CRYPTONETS_RELU,
MOBILENET_V2 each name a program that is already built, which is run instead of calling Bazel; the tables name the Bazel command all the
same. Rows over an emulated LAN use network namespaces, and need root, ip and tc.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
NOT_RUN = "not run here"
HE_TRANSFORMER = os.environ.get("HE_TRANSFORMER_MODEL")


@dataclass(frozen=True)
class Row:
    """A claim: its name on the command line, what is claimed, where that stands, and the run that answers it."""

    name: str
    experiment: str
    claim: str
    where: str
    arguments: tuple

    def program(self):
        """What is run: a built program, or Bazel."""
        built = os.environ.get(self.experiment.upper())
        return [built] if built else self.bazel() + ["--"]

    def bazel(self):
        return ["./bazelw", "run", f"//experiments:{self.experiment}"]

    def command(self):
        """The command as the table names it, paths from the root."""
        shown = [os.path.relpath(a, ROOT) if a.startswith(str(ROOT)) else os.path.basename(a) if a.startswith("/") else a
                 for a in self.arguments]
        return "`" + " ".join(self.bazel() + (["--"] + shown if shown else [])) + "`"


def cryptonets(name, claim, where, *arguments):
    return Row(f"cryptonets/{name}", "cryptonets", claim, where, arguments)


def relu(name, claim, where, *arguments):
    return Row(f"relu/{name}", "cryptonets_relu", claim, where, arguments)


def mobilenet(name, claim, where, *arguments):
    return Row(f"mobilenet/{name}", "mobilenet_v2", claim, where, arguments)


NGHE2 = "[NGHE2], the authors' notebooks (two Xeon Platinum 8180, 112 threads, 376 GB)"

ROWS = [
    cryptonets("mnist", "MNIST: accuracy of 98.95 % on encrypted images", "[CN16]"),
    cryptonets(
        "one-thread", "MNIST: 33.99 s a batch on 1 thread",
        "[NGHE2], the authors' notebook (Xeon Platinum 8180; 2.05 s on 24 threads)", "--threads", "1",
    ),
    cryptonets(
        "as-published", "MNIST, the network as published, not squashed", "[CN16]",
        "--model", str(HERE / "cryptonets" / "models" / "mnist_unsquashed.onnx"),
    ),
    cryptonets(
        "conjugate-invariant", "MNIST in the conjugate-invariant ring, 8,192 images a batch, 8 bits of precision asked for", "not in the papers",
        "--ring", "conjugate-invariant", "--batch-size", "8192", "--precision-bits", "8",
    ),
    cryptonets("fashion", "Fashion-MNIST, same network", "not in the papers", "--dataset", "fashion"),
    cryptonets(
        "he-transformer", "MNIST, the model that HE-Transformer shipped: 98.39 % in the clear", "[NGHE2], their ONNX file",
        "--model", HE_TRANSFORMER,
    ),
    relu(
        "loopback", "CryptoNets-ReLU: 0.24 ms an image on one machine, 4,167 images/s on 24 threads; 0.030 MB an image; 98.63 % of the first 1,024", NGHE2,
    ),
    relu(
        "1-gbit", "CryptoNets-ReLU: 0.34 ms an image over a LAN, 2,959 images/s, 24 threads on each side; here 1 Gbit/s, 0.1 ms", NGHE2,
        "--namespaces", "--link", "1,0.1",
    ),
    relu("1-gbit-1-ms", "the same over 1 Gbit/s, 1 ms", NGHE2, "--namespaces", "--link", "1,1"),
    relu("10-gbit", "the same over 10 Gbit/s, 0.1 ms", NGHE2, "--namespaces", "--link", "10,0.1"),
    relu("10-gbit-1-ms", "the same over 10 Gbit/s, 1 ms", NGHE2, "--namespaces", "--link", "10,1"),
    relu("one-process", "CryptoNets-ReLU: 0.24 ms an image on one machine, here both parties in one process", NGHE2, "--one-process"),
    mobilenet(
        "0.35-96", "MobileNetV2, width 0.35, 96 x 96: 27 ms an image without any client, 71 ms and 38.4 MB over a LAN; 68.9 GB for both parties", NGHE2,
    ),
    mobilenet("0.35-96-1-gbit", "the same over 1 Gbit/s, 0.1 ms", NGHE2, "--namespaces", "--link", "1,0.1"),
    mobilenet(
        "0.35-96-10-gbit", "the same over a LAN of 10 Gbit/s, 0.1 ms", NGHE2, "--namespaces", "--link", "10,0.1",
    ),
    mobilenet("0.35-96-10-gbit-1-ms", "the same over 10 Gbit/s, 1 ms", NGHE2, "--namespaces", "--link", "10,1"),
    mobilenet("0.35-96-one-process", "the same in one process", NGHE2, "--one-process"),
    mobilenet(
        "0.35-128", "MobileNetV2, width 0.35, 128 x 128: 46 ms an image without any client, 116 ms and 63.7 MB over a LAN; 113.0 GB for both parties", NGHE2,
        "--resolution", "128",
    ),
    mobilenet(
        "0.35-160", "MobileNetV2, width 0.35, 160 x 160: 71 ms an image without any client, 197 ms and 107.5 MB over a LAN; 178.9 GB for both parties", NGHE2,
        "--resolution", "160",
    ),
    mobilenet(
        "0.35-192", "MobileNetV2, width 0.35, 192 x 192: 103 ms an image without any client, 278 ms and 152.2 MB over a LAN; 263.4 GB for both parties", NGHE2,
        "--resolution", "192",
    ),
    mobilenet(
        "0.35-224", "MobileNetV2, width 0.35, 224 x 224: 129 ms an image without any client, 381 ms and 206.9 MB over a LAN; 381.2 GB for both parties", NGHE2,
        "--resolution", "224",
    ),
    mobilenet(
        "0.35-224-10-gbit", "MobileNetV2, width 0.35, 224 x 224, over a LAN of 10 Gbit/s, 0.1 ms: 381 ms and 206.9 MB an image", NGHE2,
        "--resolution", "224", "--namespaces", "--link", "10,0.1",
    ),
    mobilenet(
        "dog-breeds", "trained MobileNetV2 1.0, 160 x 160, 20 photos: encrypted top class = clear top class", "not in the papers",
        "--network", "dog-breeds", "--precision-bits", "7",
    ),
    mobilenet(
        "efficientnet-lite0", "trained EfficientNet-Lite0, 224 x 224, 20 photos: encrypted top class = clear top class",
        "not in the papers (nGraph-HE2, width 0.35 at 224: 60.39 % encrypted, 60.38 % in the clear)", "--network", "efficientnet-lite0",
    ),
    mobilenet(
        "unlabelled", "trained EfficientNet-Lite0, 224 x 224, 100 more photos: encrypted top class = clear top class", "not in the papers",
        "--network", "efficientnet-lite0", "--photos", "unlabelled",
    ),
    mobilenet(
        "features", "trained MobileNetV2 1.0 without class layer, 224 x 224, 20 photos: encrypted features = clear features", "not in the papers",
        "--network", "mobilenet-v2-features", "--precision-bits", "6.7",
    ),
]


def gb(r, key):
    return f"{r[key] / 1e9:.2f} GB" if r[key] >= 1e8 else f"{r[key] / 1e6:.1f} MB"


def three_digits(x):
    """A number without an exponent."""
    return f"{float(f'{x:.3g}'):,g}"


def images_per_second(r):
    found = r["images_per_second"]
    return f"{found:,.0f}" if found >= 10 else three_digits(found)


def agreement(r):
    return f"{r['images'] - len(r['disagreements']):,} of {r['images']:,}"


def accuracy(r):
    return f"{100 * r['accuracy_encrypted']:.2f} % encrypted, {100 * r['accuracy_clear']:.2f} % in the clear"


def largest_error(r):
    return f"largest error {r['largest_logit_error']:.1e} on a range of {r['logit_range']:.1f}"


def threads_of(r):
    return f"{r['threads']} thread{'s' if r['threads'] > 1 else ''}"


def parameters_of(r):
    return f"N = {r['n']}, log2 QP = {r['log_qp']:.0f}, {r['security_bits']} bits, batch {r['batch_size']}"


def machine_of(r, threads):
    return f"{r['processor']}, {r['isa']}, {threads} of {r['processors']}, {r['date']}"


def line(*cells):
    return "| " + " | ".join(cells) + " |"


def one_party(row, r):
    """A line of CryptoNets' own table."""
    ours = (
        f"{accuracy(r)}; {agreement(r)} labels agree, largest logit error {r['largest_logit_error']:.1e} on a range of {r['logit_range']:.1f}; "
        f"server {r['seconds_per_batch']:.2f} s a batch = {images_per_second(r)} images/s; memory {r['peak_rss_bytes'] / 2**30:.2f} GiB"
    )
    return line(row.claim, row.where, parameters_of(r), ours, row.command(), machine_of(r, threads_of(r)))


def short(row, r):
    """A line of the project's table."""
    return line(
        row.claim,
        f"{100 * r['accuracy_encrypted']:.2f} % / {100 * r['accuracy_clear']:.2f} %",
        agreement(r),
        f"{r['seconds_per_batch']:.2f} s, {images_per_second(r)} images/s on {threads_of(r)}",
        f"{r['peak_rss_bytes'] / 2**30:.2f} GiB",
        row.command(),
    )


def bars_of(r):
    """Every bar of the run with its figure, and its moonshot."""
    def verdict(met):
        return "met" if met else "**missed**"

    def said(bar):
        (side, wanted), = bar["bound"].items()
        moonshot = ""
        if bar["moonshot"]:
            wished, = bar["moonshot"].values()
            moonshot = f", moonshot {wished:g} {verdict(bar['moonshot_met'])}"
        return f"{bar['what']} {bar['found']:.4g} {bar['unit']}, {side.replace('_', ' ')} {wanted:g}: {verdict(bar['met'])}{moonshot}"
    return "<br>".join(map(said, r["bars"])) or "none"


def differing(r):
    """Images whose label differs, each with its margins."""
    each = (
        f"#{d['image']}: clear {d['clear']} by {d['clear_margin']:.1e}, encrypted {d['encrypted']} by {d['encrypted_margin']:.1e}"
        for d in r["disagreements"]
    )
    text = ", ".join(each)
    return f" ({text})" if text else ""


def two_parties(row, r):
    """A line of an experiment with a client."""
    memory = gb(r, "peak_rss_bytes")
    if r["server_peak_rss_bytes"] is not None:
        memory = f"{gb(r, 'server_peak_rss_bytes')} server + {gb(r, 'client_peak_rss_bytes')} client = {memory}"
    travels = (r["bytes_up_per_image"] + r["bytes_down_per_image"]) / 1e6
    least = (r["minimum_bytes_up_per_image"] + r["minimum_bytes_down_per_image"]) / 1e6
    right = f"{accuracy(r)} of {r['labelled']:,}; " if r["labelled"] else ""
    ours = (
        f"{three_digits(r['milliseconds_per_image'])} ms an image = {images_per_second(r)} images/s, {r['seconds_per_batch']:.2f} s a batch, both parties, "
        f"of which the server computes {statistics.median(r['seconds']['server']):.2f} s; memory {memory} (server planned {gb(r, 'planned_server_bytes')} + {gb(r, 'weights_bytes')} of weights + {gb(r, 'program_bytes')} of program); "
        f"{travels:.4g} MB an image (ciphertexts alone {least:.4g}), {r['requests']:,} requests a batch in {r['rounds']} rounds; "
        f"{right}{agreement(r)} labels agree{differing(r)}, {largest_error(r)}"
    )
    threads = threads_of(r) + (" each" if r["server_peak_rss_bytes"] is not None else "")
    machine = f"{r['way_described']}; {machine_of(r, threads)}"
    return line(row.claim, row.where, parameters_of(r), ours, bars_of(r), row.command(), machine)


def short_two_parties(row, r):
    """A line of the project's second table."""
    met = sum(bar["met"] for bar in r["bars"])
    wishes = [bar["moonshot_met"] for bar in r["bars"] if bar["moonshot"]]
    moonshots = f", {sum(wishes)} of {len(wishes)} moonshots" if wishes else ""
    return line(
        row.claim,
        f"{three_digits(r['milliseconds_per_image'])} ms",
        gb(r, "peak_rss_bytes"),
        f"{(r['bytes_up_per_image'] + r['bytes_down_per_image']) / 1e6:.4g} MB",
        agreement(r),
        f"{100 * r['largest_logit_error'] / r['logit_range']:.2g} % of the range",
        f"{met} of {len(r['bars'])} met{moonshots}",
        row.command(),
    )


class Table:
    """The table between the two markers of a file. A row that is not run again stays as it was."""

    def __init__(self, path, rows, write, columns, mark="claims"):
        self.path, self.rows, self.write_row, self.columns = path, rows, write, columns
        self.begin, self.end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
        old = self.split()[1]
        claims = {row.claim for row in rows}
        lines = (text for text in old.strip().splitlines() if text.startswith("| "))
        self.found = {claim: text for text in lines if (claim := text.split("|")[1].strip()) in claims}

    def split(self):
        """The file before the table, the table, and the file behind it. Two tables may share a file."""
        head, rest = self.path.read_text().split(self.begin)
        return head, *rest.split(self.end)

    def add(self, row, record):
        """A fresh row, and the file with it."""
        if row not in self.rows:
            return
        self.found[row.claim] = self.write_row(row, record)
        self.write()

    def write(self):
        def text(row):
            if row.claim in self.found:
                return self.found[row.claim]
            cells = dict.fromkeys(self.columns, "")
            known = {"claim": row.claim, "where in the paper": row.where, "command": "" if None in row.arguments else row.command()}
            cells.update({name: text for name, text in known.items() if name in cells})
            cells["ours" if "ours" in cells else self.columns[1]] = NOT_RUN
            return line(*cells.values())

        head = [line(*self.columns), "|---" * len(self.columns) + "|"]
        body = "\n".join(head + [text(row) for row in self.rows])
        before, _, behind = self.split()
        self.path.write_text(f"{before}{self.begin}\n{body}\n{self.end}{behind}")


def tables():
    """Every table of the project."""
    def of(experiment):
        return [row for row in ROWS if row.experiment == experiment]

    full, last = ("claim", "where in the paper", "parameters", "ours"), ("command", "machine, date")
    shown = ("relu/loopback", "mobilenet/0.35-96", "mobilenet/0.35-224", "mobilenet/dog-breeds", "mobilenet/efficientnet-lite0")
    return [
        Table(HERE / "cryptonets" / "README.md", of("cryptonets"), one_party, full + last),
        Table(
            ROOT / "README.md", of("cryptonets"), short,
            ("claim", "right, encrypted / clear", "labels that agree", "server, a batch", "memory", "command"),
        ),
        Table(HERE / "cryptonets_relu" / "README.md", of("cryptonets_relu"), two_parties, (*full, "bars", *last)),
        Table(HERE / "mobilenet_v2" / "README.md", of("mobilenet_v2"), two_parties, (*full, "bars", *last)),
        Table(
            ROOT / "README.md", [row for row in ROWS if row.name in shown], short_two_parties,
            ("claim", "an image, both parties", "memory, both", "travels for an image", "labels that agree", "largest error", "bars", "command"),
            mark="claims of two parties",
        ),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="WORD", help="rows whose name contains this; may be given again")
    parser.add_argument("--list", action="store_true", help="name the rows and run nothing")
    parser.add_argument("--keep-going", action="store_true", help="go on when a run fails")
    parser.add_argument("--records", type=pathlib.Path, metavar="DIR", help="keep each run's record, and its page, in this folder")
    args = parser.parse_args()
    names = [row.name for row in ROWS]

    def asked_for(row):
        """A whole name stands for itself alone."""
        return any(word == row.name or (word not in names and word in row.name) for word in args.only)

    chosen = [row for row in ROWS if not args.only or asked_for(row)]
    if not chosen:
        sys.exit(f"no row is called like {args.only}: {', '.join(names)}")
    if args.list:
        for row in chosen:
            print(f"{row.name:<32}{row.claim}")
        return
    all_tables = tables()
    for table in all_tables:
        table.write()
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        folder = args.records.resolve() if args.records else pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for row in chosen:
            if None in row.arguments:
                print(f"skipped: {row.name}: HE_TRANSFORMER_MODEL names no file", file=sys.stderr)
                continue
            print(f"{row.name}: {row.claim}", flush=True)
            record, page = (folder / (row.name.replace("/", "-") + end) for end in (".json", ".html"))
            record.unlink(missing_ok=True)
            run = subprocess.run([*row.program(), *row.arguments, "--json", str(record), "--report", str(page)], cwd=ROOT, check=False)
            if run.returncode:
                failed.append(f"{row.name} ended with {run.returncode}")
                if not args.keep_going:
                    break
                continue
            for table in all_tables:
                table.add(row, json.loads(record.read_text()))
    if failed:
        sys.exit("; ".join(failed))


if __name__ == "__main__":
    main()
