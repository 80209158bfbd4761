"""Makes the frozen files beside it from the specification in he_core/rlwe/src/wire/mod.rs: python3 recipe.py

Independent of the Rust code on purpose. The format is frozen: a change here comes with a new format version.
"""

import hashlib
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
N, LOG_N = 4, 2
Q = [12289, 97, 1073741833]
P = [2305843009213693921]
PRIMES = Q + P


def sha(data):
    return hashlib.sha256(data).digest()


CANONICAL = (
    b"henge ckks 1"
    + bytes([LOG_N, 2, 1, 1])
    + struct.pack("<IHH", 3, len(Q), len(P))
    + b"".join(struct.pack("<Q", q) for q in PRIMES)
)


def envelope(kind, body):
    header = b"HNGE" + struct.pack("<HHQ", 1, kind, 0) + sha(CANONICAL) + struct.pack("<Q", len(body))
    leaves = b"".join(sha(body[i : i + 2**20]) for i in range(0, len(body), 2**20))
    return header + body + sha(header + leaves)


def residue(q, row, i):
    if (row, i) == (0, 0):
        return q - 1
    return (row * 1000003 + i * 7919 + 12345) * 0x9E3779B97F4A7C15 % 2**64 % q


def tensor(domain, rows, limbs):
    out = struct.pack("<BBHI", domain, LOG_N, len(limbs), len(rows))
    out += b"".join(struct.pack("<H", limb) for limb in limbs)
    for limb in limbs:
        q = PRIMES[limb]
        bits = (q - 1).bit_length()
        for row in rows:
            total = sum(residue(q, row, i) << (i * bits) for i in range(N))
            out += total.to_bytes((N * bits + 7) // 8, "little")
    return out


name = "Möwe".encode()
sample = struct.pack("<IBdI", 2, 2, 181.02, 3) + bytes(range(32)) + struct.pack("<H", len(name)) + name
sample += tensor(1, [0, 2], [0, 1, 2]) + tensor(0, [0], [3])
params = struct.pack("<BBBBIBHdHH", LOG_N, 2, 1, 1, 3, 1, 0, 7.5, len(Q), len(P))
params += b"".join(struct.pack("<Q", q) for q in PRIMES)
chunks = bytes(i % 251 for i in range(2**21 + 5))

(HERE / "sample.hnge").write_bytes(envelope(7, sample))
(HERE / "params.hnge").write_bytes(envelope(1, params))
(HERE / "chunks.sha256").write_bytes(envelope(8, chunks)[-32:])
