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

# the rows of the claim tables, which it writes: just repro --only relu, just repro --list
repro *ARGS:
    experiments/claims.py {{ARGS}}

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

# the tests of the bridge to SEAL, all C++ under AddressSanitizer and UndefinedBehaviorSanitizer
sanitize *ARGS:
    bindings/seal/bridge/sanitize.sh {{ARGS}}

# fuzz every loader of SEAL's files and every message of two parties for so many seconds each; 0 only compiles them
fuzz SECONDS="60":
    tools/fuzz.sh bindings/seal/format/fuzz {{SECONDS}}
    tools/fuzz.sh runtime/protocol/fuzz {{SECONDS}}

# the tests that need AVX-512, on the emulated processor
emulate *ARGS:
    HENGE_EMULATE=1 ./bazelw test --test_tag_filters=avx512 //... {{ARGS}}

# 32 clients for SECONDS, 11 of them killed, stalled or sending garbage, against a server whose memory is limited
soak SECONDS="600":
    HENGE_STRESS_SECONDS={{SECONDS}} cargo test --release --locked -p client --test two_parties stress -- --nocapture

# benches of one crate (he_ring, he_secret, transforms), or a part: just bench he_ring ring/ntt_forward/13
bench CRATE *ARGS:
    cargo bench --locked -p {{CRATE}} --bench '*' -- {{ARGS}}

# data sets, trained models and photos for cargo users: then HENGE_DATA=DIR
data DIR="data":
    third_party/datasets/fetch.sh {{DIR}}
    third_party/models/fetch.sh {{DIR}}
