//! A server that lies: the client refuses each lie by name before it takes memory for it.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use client::{Client, ClientError, ClientOptions, Description, Images, Inference, Keys};
use he_ckks::{CkksContext, Seed};
use he_ir::{ClientFunction, RefreshGroup};
use he_params::{CkksParams, CkksParamsLiteral, Level, Packing, Scale};
use he_rlwe::wire::WireObject;
use he_secret::{SecretKey, SymmetricEncryptor};
use protocol::v1::from_server::What;
use protocol::v1::inference_server::{Inference as Service, InferenceServer};
use protocol::{Ask, Asked, SessionId, Welcome, limits, parts, v1};
use server::{Model, ModelOptions};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

use crate::networks::{Network, params};

/// Says what it was told to say, whatever it is answered.
#[derive(Clone)]
struct Liar {
    names: Vec<String>,
    description: v1::Description,
    script: Arc<Vec<What>>,
}

#[tonic::async_trait]
impl Service for Liar {
    type InferStream = ReceiverStream<Result<v1::FromServer, Status>>;

    async fn models(&self, _: Request<v1::ModelsRequest>) -> Result<Response<v1::ModelsReply>, Status> {
        Ok(Response::new(v1::ModelsReply { names: self.names.clone() }))
    }

    async fn describe(&self, _: Request<v1::DescribeRequest>) -> Result<Response<v1::Description>, Status> {
        Ok(Response::new(self.description.clone()))
    }

    async fn infer(&self, request: Request<Streaming<v1::FromClient>>) -> Result<Response<Self::InferStream>, Status> {
        let (mut inbound, script) = (request.into_inner(), Arc::clone(&self.script));
        let (outbound, queue) = mpsc::channel(64);
        tokio::spawn(async move {
            let session = SessionId([1; 16]);
            let welcome = Welcome { session, resumed: false, evaluation_keys_wanted: false, public_key_wanted: false };
            let welcome = What::Welcome(welcome.into());
            for what in std::iter::once(&welcome).chain(script.iter()) {
                if outbound.send(Ok(v1::FromServer { what: Some(what.clone()) })).await.is_err() {
                    return;
                }
            }
            while let Ok(Some(_)) = inbound.message().await {}
        });
        Ok(Response::new(ReceiverStream::new(queue)))
    }
}

impl Liar {
    /// A client of it, that allows so much memory where that is said.
    async fn start(self, memory: Option<u64>) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let router = tonic::transport::Server::builder().add_service(InferenceServer::new(self));
        tokio::spawn(router.serve_with_incoming(TcpIncoming::from(listener)));
        let options = ClientOptions::new(&format!("http://{address}")).insecure_no_tls().attempts(1);
        let options = memory.into_iter().fold(options, ClientOptions::memory);
        Client::connect(options.accept_insecure_parameters()).await.unwrap()
    }
}

const FUNCTION: ClientFunction = ClientFunction::BoundedRelu { max: 1.0 };
const KEY: u8 = 1;
const OTHER_KEY: u8 = 2;

/// 6 elements, a bounded ReLU of 4, 3 results.
fn description() -> Description {
    let program = Network::with(FUNCTION).program();
    Model::new("model", &program, params(), ModelOptions::default()).unwrap().description().clone()
}

fn secret(context: &CkksContext, key: u8) -> SecretKey {
    SecretKey::generate(context, &Seed::new([key; 32])).unwrap()
}

/// `values` ciphertexts of one half, under a key.
fn ciphertexts(key: u8, values: usize, level: Level, scale: Scale) -> Bytes {
    let model = description();
    let context = model.context().unwrap();
    let secret = secret(&context, key);
    let mut encryptor = SymmetricEncryptor::new(&context, &secret, &Seed::new([9; 32]));
    let rows = vec![vec![0.5; 3]; values];
    let fresh = encryptor.encrypt_packed_tensor(&rows, model.packing, level, scale).unwrap();
    fresh.into_expanded(&context).unwrap().to_body(&context).unwrap().into()
}

fn tile(key: u8) -> Bytes {
    ciphertexts(key, 4, Level::new(0), params().scale())
}

fn output(key: u8) -> Bytes {
    let port = &description().outputs[0];
    ciphertexts(key, port.elements(), port.level, port.scale)
}

fn ask(sequence: u64, bytes: u64) -> v1::Ask {
    let what = Asked::Refresh { node: 3, function: FUNCTION, groups: None, bytes };
    let ask = Ask { sequence, results: 4, level: Level::new(1), scale: params().scale(), what };
    ask.try_into().unwrap()
}

/// What an honest server of this model could say: one refresh and the output.
fn honest(tile_key: u8, output_key: u8) -> Vec<What> {
    let (tile, output) = (tile(tile_key), output(output_key));
    let mut script = vec![What::Ask(ask(0, tile.len() as u64))];
    script.extend(parts(0, &tile).map(What::Tile));
    script.extend(parts(0, &output).map(What::Output));
    script.push(What::Done(v1::Done {}));
    script
}

/// A client that hears `script` of the model.
async fn hears(model: Description, script: Vec<What>) -> Result<Inference, ClientError> {
    hears_within(None, model, script).await
}

async fn hears_within(memory: Option<u64>, model: Description, script: Vec<What>) -> Result<Inference, ClientError> {
    let description = v1::Description::from(&model);
    let client = Liar { names: vec![], description, script: Arc::new(script) }.start(memory).await;
    let context = model.context()?;
    let keys = Keys::from_parts(Arc::clone(&context), secret(&context, KEY), None, None)?;
    let described = client.describe("model").await?;
    client.infer(&described, &Arc::new(keys), vec![Images::from_image_major(&[0.25; 18], 6)?]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_lie_is_believed() {
    let inference = hears(description(), honest(KEY, KEY)).await.unwrap();
    let found = inference.outputs[0].to_image_major();
    assert_eq!(found.len(), 9);
    assert!(found.iter().all(|x| (x - 0.5).abs() < 1e-3), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_is_refused_by_name() {
    let script = || honest(KEY, KEY);
    let changed = |at: usize, change: &dyn Fn(&mut What)| {
        let mut script = script();
        change(&mut script[at]);
        script
    };
    let part = |what: &mut What, change: &dyn Fn(&mut v1::Part)| match what {
        What::Tile(part) | What::Output(part) => change(part),
        other => panic!("{other:?}"),
    };
    let asked = |what: &mut What, change: &dyn Fn(&mut v1::Ask)| match what {
        What::Ask(ask) => change(ask),
        other => panic!("{other:?}"),
    };
    let huge = |what: &mut v1::Ask| match &mut what.what {
        Some(v1::ask::What::Refresh(tile)) => tile.bytes = limits::OBJECT_BYTES,
        other => panic!("{other:?}"),
    };
    // A tile of four gigabytes, announced by one part.
    let mut four_gigabytes = changed(0, &|what| asked(what, &huge));
    part(&mut four_gigabytes[1], &|part| part.total = limits::OBJECT_BYTES);
    let mut twice = vec![script()[0].clone(), script()[1].clone()];
    twice.extend(script());
    let mut one_more = script();
    one_more.insert(3, script()[2].clone());
    let lies: Vec<(Vec<What>, &str)> = vec![
        (changed(1, &|what| part(what, &|part| part.sequence = 7)), "part sequence 7, expected 0"),
        (changed(2, &|what| part(what, &|part| part.sequence = 7)), "part sequence 7, expected 0"),
        (changed(2, &|what| part(what, &|part| part.total = 1 << 40)), "bytes of an object"),
        (changed(0, &|what| asked(what, &|ask| ask.results = 5)), "results: 5, at most"),
        (four_gigabytes, "bytes of an object: 4294967296, at most"),
        (twice, "sequence of a request is 0 once more"),
        (one_more, "one output too many"),
        (vec![What::Done(v1::Done {})], "Done, expected a request"),
        (script()[1..].to_vec(), "a part of a tile, expected a request"),
        (vec![script()[0].clone(), script()[0].clone()], "a request, expected"),
        (vec![What::Welcome(v1::Welcome::default())], "a Welcome, expected"),
    ];
    for (script, words) in lies {
        let error = hears(Description { tile_values: 4, ..description() }, script).await.unwrap_err();
        assert!(error.to_string().contains(words), "expected {words:?}, found {error}");
    }
    // Nothing is refreshed for a model that was described to refresh nothing.
    let error = hears(Description { refreshes: 0, ..description() }, script()).await.unwrap_err();
    assert!(error.to_string().contains("a refresh, expected requests for inputs alone"), "{error}");
    // An output of another level or number than described.
    let other = ciphertexts(KEY, 3, Level::new(2), params().scale());
    let mut wrong = script();
    wrong.splice(2..3, parts(0, &other).map(What::Output));
    let error = hears(description(), wrong).await.unwrap_err();
    assert!(error.to_string().contains("is not what the model was described to give"), "{error}");
}

/// Whatever would take more memory than the client allows is refused before it is there, by both numbers.
#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_before_it_is_taken() {
    fn refused(result: Result<Inference, ClientError>, whose: &str, most: u64, expected: std::ops::Range<u64>) {
        let error = result.unwrap_err();
        let ClientError::Memory { what, needed, limit } = error else { panic!("{error}") };
        assert!((what, limit) == (whose, most) && expected.contains(&needed), "{error}");
        assert!(error.to_string().contains(&format!("take {needed} bytes of memory here, at most {limit}")), "{error}");
    }
    // The most ciphertexts of a large degree, two images to a slot: numbers of values and results alone are 69 gigabytes.
    let literal = CkksParamsLiteral { log_n: 16, ..params().literal().clone() };
    let (tile_values, params) = (limits::TILE_VALUES, CkksParams::try_from(literal).unwrap());
    let numbers = 2 * 65536 * 65536 * 8;
    let large = Description { params, packing: Packing::Complex, tile_values, ..description() };
    refused(hears(large, vec![]).await, "a request", 8 << 30, numbers..2 * numbers);
    // One ciphertext is sent, and its maximum asked for 65,536 times, at the highest level.
    let groups = (0..tile_values as u32).map(|i| RefreshGroup { inputs: vec![0], outputs: vec![i] }).collect();
    let what = Asked::Refresh { node: 3, function: ClientFunction::Max, groups: Some(groups), bytes: 100 };
    let scale = description().outputs[0].scale;
    let ask = Ask { sequence: 0, results: tile_values, level: Level::new(3), scale, what };
    let script = || vec![What::Ask(ask.clone().try_into().unwrap())];
    let many = || Description { tile_values, ..description() };
    let packed = tile_values as u64 * 2048 * 108 / 8;
    refused(
        hears_within(Some(3_000_000_000), many(), script()).await,
        "a request",
        3_000_000_000,
        2 * packed..3 * packed,
    );
    // The same on a full batch, before anything is asked.
    refused(hears_within(Some(1 << 30), many(), script()).await, "a request", 1 << 30, 1 << 30..3 << 30);
    // Outputs as they were described, and as they come.
    let output = output(KEY).len() as u64;
    let single = Description { tile_values: 1, ..description() };
    let found = hears_within(Some(2 * output), single, vec![]).await;
    refused(found, "the outputs", 2 * output, 2 * output..4 * output);
    let mut longer = honest(KEY, KEY);
    let What::Output(part) = &mut longer[2] else { panic!() };
    part.total *= 5;
    let most = 8 * output;
    refused(hears_within(Some(most), description(), longer).await, "the outputs", most, 5 * 2 * output..5 * 4 * output);
    assert!(hears_within(Some(most), description(), honest(KEY, KEY)).await.is_ok());
    // More ciphertexts in the bytes of a tile than any request has.
    let tile = ciphertexts(KEY, 5, Level::new(0), self::params().scale());
    let group = RefreshGroup { inputs: vec![4], outputs: vec![0] };
    let (groups, bytes) = (Some(vec![group]), tile.len() as u64);
    let what = Asked::Refresh { node: 3, function: ClientFunction::Max, groups, bytes };
    let ask = Ask { sequence: 0, results: 1, level: Level::new(1), scale, what };
    let script = std::iter::once(What::Ask(ask.try_into().unwrap())).chain(parts(0, &tile).map(What::Tile)).collect();
    let error = hears(Description { tile_values: 4, ..description() }, script).await.unwrap_err();
    assert!(error.to_string().contains("5 ciphertexts, at most 4"), "{error}");
    // Ports of nothing: two bytes each on the way.
    let description = v1::Description { inputs: vec![v1::Port::default(); 200_000], ..(&description()).into() };
    let client = Liar { names: vec![], description, script: Arc::default() }.start(None).await;
    let error = client.describe("model").await.unwrap_err();
    assert!(error.to_string().contains("limit is: 262144 bytes"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ciphertexts_under_another_key_never_give_a_result() {
    // The bounded ReLU hides a garbled tile in plausible numbers: what was decrypted tells.
    for script in [honest(OTHER_KEY, KEY), honest(KEY, OTHER_KEY)] {
        let error = hears(description(), script).await.unwrap_err();
        assert!(matches!(error, ClientError::Garbled(1..)), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_version_is_refused_by_both_versions() {
    let description = v1::Description { protocol: 2, ..v1::Description::from(&description()) };
    let client = Liar { names: vec![], description, script: Arc::default() }.start(None).await;
    let error = client.describe("model").await.unwrap_err();
    assert_eq!(error.to_string(), "the server breaks the protocol: protocol 2, this side speaks 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_models_are_bounded() {
    let description = v1::Description::from(&description());
    let many: Vec<String> = (0..=limits::MODELS).map(|i| i.to_string()).collect();
    let lists = [
        (many, "models: 257, at most 256"),
        (vec!["x".repeat(300)], "300, at most 256"),
        (vec!["a".into(); 2], "twice"),
    ];
    for (names, words) in lists {
        let liar = Liar { names, description: description.clone(), script: Arc::default() };
        let error = liar.start(None).await.models().await.unwrap_err();
        assert!(matches!(error, ClientError::Protocol(_)) && error.to_string().contains(words), "{error}");
    }
}
