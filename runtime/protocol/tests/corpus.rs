//! The corpus of the fuzz targets, replayed: every file through its target.
//!
//! `HENGE_BLESS=1 cargo test -p protocol --test corpus` writes the first files of each target; `tools/fuzz.sh` finds more.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../fuzz/src/lib.rs"]
#[allow(missing_docs, unreachable_pub, reason = "the library of the fuzz targets")]
mod fuzz;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use he_ir::{ClientFunction, RefreshGroup};
use he_params::Level;
use he_rlwe::wire::params_to_bytes;
use prost::Message;
use protocol::{Ask, Asked, Digest, Hello, SessionId, Welcome, parts, v1};

fn corpus() -> PathBuf {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = folder.map(|folder| folder.join("fuzz/corpus")).filter(|path| path.is_dir());
    here.unwrap_or_else(|| "runtime/protocol/fuzz/corpus".into())
}

/// A tensor of `rows` rows over the first `limbs` primes of the fuzz parameters, every residue 1.
fn tensor(rows: u32, limbs: u16) -> Vec<u8> {
    let params = fuzz::params();
    let primes: Vec<u64> = params.q().iter().chain(params.p()).copied().collect();
    let mut bytes = vec![1, params.log_n().get()];
    bytes.extend(limbs.to_le_bytes());
    bytes.extend(rows.to_le_bytes());
    (0..limbs).for_each(|limb| bytes.extend(limb.to_le_bytes()));
    for prime in primes.iter().take(usize::from(limbs)) {
        let bits = (64 - prime.leading_zeros()) as usize;
        let mut row = vec![0; (params.n() * bits).div_ceil(8)];
        (0..params.n()).for_each(|residue| row[residue * bits / 8] |= 1 << (residue * bits % 8));
        (0..rows).for_each(|_| bytes.extend(&row));
    }
    bytes
}

/// For each target what it must accept.
fn accepted(target: &str) -> Vec<Vec<u8>> {
    use v1::from_client::What as C;
    use v1::from_server::What as S;
    let hello = |keys: Option<Digest>| {
        let hello = Hello {
            model: "digits".into(),
            program: Digest([1; 32]),
            images: 7,
            evaluation_keys: keys,
            public_key: keys,
            deadline: keys.map(|_| Duration::from_secs(9)),
            resume: keys.map(|_| SessionId([4; 16])),
        };
        v1::Hello::from(hello)
    };
    let welcome: v1::Welcome =
        Welcome { session: SessionId([7; 16]), resumed: true, evaluation_keys_wanted: true, public_key_wanted: false }
            .into();
    let scale = fuzz::params().scale();
    let group = |i| RefreshGroup { inputs: vec![2 * i, 2 * i + 1], outputs: vec![i] };
    let refresh = |function, groups| Asked::Refresh { node: 3, function, groups, bytes: 100 };
    let asks: Vec<v1::Ask> = [
        Asked::Input { input: 1, elements: vec![3, 783] },
        refresh(ClientFunction::Relu, None),
        refresh(ClientFunction::BoundedRelu { max: 6.0 }, None),
        refresh(ClientFunction::Max, Some(vec![group(0), group(1)])),
    ]
    .into_iter()
    .map(|what| Ask { sequence: 9, results: 2, level: Level::new(1), scale, what }.try_into().unwrap())
    .collect();
    let part = || parts(5, &bytes::Bytes::from(vec![6; 100])).next().unwrap();
    let place = |level: u8| [&[level][..], &scale.get().to_bits().to_le_bytes()].concat();
    let count = |values: u32| values.to_le_bytes().to_vec();
    let one = |message: &dyn Fn() -> Vec<u8>| vec![message()];
    match target {
        "from_client" => [
            C::Hello(hello(None)),
            C::EvaluationKeys(part()),
            C::PublicKey(part()),
            C::Answer(part()),
            C::Cancel(v1::Cancel {}),
        ]
        .map(|what| v1::FromClient { what: Some(what) }.encode_to_vec())
        .to_vec(),
        "from_server" => {
            let asks = asks.into_iter().map(S::Ask);
            let rest = [S::Welcome(welcome), S::Tile(part()), S::Output(part()), S::Done(v1::Done {})];
            asks.chain(rest).map(|what| v1::FromServer { what: Some(what) }.encode_to_vec()).collect()
        }
        "hello" => vec![hello(None).encode_to_vec(), hello(Some(Digest([2; 32]))).encode_to_vec()],
        "welcome" => one(&|| welcome.encode_to_vec()),
        "ask" => asks.iter().map(Message::encode_to_vec).collect(),
        "parts" => {
            let cut =
                |from: usize, to: usize| v1::Part { offset: from as u64, data: vec![6; to - from].into(), ..part() };
            let whole = |parts: &[v1::Part]| parts.iter().flat_map(Message::encode_length_delimited_to_vec).collect();
            vec![whole(&[part()]), whole(&[cut(0, 40), cut(40, 99), cut(99, 100), part()])]
        }
        "description" => one(&|| v1::Description::from(&*fuzz::MODEL).encode_to_vec()),
        "models_request" => one(&|| v1::ModelsRequest { protocol: protocol::PROTOCOL }.encode_to_vec()),
        "models_reply" => one(&|| v1::ModelsReply { names: vec!["digits".into(), "dogs".into()] }.encode_to_vec()),
        "describe_request" => {
            one(&|| v1::DescribeRequest { protocol: protocol::PROTOCOL, model: "digits".into() }.encode_to_vec())
        }
        "parameters" => one(&|| params_to_bytes(&fuzz::params())),
        "ciphertext" => {
            let body = |components: u8, values: u32, level: u8| {
                let rows = tensor(u32::from(components) * values, u16::from(level) + 1);
                [place(level), vec![components], count(values), rows].concat()
            };
            vec![body(2, 1, 0), body(2, 3, 1), body(3, 1, 1)]
        }
        "seeded_ciphertext" => {
            let body = |values: u32| [place(1), count(values), vec![7; 32], vec![0; 8], tensor(values, 2)].concat();
            vec![body(1), body(3)]
        }
        "evaluation_keys" => {
            let params = fuzz::params();
            let (digits, limbs) = (params.q().len() as u32, (params.q().len() + params.p().len()) as u16);
            let key = |seed: u8, rows: u32| [vec![1], vec![seed; 32], tensor(rows, limbs), count(0)].concat();
            vec![[vec![0], count(0)].concat(), key(7, digits), key(0, 2 * digits)]
        }
        "public_key" => vec![[vec![7; 32], tensor(1, 3)].concat(), [vec![0; 32], tensor(2, 3)].concat()],
        other => panic!("nothing is known to be accepted by {other}"),
    }
}

#[test]
fn every_target_accepts_what_it_should_and_refuses_it_cut_or_lengthened() {
    for (name, target) in fuzz::TARGETS {
        for (index, sample) in accepted(name).iter().enumerate() {
            assert!(target(sample), "{name} refuses sample {index}");
            for len in 0..sample.len() {
                target(&sample[..len]);
            }
            let mut flipped = sample.clone();
            for byte in 0..sample.len().min(400) {
                for bit in [0, 3, 7] {
                    flipped[byte] ^= 1 << bit;
                    target(&flipped);
                    flipped[byte] ^= 1 << bit;
                }
            }
            if std::env::var_os("HENGE_BLESS").is_some() {
                let folder = corpus().join(name);
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join(format!("sample_{index}")), sample).unwrap();
            }
        }
        // Nothing accepts noise.
        assert!(!target(&[0xff; 40]), "{name} accepts noise");
    }
}

#[test]
fn the_corpus_is_replayed() {
    let mut total = 0;
    for (name, _) in fuzz::TARGETS {
        let folder = corpus().join(name);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("no corpus at {}: {error}", folder.display()));
        let (mut seen, mut taken) = (0, 0);
        for file in files {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            taken += usize::from(fuzz::run(name, &bytes));
            seen += 1;
        }
        println!("{name}: {seen} files, {taken} accepted");
        assert!(taken > 0, "{name}: no file of {seen} is accepted");
        total += seen;
    }
    assert!(total >= fuzz::TARGETS.len());
}
