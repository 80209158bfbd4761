//! Strangers, liars and the greedy: each is answered with a status and a reason.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut};
use client::{Client, ClientError, ClientOptions, Images, Keys};
use execute::StreamOptions;
use he_rlwe::{EvaluationKeys, PublicKey};
use prost::Message;
use protocol::v1::inference_client::InferenceClient;
use protocol::v1::{from_client::What, from_server};
use protocol::{Ask, PROTOCOL, limits, v1};
use server::{Model, ModelOptions};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::networks::{Network, numbers, params};
use crate::party::{OTHER_TOKEN, Party, RELU, SQUARE, Setup, TOKEN, certificates, strangers};
use crate::results::check;

fn images(count: usize) -> Vec<Images> {
    vec![Images::from_image_major(&numbers(6 * count, 1), 6).unwrap()]
}

fn code(error: &ClientError) -> Option<Code> {
    match error {
        ClientError::Refused { code, .. } => Some(*code),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_and_none() {
    let party = Setup::new().start();
    for options in [party.options().token("guess"), party.options().token("")] {
        let error = Client::connect(options).await.unwrap().models().await.unwrap_err();
        assert_eq!(code(&error), Some(Code::Unauthenticated), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_strangers_on_either_side() {
    let party = Setup { certificates: true, ..Setup::new() }.start();
    let url = format!("https://localhost:{}", party.address.port());
    // The client does not trust the server.
    let suspicious = ClientOptions::new(&url).authority(strangers().authority.as_bytes()).token(TOKEN);
    assert!(matches!(Client::connect(suspicious).await.unwrap_err(), ClientError::Connect(_)));
    // The server does not trust the client: TLS 1.3 says so after the client thinks that it is in.
    let (certificate, key) = &strangers().client;
    let stranger = ClientOptions::new(&url)
        .authority(certificates().authority.as_bytes())
        .identity(certificate.as_bytes(), key.as_bytes());
    if let Ok(client) = Client::connect(stranger).await {
        assert!(client.models().await.is_err());
    }
    // The wrong name.
    let renamed = party.options().server_name("elsewhere.example");
    assert!(matches!(Client::connect(renamed).await.unwrap_err(), ClientError::Connect(_)));
    check(&party.client().await, SQUARE, &Network::square(), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plaintext_is_refused_by_both_sides() {
    let party = Setup::new().start();
    let port = party.address.port();
    for url in [format!("http://127.0.0.1:{port}"), "http://192.0.2.1:80".to_owned(), "ftp://x".to_owned()] {
        let error = Client::connect(ClientOptions::new(&url)).await.unwrap_err();
        assert!(matches!(error, ClientError::Plaintext(_)), "{url}: {error}");
    }
    let beyond = ClientOptions::new("http://192.0.2.1:80").insecure_no_tls();
    assert!(matches!(Client::connect(beyond).await.unwrap_err(), ClientError::Plaintext(_)));
    // A client that insists is not heard.
    let bold = Client::connect(ClientOptions::new(&format!("http://127.0.0.1:{port}")).insecure_no_tls()).await;
    if let Ok(client) = bold {
        assert!(client.models().await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_minds_what_it_sends() {
    let party = Setup::new().start();
    let client = party.client().await;
    let model = client.describe(SQUARE).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let infer = |inputs| client.infer(&model, &keys, inputs);
    assert!(matches!(infer(vec![]).await, Err(ClientError::Inputs { expected: 1, found: 0 })));
    let narrow = vec![Images::from_image_major(&[0.0; 5], 5).unwrap()];
    assert!(matches!(infer(narrow).await, Err(ClientError::Input { found: 5, expected: 6, .. })));
    let many = vec![Images::from_image_major(&vec![0.0; 6 * 1025], 6).unwrap()];
    assert!(matches!(infer(many).await, Err(ClientError::Input { what: "images", found: 1025, expected: 1024, .. })));
    for wrong in [1.01, f64::NAN] {
        let far = vec![Images::from_image_major(&[0.0, 0.0, wrong, 0.0, 0.0, 0.0], 6).unwrap()];
        assert!(matches!(infer(far).await, Err(ClientError::Range { element: 2, image: 0, .. })));
    }
    // Keys that lack what the model needs.
    let relu = client.describe(RELU).await.unwrap();
    let bare = Arc::new(Keys::generate(&relu).unwrap());
    assert!(matches!(client.infer(&model, &bare, images(1)).await, Err(ClientError::NoKey("evaluation keys"))));
    // Parameters below 128 bits, not asked for.
    let careful = ClientOptions::new(&format!("https://localhost:{}", party.address.port()))
        .authority(certificates().authority.as_bytes())
        .token(TOKEN);
    let careful = Client::connect(careful).await.unwrap();
    assert!(matches!(careful.describe(SQUARE).await, Err(ClientError::Insecure { .. })));
    let error = client.describe("no such model").await.unwrap_err();
    assert_eq!(code(&error), Some(Code::NotFound), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_than_the_one_described() {
    let party = Setup::new().start();
    let client = party.client().await;
    let model = client.describe(SQUARE).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let mut other = model.clone();
    other.program.0[0] ^= 1;
    let error = client.infer(&other, &keys, images(1)).await.unwrap_err();
    assert_eq!(code(&error), Some(Code::FailedPrecondition), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn budgets_and_quotas() {
    let mut setup = Setup::new();
    setup.limits.images_per_client = 2500;
    let party = setup.start();
    let client = party.client().await;
    let model = client.describe(RELU).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    assert_eq!(model.capacity(), 1024);
    // Whoever declares one image may have filled every slot, and is charged with all of them.
    for _ in 0..2 {
        client.infer(&model, &keys, images(1)).await.unwrap();
    }
    let error = client.infer(&model, &keys, images(1)).await.unwrap_err();
    let words = "budget is 2500 images, 2048 are used and one inference carries 1024";
    assert!(error.to_string().contains(words), "{error}");
    assert_eq!(code(&error), Some(Code::ResourceExhausted));
    assert_eq!(party.metric("henge_images_total"), 2.0);
    // Somebody else's budget is another.
    let lab = Client::connect(party.options().token(OTHER_TOKEN)).await.unwrap();
    lab.infer(&model, &keys, images(4)).await.unwrap();
    drop(party);

    let mut setup = Setup::new();
    setup.limits.inferences_per_client = 2;
    let party = setup.start();
    let client = party.client().await;
    for _ in 0..2 {
        client.infer(&model, &keys, images(1)).await.unwrap();
    }
    let error = client.infer(&model, &keys, images(1)).await.unwrap_err();
    assert!(error.to_string().contains("budget is 2 inferences, 2 are used"), "{error}");
    assert_eq!(code(&error), Some(Code::ResourceExhausted));
    let lab = Client::connect(party.options().token(OTHER_TOKEN)).await.unwrap();
    lab.infer(&model, &keys, images(1)).await.unwrap();
    drop(party);

    let mut setup = Setup::new();
    setup.limits.bytes_per_client = 100_000;
    let party = setup.start();
    let client = party.client().await;
    let model = client.describe(SQUARE).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let error = client.infer(&model, &keys, images(1)).await.unwrap_err();
    assert!(error.to_string().contains("at most 100000"), "{error}");
}

/// A client without manners.
pub(crate) struct Raw {
    pub(crate) channel: InferenceClient<Channel>,
}

pub(crate) type Answer = Result<Vec<v1::FromServer>, Status>;

impl Raw {
    pub(crate) async fn new(party: &Party) -> Self {
        Self::at(party.address).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let channel = InferenceClient::new(endpoint.connect().await.unwrap()).max_encoding_message_size(64 << 20);
        Self { channel }
    }

    pub(crate) fn request<T>(message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
        request
    }

    pub(crate) async fn describe(&self, model: &str) -> v1::Description {
        let ask = v1::DescribeRequest { protocol: PROTOCOL, model: model.into() };
        self.channel.clone().describe(Self::request(ask)).await.unwrap().into_inner()
    }

    pub(crate) async fn hello(&self, model: &str) -> v1::Hello {
        let program = self.describe(model).await.program;
        v1::Hello { protocol: PROTOCOL, model: model.into(), program, images: 1, ..v1::Hello::default() }
    }

    /// Begins a session and leaves it; its name.
    pub(crate) async fn begin(&self, hello: v1::Hello) -> Vec<u8> {
        let (outbound, queue) = mpsc::channel(8);
        outbound.send(v1::FromClient { what: Some(What::Hello(hello)) }).await.unwrap();
        let request = Self::request(ReceiverStream::new(queue));
        let mut inbound = self.channel.clone().infer(request).await.unwrap().into_inner();
        let welcome = inbound.message().await.unwrap().unwrap().what;
        let Some(from_server::What::Welcome(welcome)) = welcome else { panic!("{welcome:?}") };
        welcome.session
    }

    /// Sends messages one after the other and then nothing; whatever the server says until it ends the stream.
    pub(crate) async fn say(&self, messages: Vec<What>) -> Answer {
        let (outbound, queue) = mpsc::channel(64);
        for what in messages {
            outbound.send(v1::FromClient { what: Some(what) }).await.unwrap();
        }
        let mut inbound = self.channel.clone().infer(Self::request(ReceiverStream::new(queue))).await?.into_inner();
        let mut heard = Vec::new();
        while let Some(message) = inbound.message().await? {
            heard.push(message);
        }
        Ok(heard)
    }
}

pub(crate) fn refused(answer: Answer, code: Code, words: &str) {
    let status = answer.unwrap_err();
    assert!(status.code() == code && status.message().contains(words), "expected {code:?} {words:?}, found {status}");
}

fn plain() -> Setup {
    let mut setup = Setup { tls: false, ..Setup::new() };
    setup.limits.answer_timeout = Duration::from_millis(800);
    setup.limits.handshake_timeout = Duration::from_millis(800);
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn hellos_that_are_refused() {
    let party = plain().start();
    let raw = Raw::new(&party).await;
    let hello = raw.hello(RELU).await;
    let with = |change: fn(&mut v1::Hello)| {
        let mut hello = hello.clone();
        change(&mut hello);
        vec![What::Hello(hello)]
    };
    refused(raw.say(with(|h| h.protocol = 2)).await, Code::FailedPrecondition, "protocol 2, this side speaks 1");
    refused(raw.say(with(|h| h.model = "x".repeat(300))).await, Code::InvalidArgument, "at most 256");
    refused(raw.say(with(|h| h.model = "x".into())).await, Code::NotFound, "no model");
    refused(raw.say(with(|h| h.program.truncate(31))).await, Code::InvalidArgument, "31 bytes, expected 32");
    refused(raw.say(with(|h| h.program[3] ^= 1)).await, Code::FailedPrecondition, "program");
    refused(raw.say(with(|h| h.images = 0)).await, Code::InvalidArgument, "images");
    refused(raw.say(with(|h| h.images = 5000)).await, Code::InvalidArgument, "room for 1024");
    refused(raw.say(with(|h| h.deadline_ms = u64::MAX)).await, Code::InvalidArgument, "deadline");
    refused(raw.say(with(|h| h.resume = vec![1; 16])).await, Code::NotFound, "no such session");
    refused(raw.say(with(|h| h.resume = vec![1; 3])).await, Code::InvalidArgument, "3 bytes, expected 16");
    refused(raw.say(vec![What::Cancel(v1::Cancel {})]).await, Code::InvalidArgument, "no Hello");
    refused(raw.say(vec![]).await, Code::DeadlineExceeded, "no first message");
    let square = raw.hello(SQUARE).await;
    refused(raw.say(vec![What::Hello(square)]).await, Code::InvalidArgument, "needs evaluation keys");
    let old = v1::ModelsRequest { protocol: 0 };
    assert_eq!(raw.channel.clone().models(Raw::request(old)).await.unwrap_err().code(), Code::FailedPrecondition);
    assert_eq!(party.metric("henge_sessions"), 0.0);
}

/// What is refused has arrived all the same.
#[tokio::test(flavor = "multi_thread")]
async fn hellos_count_as_bytes() {
    let mut setup = plain();
    setup.limits.bytes_per_client = 2_500_000;
    let party = setup.start();
    let raw = Raw::new(&party).await;
    let hello = v1::Hello { model: "x".repeat(1 << 20), ..raw.hello(RELU).await };
    for _ in 0..2 {
        refused(raw.say(vec![What::Hello(hello.clone())]).await, Code::InvalidArgument, "at most 256");
    }
    refused(raw.say(vec![What::Hello(hello)]).await, Code::ResourceExhausted, "at most 2500000");
    let ask = v1::DescribeRequest { protocol: PROTOCOL, model: RELU.into() };
    let status = raw.channel.clone().describe(Raw::request(ask)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
}

/// What a session plans with, and is admitted for: its keys are in it, cached or not.
#[test]
fn keys_are_held_against_the_memory_limit() {
    let tiles = StreamOptions { tile_values: 1, in_flight: 1 };
    let program = Network::square().program();
    let model = |flooding| {
        let options = ModelOptions { tiles, flooding, ..ModelOptions::default() };
        Model::new("square", &program, params(), options).unwrap()
    };
    let (plain, flooded) = (model(None), model(Some(1e-3)));
    let context = plain.description().context().unwrap();
    let (evaluation, public) =
        (EvaluationKeys::max_body_len(context.rlwe(), 0).unwrap(), PublicKey::max_body_len(context.rlwe()).unwrap());
    assert!(plain.planned_bytes() > 3 * evaluation);
    assert_eq!(flooded.planned_bytes() - plain.planned_bytes(), 3 * public);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_refused() {
    let party = plain().start();
    let raw = Raw::new(&party).await;
    let hello = v1::Hello { evaluation_keys: vec![7; 32], ..raw.hello(SQUARE).await };
    let part = |total, offset, data: Vec<u8>| v1::Part { sequence: 0, total, offset, data: data.into() };
    let keys = |parts: Vec<v1::Part>| {
        let keys = parts.into_iter().map(What::EvaluationKeys);
        std::iter::once(What::Hello(hello.clone())).chain(keys).collect::<Vec<_>>()
    };
    refused(raw.say(keys(vec![part(1 << 40, 0, vec![0; 9])])).await, Code::InvalidArgument, "bytes of an object");
    refused(raw.say(keys(vec![part(100, 1, vec![0; 9])])).await, Code::InvalidArgument, "offset");
    let second = v1::Part { sequence: 1, ..part(9, 0, vec![0; 9]) };
    refused(raw.say(keys(vec![second])).await, Code::InvalidArgument, "part sequence 1, expected 0");
    refused(
        raw.say(keys(vec![part(9, 0, vec![0; 9])])).await,
        Code::InvalidArgument,
        "not the one that Hello announced",
    );
    let oversized = part(8 << 20, 0, vec![0; 8 << 20]);
    refused(raw.say(keys(vec![oversized])).await, Code::OutOfRange, "too large");
    refused(raw.say(vec![What::Hello(hello.clone()), What::Cancel(v1::Cancel {})]).await, Code::Cancelled, "cancelled");
    let answer = What::Answer(part(9, 0, vec![0; 9]));
    refused(raw.say(vec![What::Hello(hello.clone()), answer]).await, Code::InvalidArgument, "none of the keys");
    // The right digest of something that is no key.
    let junk = vec![1; 50];
    let honest = v1::Hello { evaluation_keys: protocol::Digest::of(&junk).0.to_vec(), ..hello.clone() };
    let says = vec![What::Hello(honest), What::EvaluationKeys(part(50, 0, junk))];
    refused(raw.say(says).await, Code::InvalidArgument, "keys refused");
    assert_eq!(party.metric("henge_sessions"), 0.0);
    // Keys that are late may come on another connection.
    refused(raw.say(keys(vec![part(100, 0, vec![0; 9])])).await, Code::Unavailable, "no sign of the keys");
    assert_eq!(party.metric("henge_sessions"), 1.0);
}

/// Sends bytes as they are, and understands none.
struct Bare;

impl Encoder for Bare {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Bare {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        from.advance(from.remaining());
        Ok(Some(()))
    }
}

impl Codec for Bare {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_cannot_be_read() {
    let party = plain().start();
    let raw = Raw::new(&party).await;
    // Where keys are wanted, and where an answer is.
    let keys = v1::Hello { evaluation_keys: vec![7; 32], ..raw.hello(SQUARE).await };
    for hello in [keys, raw.hello(RELU).await] {
        let (outbound, queue) = mpsc::channel(2);
        let hello = v1::FromClient { what: Some(What::Hello(hello)) };
        for message in [hello.encode_to_vec(), vec![0xff; 9]] {
            outbound.send(message).await.unwrap();
        }
        let channel = Endpoint::from_shared(format!("http://{}", party.address)).unwrap().connect().await.unwrap();
        let mut channel = tonic::client::Grpc::new(channel);
        channel.ready().await.unwrap();
        let path = PathAndQuery::from_static("/henge.v1.Inference/Infer");
        let streaming = channel.streaming(Raw::request(ReceiverStream::new(queue)), path, Bare);
        let mut inbound = streaming.await.unwrap().into_inner();
        let status = loop {
            match inbound.message().await {
                Ok(heard) => assert!(heard.is_some(), "the stream ended without a reason"),
                Err(status) => break status,
            }
        };
        refused(Err(status), Code::InvalidArgument, "Protobuf");
    }
    party.forgets().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_trickle_in_do_not_hold_their_place() {
    let mut setup = plain();
    setup.limits.deadline = Duration::from_millis(1500);
    let party = setup.start();
    let raw = Raw::new(&party).await;
    let hello = v1::Hello { evaluation_keys: vec![7; 32], ..raw.hello(SQUARE).await };
    let (outbound, queue) = mpsc::channel(1);
    outbound.send(v1::FromClient { what: Some(What::Hello(hello)) }).await.unwrap();
    let request = Raw::request(ReceiverStream::new(queue));
    let mut inbound = raw.channel.clone().infer(request).await.unwrap().into_inner();
    let start = std::time::Instant::now();
    // A byte at a time, each well within the patience for one message.
    let trickle = tokio::spawn(async move {
        for offset in 0.. {
            let part = v1::Part { sequence: 0, total: 1000, offset, data: vec![0].into() };
            if outbound.send(v1::FromClient { what: Some(What::EvaluationKeys(part)) }).await.is_err() {
                return offset;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        unreachable!()
    });
    let status = loop {
        match inbound.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended without a reason"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(trickle.await.unwrap() >= 5);
    while party.metric("henge_sessions") > 0.0 {
        assert!(start.elapsed() < Duration::from_secs(8), "the session is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(party.metric("henge_planned_memory_bytes"), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_refused() {
    let party = plain().start();
    let raw = Raw::new(&party).await;
    let hello = What::Hello(raw.hello(RELU).await);
    let part =
        |sequence, total, offset, data: Vec<u8>| What::Answer(v1::Part { sequence, total, offset, data: data.into() });
    let says = |what: What| vec![hello.clone(), what];
    // The session may not have asked yet when the answer is there: either way it was not asked for.
    refused(raw.say(says(part(99, 1, 0, vec![0]))).await, Code::InvalidArgument, "not asked for");
    refused(raw.say(says(hello.clone())).await, Code::InvalidArgument, "no answer");
    refused(raw.say(says(What::Cancel(v1::Cancel {}))).await, Code::Cancelled, "cancelled");
    let oversized = part(0, 8 << 20, 0, vec![0; 8 << 20]);
    refused(raw.say(says(oversized)).await, Code::OutOfRange, "");
    refused(raw.say(says(part(0, 1 << 20, 0, vec![0; limits::PART_BYTES + 1]))).await, Code::InvalidArgument, "");

    // What waits for its request first.
    let after_request = |answer: What| {
        let (raw, hello) = (&raw, hello.clone());
        async move {
            let (outbound, queue) = mpsc::channel(8);
            outbound.send(v1::FromClient { what: Some(hello) }).await.unwrap();
            let request = Raw::request(ReceiverStream::new(queue));
            let mut inbound = raw.channel.clone().infer(request).await?.into_inner();
            loop {
                match inbound.message().await?.and_then(|m| m.what) {
                    Some(from_server::What::Ask(ask)) => break assert_eq!(ask.sequence, 0),
                    Some(_) => {}
                    None => panic!("ended before it asked"),
                }
            }
            outbound.send(v1::FromClient { what: Some(answer) }).await.unwrap();
            while inbound.message().await?.is_some() {}
            Ok(vec![])
        }
    };
    refused(after_request(part(0, 1 << 40, 0, vec![0; 9])).await, Code::InvalidArgument, "bytes of an object");
    refused(after_request(part(0, 9, 0, vec![0; 9])).await, Code::InvalidArgument, "answer refused");
    refused(after_request(part(0, 9, 3, vec![0; 6])).await, Code::InvalidArgument, "offset");
    refused(after_request(part(1, 9, 0, vec![0; 9])).await, Code::InvalidArgument, "not asked for");
    assert_eq!(party.metric("henge_inferences_finished_total"), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_belong_to_whoever_opened_them() {
    let party = plain().start();
    let raw = Raw::new(&party).await;
    let hello = raw.hello(RELU).await;
    let resume = v1::Hello { resume: raw.begin(hello.clone()).await, ..hello };
    let (outbound, queue) = mpsc::channel(8);
    outbound.send(v1::FromClient { what: Some(What::Hello(resume)) }).await.unwrap();
    let mut request = Request::new(ReceiverStream::new(queue));
    request.metadata_mut().insert("authorization", format!("Bearer {OTHER_TOKEN}").parse().unwrap());
    let status = raw.channel.clone().infer(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
}

/// What a server says of a model.
fn described(name: &str) -> protocol::Description {
    let party = plain().start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { party.client().await.describe(name).await.unwrap() })
}

/// Asks of a server that lies are refused by the client's checks.
#[test]
fn asks_that_are_refused() {
    let model = described(SQUARE);
    let tile = v1::RefreshTile { function: 2, bytes: 10, ..v1::RefreshTile::default() };
    let ask = |tile: v1::RefreshTile| v1::Ask {
        sequence: 0,
        results: 4,
        level: 1,
        scale: 1e6,
        what: Some(v1::ask::What::Refresh(tile)),
    };
    let without = protocol::Description { refreshes: 0, ..model.clone() };
    let model = protocol::Description { refreshes: 1, tile_values: 4, ..model };
    assert!(Ask::check(ask(tile.clone()), &model).is_ok());
    // What the description leaves no place for.
    let refused = |ask: v1::Ask, model: &protocol::Description| Ask::check(ask, model).unwrap_err().to_string();
    assert!(refused(ask(tile.clone()), &without).contains("a refresh, expected requests for inputs"));
    let narrow = protocol::Description { tile_values: 3, ..model.clone() };
    assert_eq!(refused(ask(tile.clone()), &narrow), "results: 4, at most 3");
    let input = |input, elements: Vec<u32>| v1::Ask {
        results: elements.len() as u32,
        what: Some(v1::ask::What::Input(v1::InputTile { input, elements })),
        ..ask(tile.clone())
    };
    assert!(Ask::check(input(0, vec![0, 5]), &model).is_ok());
    assert_eq!(refused(input(1, vec![0]), &model), "input: 1, at most 0");
    assert_eq!(refused(input(0, vec![0, 6]), &model), "element of an input: 6, at most 5");
    let wrong: [fn(&mut v1::Ask); 6] = [
        |a| a.level = 200,
        |a| a.scale = f64::NAN,
        |a| a.scale = -1.0,
        |a| a.scale = 1e300,
        |a| a.results = u32::MAX,
        |a| a.what = None,
    ];
    for change in wrong {
        let mut ask = ask(tile.clone());
        change(&mut ask);
        assert!(Ask::check(ask, &model).is_err());
    }
    let wrong: [fn(&mut v1::RefreshTile); 5] = [
        |t| t.function = 0,
        |t| t.function = 99,
        |t| t.reads = vec![1],
        |t| (t.reads, t.writes, t.inputs) = (vec![u32::MAX; 2], vec![1; 2], vec![0; 4]),
        |t| (t.function, t.constant) = (3, -1.0),
    ];
    for change in wrong {
        let mut tile = tile.clone();
        change(&mut tile);
        assert!(Ask::check(ask(tile), &model).is_err());
    }
}
