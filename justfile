# `just` lists the recipes. The two commands that matter need no just: ./bazelw test //... and
# ./bazelw run //experiments:cryptonets

_default:
    @just --list --unsorted

# every test
test *ARGS:
    ./bazelw test //... {{ARGS}}

# the main job: CryptoNets on the 10,000 encrypted MNIST test digits
run *ARGS:
    ./bazelw run //experiments:cryptonets -- {{ARGS}}

# every row of the claim tables, which it writes
repro:
    experiments/cryptonets/claims.py

# the whole gate, as CI runs it
ci:
    .ci/run

# tests of one crate, the quick way
check CRATE:
    cargo test --locked -p {{CRATE}}

fmt:
    cargo fmt

lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# the test kernels of one instruction set only: just isa scalar
isa ISA *ARGS:
    HENGE_ISA={{ISA}} ./bazelw test //... {{ARGS}}

# benches of one crate: just bench he_ring
bench CRATE *ARGS:
    cargo bench --locked -p {{CRATE}} -- {{ARGS}}

# data sets for cargo users: then HENGE_DATA=DIR
data DIR="data":
    third_party/datasets/fetch.sh {{DIR}}
