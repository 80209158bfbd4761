//! What every target checks: bytes are refused, or read as something that is written and read again the same, and nothing panics.
//!
//! An ordinary test (`protocol/tests/corpus.rs`) is made of this very file: it replays the corpus on every run.

use std::sync::{Arc, LazyLock};

use he_ckks::{CiphertextTensor, CkksContext, SeededCiphertextTensor};
use he_params::{CkksParams, CkksParamsLiteral, Level, ModulusChain, Packing, RequiredSecurity};
use he_rlwe::wire::{WireObject, params_from_bytes, params_to_bytes};
use he_rlwe::{EvaluationKeys, PublicKey};
use prost::Message;
use protocol::{
    Ask, Assembly, Description, Digest, Hello, Port, ProtocolError, Welcome, check_protocol, model_names, v1,
};

/// Reads bytes; whether they were accepted.
pub type Target = fn(&[u8]) -> bool;

/// Every target, by the name of its program and of its corpus.
pub const TARGETS: [(&str, Target); 15] = [
    ("from_client", from_client),
    ("from_server", from_server),
    ("hello", hello),
    ("welcome", welcome),
    ("ask", ask),
    ("parts", parts),
    ("description", description),
    ("models_request", models_request),
    ("models_reply", models_reply),
    ("describe_request", describe_request),
    ("parameters", parameters),
    ("ciphertext", ciphertext),
    ("seeded_ciphertext", seeded_ciphertext),
    ("evaluation_keys", evaluation_keys),
    ("public_key", public_key),
];

/// Parameters so small that whole objects fit a corpus.
pub fn params() -> CkksParams {
    let mut literal = CkksParamsLiteral::new(4, ModulusChain::Bits(vec![30, 26]), ModulusChain::Bits(vec![30]), 26.0);
    literal.security = RequiredSecurity::Insecure;
    CkksParams::try_from(literal).expect("parameters that are no secret's")
}

static CONTEXT: LazyLock<Arc<CkksContext>> =
    LazyLock::new(|| CkksContext::new(params()).expect("a context of these parameters"));

/// The model that requests are held against.
pub static MODEL: LazyLock<Description> = LazyLock::new(|| {
    let params = params();
    let port = |name: &str| Port {
        name: name.into(),
        shape: vec![1, 28, 28],
        level: Level::new(1),
        scale: params.scale(),
        range: None,
    };
    Description {
        model: "digits".into(),
        program: Digest([8; 32]),
        packing: Packing::Complex,
        inputs: vec![port("x"), port("y")],
        outputs: vec![port("z")],
        relinearizes: true,
        refreshes: 2,
        tile_values: 1 << 10,
        wants_public_key: true,
        params: params.clone(),
    }
});

/// Encoded and decoded again.
fn travelled<M: Message + Default>(message: &M) -> M {
    M::decode(message.encode_to_vec().as_slice()).expect("what was just encoded")
}

fn hello(bytes: &[u8]) -> bool {
    let Ok(Ok(hello)) = v1::Hello::decode(bytes).map(Hello::try_from) else { return false };
    let again = Hello::try_from(travelled(&v1::Hello::from(hello.clone())));
    assert_eq!(again.expect("what was accepted before"), hello);
    true
}

fn welcome(bytes: &[u8]) -> bool {
    let Ok(Ok(welcome)) = v1::Welcome::decode(bytes).map(Welcome::try_from) else { return false };
    let again = Welcome::try_from(travelled(&v1::Welcome::from(welcome)));
    assert_eq!(again.expect("what was accepted before"), welcome);
    true
}

fn ask(bytes: &[u8]) -> bool {
    let Ok(Ok(ask)) = v1::Ask::decode(bytes).map(|ask| Ask::check(ask, &MODEL)) else { return false };
    assert!(ask.results <= MODEL.tile_values);
    let message = v1::Ask::try_from(ask.clone()).expect("what was accepted before");
    assert_eq!(Ask::check(travelled(&message), &MODEL).expect("what was accepted before"), ask);
    true
}

fn description(bytes: &[u8]) -> bool {
    let Ok(Ok(description)) = v1::Description::decode(bytes).map(Description::try_from) else { return false };
    let again = Description::try_from(travelled(&v1::Description::from(&description)));
    assert_eq!(again.expect("what was accepted before"), description);
    true
}

fn models_request(bytes: &[u8]) -> bool {
    v1::ModelsRequest::decode(bytes).is_ok_and(|m| travelled(&m) == m && check_protocol(m.protocol).is_ok())
}

fn models_reply(bytes: &[u8]) -> bool {
    let Ok(Ok(names)) = v1::ModelsReply::decode(bytes).map(model_names) else { return false };
    let again = model_names(travelled(&v1::ModelsReply { names: names.clone() }));
    assert_eq!(again.expect("what was accepted before"), names);
    true
}

fn describe_request(bytes: &[u8]) -> bool {
    v1::DescribeRequest::decode(bytes).is_ok_and(|m| travelled(&m) == m && check_protocol(m.protocol).is_ok())
}

/// Longest object that is put together.
const MOST: u64 = 1 << 16;

/// Parts behind one another, each with its length before it: what comes out is what the parts hold.
fn parts(mut bytes: &[u8]) -> bool {
    let (mut assembly, mut expected, mut whole) = (Assembly::default(), Vec::new(), false);
    while let Ok(part) = v1::Part::decode_length_delimited(&mut bytes) {
        expected.extend_from_slice(&part.data);
        match assembly.take(part, |_| Ok::<_, ProtocolError>(MOST)) {
            Ok(None) => {}
            Ok(Some((_, object))) => {
                assert!(object.len() as u64 <= MOST);
                assert_eq!(object, expected);
                expected.clear();
                whole = true;
            }
            Err(_) => return false,
        }
    }
    whole
}

/// One part, as the receiver of a stream meets it first.
fn first_part(part: v1::Part) -> bool {
    Assembly::default().take(part, |_| Ok::<_, ProtocolError>(MOST)).is_ok()
}

fn from_client(bytes: &[u8]) -> bool {
    use v1::from_client::What;
    let Ok(message) = v1::FromClient::decode(bytes) else { return false };
    assert_eq!(travelled(&message), message);
    match message.what {
        Some(What::Hello(message)) => hello(&message.encode_to_vec()),
        Some(What::EvaluationKeys(part) | What::PublicKey(part) | What::Answer(part)) => first_part(part),
        Some(What::Cancel(_)) => true,
        None => false,
    }
}

fn from_server(bytes: &[u8]) -> bool {
    use v1::from_server::What;
    let Ok(message) = v1::FromServer::decode(bytes) else { return false };
    match message.what {
        Some(What::Welcome(message)) => welcome(&message.encode_to_vec()),
        Some(What::Ask(message)) => ask(&message.encode_to_vec()),
        Some(What::Tile(part) | What::Output(part)) => first_part(part),
        Some(What::Done(_)) => true,
        None => false,
    }
}

fn parameters(bytes: &[u8]) -> bool {
    let Ok(params) = params_from_bytes(bytes) else { return false };
    assert_eq!(params_to_bytes(&params), bytes);
    true
}

/// A body that is read is the only one of its object.
fn body<T: WireObject>(context: &T::Context, bytes: &[u8]) -> bool {
    let Ok(object) = T::from_body(context, bytes) else { return false };
    assert_eq!(object.to_body(context).expect("an object of this context"), bytes);
    true
}

fn ciphertext(bytes: &[u8]) -> bool {
    body::<CiphertextTensor>(&CONTEXT, bytes)
}

/// What a server does with an answer: it is read, and expanded from its seed.
fn seeded_ciphertext(bytes: &[u8]) -> bool {
    let Ok(fresh) = SeededCiphertextTensor::from_body(&CONTEXT, bytes) else { return false };
    let (values, level, scale) = (fresh.values(), fresh.level(), fresh.scale());
    if let Ok(whole) = fresh.into_expanded(&CONTEXT) {
        assert_eq!((whole.values(), whole.level(), whole.scale()), (values, level, scale));
    }
    body::<SeededCiphertextTensor>(&CONTEXT, bytes)
}

fn evaluation_keys(bytes: &[u8]) -> bool {
    body::<EvaluationKeys>(CONTEXT.rlwe(), bytes)
}

fn public_key(bytes: &[u8]) -> bool {
    body::<PublicKey>(CONTEXT.rlwe(), bytes)
}

/// Runs a target; whether the bytes were accepted.
pub fn run(name: &str, bytes: &[u8]) -> bool {
    let (_, target) = TARGETS.iter().find(|(target, _)| *target == name).expect("a target of this name");
    target(bytes)
}
