//! Every message, there and back; and every message mangled, which is refused or read, and never panics.
//!
//! `HENGE_MUTATIONS=1000000 cargo test --release -p protocol --test messages` goes on for longer.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use he_ir::{ClientFunction, RefreshGroup};
use he_params::{CkksParams, Level, Packing, Scale, presets};
use proptest::prelude::*;
use prost::Message;
use protocol::{
    Ask, Asked, Assembly, Description, Digest, Hello, Port, ProtocolError, SessionId, Welcome, check_protocol, limits,
    model_names, parts, v1,
};

fn params() -> CkksParams {
    CkksParams::try_from(presets::preset("N13_L7").unwrap()).unwrap()
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn hello() -> impl Strategy<Value = Hello> {
    let keys = (prop::option::of(digest()), prop::option::of(digest()));
    let rest = (prop::option::of(1..=limits::DEADLINE_MS), prop::option::of(any::<[u8; 16]>()));
    (".{0,60}", digest(), 1usize..1 << 20, keys, rest).prop_map(|(model, program, images, keys, (deadline, resume))| {
        let (evaluation_keys, public_key) = keys;
        let (deadline, resume) = (deadline.map(Duration::from_millis), resume.map(SessionId));
        Hello { model, program, images, evaluation_keys, public_key, deadline, resume }
    })
}

fn welcome() -> impl Strategy<Value = Welcome> {
    any::<([u8; 16], bool, bool, bool)>().prop_map(|(id, resumed, evaluation_keys_wanted, public_key_wanted)| Welcome {
        session: SessionId(id),
        resumed,
        evaluation_keys_wanted,
        public_key_wanted,
    })
}

fn port() -> impl Strategy<Value = Port> {
    let range = prop::option::of((-100.0..0.0, 0.0..100.0));
    (".{0,20}", prop::collection::vec(1usize..9, 0..5), 0u8..6, 1.0f64..1e6, range).prop_map(
        |(name, shape, level, scale, range)| Port {
            name,
            shape,
            level: Level::new(level),
            scale: Scale::new(scale).unwrap(),
            range,
        },
    )
}

fn description() -> impl Strategy<Value = Description> {
    let ports = || prop::collection::vec(port(), 1..4);
    let counts = (any::<u16>(), 1..=limits::TILE_VALUES);
    (".{0,20}", digest(), any::<(bool, bool, bool)>(), counts, ports(), ports()).prop_map(
        |(model, program, (complex, relinearizes, wants_public_key), (refreshes, tile_values), inputs, outputs)| {
            Description {
                model,
                program,
                params: params(),
                packing: if complex { Packing::Complex } else { Packing::Batch },
                inputs,
                outputs,
                relinearizes,
                refreshes: refreshes.into(),
                tile_values,
                wants_public_key,
            }
        },
    )
}

fn function() -> impl Strategy<Value = ClientFunction> {
    prop_oneof![
        Just(ClientFunction::Identity),
        Just(ClientFunction::Relu),
        (0.1f64..9.0).prop_map(|max| ClientFunction::BoundedRelu { max }),
        (-9.0f64..9.0).prop_map(|alpha| ClientFunction::LeakyRelu { alpha }),
        Just(ClientFunction::Sigmoid),
        Just(ClientFunction::Tanh),
        Just(ClientFunction::Exp),
        (-9.0f64..9.0).prop_map(|exponent| ClientFunction::Power { exponent }),
        Just(ClientFunction::Max),
        Just(ClientFunction::ArgMax),
        Just(ClientFunction::Softmax),
        Just(ClientFunction::Divide),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let indices = || prop::collection::vec(any::<u32>(), 1..6);
    let group = (indices(), indices()).prop_map(|(inputs, outputs)| RefreshGroup { inputs, outputs });
    let groups = prop::option::of(prop::collection::vec(group, 1..5));
    let refresh = (any::<u32>(), function(), groups, any::<u64>());
    let refresh = refresh.prop_map(|(node, function, groups, bytes)| Asked::Refresh {
        node: node as usize,
        function,
        groups,
        bytes,
    });
    let elements = prop::collection::vec(0u32..784, 0..6);
    let input = (0usize..2, elements).prop_map(|(input, elements)| Asked::Input { input, elements });
    (any::<u64>(), 0..=limits::TILE_VALUES, 0u8..6, 1.0f64..1e6, prop_oneof![refresh, input]).prop_map(
        |(sequence, results, level, scale, what)| {
            let results = match &what {
                Asked::Input { elements, .. } => elements.len(),
                Asked::Refresh { groups, .. } => results.max(groups.as_ref().map_or(0, Vec::len)),
            };
            Ask { sequence, results, level: Level::new(level), scale: Scale::new(scale).unwrap(), what }
        },
    )
}

/// The model that requests are held against.
fn model() -> Description {
    let bytes = samples().into_iter().find(|(name, _)| *name == "description").unwrap().1;
    Description::try_from(v1::Description::decode(bytes.as_slice()).unwrap()).unwrap()
}

fn part() -> impl Strategy<Value = v1::Part> {
    (any::<(u64, u64, u64)>(), prop::collection::vec(any::<u8>(), 0..200))
        .prop_map(|((sequence, total, offset), data)| v1::Part { sequence, total, offset, data: data.into() })
}

fn from_client() -> impl Strategy<Value = v1::from_client::What> {
    use v1::from_client::What;
    prop_oneof![
        hello().prop_map(|hello| What::Hello(hello.into())),
        part().prop_map(What::EvaluationKeys),
        part().prop_map(What::PublicKey),
        part().prop_map(What::Answer),
        Just(What::Cancel(v1::Cancel {})),
    ]
}

fn from_server() -> impl Strategy<Value = v1::from_server::What> {
    use v1::from_server::What;
    prop_oneof![
        welcome().prop_map(|welcome| What::Welcome(welcome.into())),
        ask().prop_map(|ask| What::Ask(ask.try_into().unwrap())),
        part().prop_map(What::Tile),
        part().prop_map(What::Output),
        Just(What::Done(v1::Done {})),
    ]
}

/// Encoded and decoded again.
fn travelled<M: Message + Default + PartialEq>(message: &M) -> M {
    let bytes = message.encode_to_vec();
    assert!(bytes.len() <= limits::MESSAGE_BYTES);
    M::decode(bytes.as_slice()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hellos_come_back(hello in hello()) {
        let back = Hello::try_from(travelled(&v1::Hello::from(hello.clone()))).unwrap();
        prop_assert_eq!(back, hello);
    }

    #[test]
    fn welcomes_come_back(welcome in welcome()) {
        prop_assert_eq!(Welcome::try_from(travelled(&v1::Welcome::from(welcome))).unwrap(), welcome);
    }

    #[test]
    fn descriptions_come_back(description in description()) {
        let back = Description::try_from(travelled(&v1::Description::from(&description))).unwrap();
        prop_assert_eq!(v1::Description::from(&back), v1::Description::from(&description));
        prop_assert_eq!(&back.inputs, &description.inputs);
        prop_assert_eq!(back.capacity(), description.capacity());
    }

    #[test]
    fn asks_come_back(ask in ask()) {
        let sent = v1::Ask::try_from(ask.clone()).unwrap();
        prop_assert_eq!(Ask::check(travelled(&sent), &model()).unwrap(), ask);
    }

    #[test]
    fn whole_messages_of_clients_come_back(what in from_client()) {
        let message = v1::FromClient { what: Some(what) };
        prop_assert_eq!(travelled(&message), message);
    }

    #[test]
    fn whole_messages_of_servers_come_back(what in from_server()) {
        let message = v1::FromServer { what: Some(what) };
        prop_assert_eq!(travelled(&message), message);
    }

    #[test]
    fn requests_come_back(protocol in any::<u32>(), model in ".{0,60}") {
        let models = v1::ModelsRequest { protocol };
        prop_assert_eq!(travelled(&models), models);
        let describe = v1::DescribeRequest { protocol, model };
        prop_assert_eq!(travelled(&describe), describe);
        prop_assert_eq!(check_protocol(protocol).is_ok(), protocol == protocol::PROTOCOL);
    }

    #[test]
    fn lists_of_models_come_back(names in prop::collection::hash_set(".{1,60}", 0..20)) {
        let names: Vec<String> = names.into_iter().collect();
        let reply = travelled(&v1::ModelsReply { names: names.clone() });
        prop_assert_eq!(model_names(reply).unwrap(), names);
    }

    #[test]
    fn objects_come_back_from_their_parts(sequence in any::<u64>(), len in 0usize..3 * limits::PART_BYTES) {
        let object = bytes::Bytes::from((0..len).map(|i| (i % 251) as u8).collect::<Vec<_>>());
        let mut assembly = Assembly::default();
        let mut made = None;
        for part in parts(sequence, &object) {
            prop_assert!(made.is_none());
            made = assembly.take(travelled(&part), |_| Ok::<_, ProtocolError>(len as u64)).unwrap();
        }
        prop_assert_eq!(made, Some((sequence, object)));
    }
}

/// What a receiver does with bytes; whether any of it was accepted.
fn read(bytes: &[u8], model: &Description) -> bool {
    let mut accepted = false;
    if let Ok(v1::FromClient { what: Some(what) }) = v1::FromClient::decode(bytes) {
        use v1::from_client::What;
        accepted |= match what {
            What::Hello(hello) => Hello::try_from(hello).is_ok(),
            What::EvaluationKeys(part) | What::PublicKey(part) | What::Answer(part) => {
                Assembly::default().take(part, |_| Ok::<_, ProtocolError>(1 << 20)).is_ok()
            }
            What::Cancel(_) => true,
        };
    }
    if let Ok(v1::FromServer { what: Some(what) }) = v1::FromServer::decode(bytes) {
        use v1::from_server::What;
        accepted |= match what {
            What::Welcome(welcome) => Welcome::try_from(welcome).is_ok(),
            What::Ask(ask) => Ask::check(ask, model).is_ok(),
            What::Tile(part) | What::Output(part) => {
                Assembly::default().take(part, |_| Ok::<_, ProtocolError>(1 << 20)).is_ok()
            }
            What::Done(_) => true,
        };
    }
    accepted |= v1::Description::decode(bytes).is_ok_and(|d| Description::try_from(d).is_ok());
    accepted |= v1::ModelsReply::decode(bytes).is_ok_and(|m| model_names(m).is_ok());
    accepted |= v1::ModelsRequest::decode(bytes).is_ok_and(|m| check_protocol(m.protocol).is_ok());
    accepted |= v1::DescribeRequest::decode(bytes).is_ok_and(|m| check_protocol(m.protocol).is_ok());
    accepted
}

/// One message of every kind, encoded as it travels.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    use v1::from_client::What as C;
    use v1::from_server::What as S;
    let client = |what| v1::FromClient { what: Some(what) }.encode_to_vec();
    let server = |what| v1::FromServer { what: Some(what) }.encode_to_vec();
    let hello = v1::Hello::from(Hello {
        model: "digits".into(),
        program: Digest([1; 32]),
        images: 7,
        evaluation_keys: Some(Digest([2; 32])),
        public_key: Some(Digest([3; 32])),
        deadline: Some(Duration::from_secs(9)),
        resume: Some(SessionId([4; 16])),
    });
    let part = || parts(5, &bytes::Bytes::from(vec![6; 100])).next().unwrap();
    let welcome =
        Welcome { session: SessionId([7; 16]), resumed: true, evaluation_keys_wanted: true, public_key_wanted: false };
    let port = |range| Port {
        name: "x".into(),
        shape: vec![1, 28, 28],
        level: Level::new(3),
        scale: Scale::new(1e6).unwrap(),
        range,
    };
    let description = Description {
        model: "digits".into(),
        program: Digest([8; 32]),
        params: params(),
        packing: Packing::Complex,
        inputs: vec![port(Some((0.0, 1.0))), port(None)],
        outputs: vec![port(None)],
        relinearizes: true,
        refreshes: 2,
        tile_values: limits::TILE_VALUES,
        wants_public_key: true,
    };
    let ask = |what| {
        let ask = Ask { sequence: 9, results: 2, level: Level::new(1), scale: Scale::new(1e6).unwrap(), what };
        v1::Ask::try_from(ask).unwrap()
    };
    let group = |i| RefreshGroup { inputs: vec![2 * i, 2 * i + 1], outputs: vec![i] };
    let groups = Some(vec![group(0), group(1)]);
    vec![
        ("hello", client(C::Hello(hello))),
        ("evaluation keys", client(C::EvaluationKeys(part()))),
        ("public key", client(C::PublicKey(part()))),
        ("answer", client(C::Answer(part()))),
        ("cancel", client(C::Cancel(v1::Cancel {}))),
        ("welcome", server(S::Welcome(welcome.into()))),
        ("ask for an input", server(S::Ask(ask(Asked::Input { input: 0, elements: vec![3, 4] })))),
        (
            "ask for a refresh",
            server(S::Ask(ask(Asked::Refresh { node: 3, function: ClientFunction::Max, groups, bytes: 100 }))),
        ),
        ("tile", server(S::Tile(part()))),
        ("output", server(S::Output(part()))),
        ("done", server(S::Done(v1::Done {}))),
        ("description", v1::Description::from(&description).encode_to_vec()),
        ("models", v1::ModelsRequest { protocol: 1 }.encode_to_vec()),
        ("names", v1::ModelsReply { names: vec!["digits".into(), "dogs".into()] }.encode_to_vec()),
        ("describe", v1::DescribeRequest { protocol: 1, model: "digits".into() }.encode_to_vec()),
    ]
}

#[test]
fn mangled_messages_are_refused_or_read() {
    let count: u64 = std::env::var("HENGE_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000);
    let (model, samples) = (model(), samples());
    let mut state = 1u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below.max(1)
    };
    for (name, sample) in &samples {
        assert!(read(sample, &model), "{name} itself is refused");
        let mut refused = 0;
        for _ in 0..count {
            let mut bytes = sample.clone();
            for _ in 0..1 + next(3) {
                let at = next(bytes.len());
                match (next(5), bytes.len()) {
                    (_, 0) => bytes.push(next(256) as u8),
                    (0, _) => bytes[at] ^= 1 << next(8),
                    (1, _) => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][next(5)],
                    (2, _) => bytes.truncate(at),
                    (3, _) => bytes.insert(at, next(256) as u8),
                    // A length or count far beyond the message.
                    (_, _) => drop(bytes.splice(at..at, [0xff, 0xff, 0xff, 0xff, 0x0f])),
                }
            }
            refused += u64::from(!read(&bytes, &model));
        }
        println!("{name}: {refused} of {count} mutations refused");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes, &model());
    }
}

#[test]
fn every_refusal_names_its_field() {
    let hello = |change: fn(&mut v1::Hello)| {
        let mut hello = v1::Hello { protocol: 1, program: vec![0; 32], images: 1, ..v1::Hello::default() };
        change(&mut hello);
        Hello::try_from(hello).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(hello(|_| {}), Ok(()));
    assert_eq!(hello(|h| h.protocol = 0).unwrap_err(), "protocol 0, this side speaks 1");
    assert_eq!(hello(|h| h.images = 0).unwrap_err(), "number of images is missing");
    assert_eq!(hello(|h| h.public_key = vec![0; 5]).unwrap_err(), "public key of 5 bytes, expected 32");
    let description = |change: fn(&mut v1::Description)| {
        let bytes = samples().into_iter().find(|(name, _)| *name == "description").unwrap().1;
        let mut description = v1::Description::decode(bytes.as_slice()).unwrap();
        change(&mut description);
        Description::try_from(description).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(description(|_| {}), Ok(()));
    assert!(description(|d| d.parameters = vec![0; 5000]).unwrap_err().contains("at most 4096"));
    assert!(description(|d| d.parameters[60] ^= 1).unwrap_err().contains("checksum"));
    assert!(description(|d| d.packing = 0).unwrap_err().contains("packing"));
    assert!(description(|d| d.inputs.clear()).unwrap_err().contains("inputs is missing"));
    assert!(description(|d| d.inputs[0].level = 99).unwrap_err().contains("level"));
    assert!(description(|d| d.inputs[0].scale = f64::INFINITY).unwrap_err().contains("scale"));
    assert!(description(|d| d.inputs[0].shape = vec![u32::MAX; 2]).unwrap_err().contains("shape"));
    assert!(description(|d| d.inputs[0].shape = vec![1; 9]).unwrap_err().contains("dimensions"));
    assert!(description(|d| d.inputs[0].low = None).unwrap_err().contains("range"));
    assert!(description(|d| d.tile_values = 0).unwrap_err().contains("ciphertexts of a request is missing"));
    assert!(description(|d| d.tile_values = 1 << 20).unwrap_err().contains("at most 65536"));
    assert!(description(|d| d.outputs = vec![d.outputs[0].clone(); 257]).unwrap_err().contains("at most 256"));
    let too_many = Asked::Input { input: 0, elements: vec![] };
    let ask = Ask {
        sequence: 0,
        results: limits::TILE_VALUES + 1,
        level: Level::new(0),
        scale: Scale::new(2.0).unwrap(),
        what: too_many,
    };
    assert!(v1::Ask::try_from(ask).unwrap_err().to_string().contains("results"));
    let groups = |change: fn(&mut v1::RefreshTile)| {
        let (function, reads, writes) = (v1::Function::Max as i32, vec![2, 1], vec![1, 1]);
        let (inputs, outputs) = (vec![0, 1, 2], vec![0, 1]);
        let mut tile = v1::RefreshTile { function, reads, writes, inputs, outputs, ..v1::RefreshTile::default() };
        change(&mut tile);
        let what = Some(v1::ask::What::Refresh(tile));
        let ask = v1::Ask { sequence: 0, results: 2, level: 0, scale: 2.0, what };
        Ask::check(ask, &model()).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(groups(|_| {}), Ok(()));
    // A million groups of nothing are two megabytes.
    assert_eq!(groups(|t| t.reads = vec![0; 1 << 20]).unwrap_err(), "groups: 1048576, at most 2");
    let reads_nothing = groups(|t| (t.reads, t.inputs) = (vec![3, 0], vec![0; 3]));
    assert_eq!(reads_nothing.unwrap_err(), "groups is empty at 1, expected each to read and to write");
    let writes_nothing = groups(|t| (t.writes, t.outputs) = (vec![0, 2], vec![0; 2]));
    assert_eq!(writes_nothing.unwrap_err(), "groups is empty at 0, expected each to read and to write");
    let done = ProtocolError::Unexpected { found: "Done", expected: "a request" };
    assert_eq!(done.to_string(), "Done, expected a request");
}
