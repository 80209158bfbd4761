//! Keys, tiles and requests that no queue holds whole, over wires that break while they travel.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use client::{Client, ClientError, Images, Inference, Input, Keys, RowMaker};
use he_ckks::{Seed, SeededCiphertextTensor};
use he_rlwe::wire::WireObject;
use he_secret::{SecretKey, SymmetricEncryptor};
use protocol::v1::inference_client::InferenceClient;
use protocol::v1::{from_client::What, from_server};
use protocol::{Description, parts, v1};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Endpoint;
use tonic::{Code, Status};

use crate::faults::free_port;
use crate::networks::{Network, numbers};
use crate::party::{AHEAD, AHEAD_VALUES, LARGE_KEYS, LARGE_TILE, Models, PATIENCE, Party, Setup};
use crate::proxy::{Fault, Proxy};
use crate::refusals::{Answer, Raw, refused};
use crate::results::{check_with, largest_error};

const MB: u64 = 1_000_000;

fn large() -> Setup {
    Setup { models: Models::Large, ..Setup::new() }
}

/// An inference whose keys travel over a wire with these faults.
async fn keys_through(party: &Party, faults: Vec<(Fault, Fault)>) -> Result<Inference, ClientError> {
    let model = party.client().await.describe(LARGE_KEYS).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let proxy = Proxy::start(party.address, faults).await;
    let client = Client::connect(party.options_at(proxy.address)).await.unwrap();
    let network = Network::square();
    let inference = check_with(&client, &model, &keys, &network, 3, 5e-3);
    timeout(PATIENCE, inference).await.expect("the client hangs")
}

fn up(fault: Fault) -> (Fault, Fault) {
    (fault, Fault::Nothing)
}

/// Completes when the server has received a part of the keys.
async fn keys_on_their_way(party: &Party) {
    while party.metric("henge_received_bytes_total") < MB as f64 {
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_cut_off_are_asked_for_again() {
    let mut setup = large();
    // Taken up, not begun anew.
    setup.limits.inferences_per_client = 1;
    let party = setup.start();
    let faults = [Fault::Cut(MB), Fault::Truncate(2 * MB), Fault::Abandon(3 * MB)];
    let traffic = keys_through(&party, faults.map(up).to_vec()).await.unwrap().traffic;
    assert_eq!((traffic.connections, traffic.requests), (4, 1));
    assert_eq!(party.metric("henge_sessions_resumed_total"), 3.0);
    assert_eq!(party.metric("henge_inferences_finished_total"), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_late_are_asked_for_again() {
    let mut setup = large();
    setup.limits.answer_timeout = Duration::from_secs(3);
    setup.limits.inferences_per_client = 1;
    let party = setup.start();
    let traffic = keys_through(&party, vec![up(Fault::Pause(MB, Duration::from_secs(5)))]).await.unwrap().traffic;
    assert!(traffic.connections >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_while_keys_travel() {
    let setup = Setup { port: free_port(), ..large() };
    let mut party = setup.start();
    let model = party.client().await.describe(LARGE_KEYS).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let proxy = Proxy::start(party.address, vec![up(Fault::Pause(2 * MB, PATIENCE))]).await;
    let client = Client::connect(party.options_at(proxy.address).attempts(40)).await.unwrap();
    let network = Network::square();
    let inference = check_with(&client, &model, &keys, &network, 3, 5e-3);
    let killer = async {
        keys_on_their_way(&party).await;
        party.kill();
        setup.start()
    };
    let (inference, _party) = timeout(PATIENCE, async { tokio::join!(inference, killer) }).await.expect("it hangs");
    assert!(inference.unwrap().traffic.connections >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_beyond_the_quota_are_refused_with_the_reason() {
    let mut setup = large();
    setup.limits.bytes_per_client = MB;
    let error = keys_through(&setup.start(), vec![]).await.unwrap_err();
    let ClientError::Refused { code: Code::ResourceExhausted, reason } = error else { panic!("{error}") };
    assert!(reason.contains("at most 1000000"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_cancels_while_its_keys_travel_leaves_nothing_behind() {
    let party = large().start();
    let model = party.client().await.describe(LARGE_KEYS).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let proxy = Proxy::start(party.address, vec![up(Fault::Pause(2 * MB, Duration::from_millis(500)))]).await;
    let client = Client::connect(party.options_at(proxy.address)).await.unwrap();
    let images = vec![Images::from_image_major(&numbers(6, 1), 6).unwrap()];
    let error = client.infer_until(&model, &keys, images, keys_on_their_way(&party)).await.unwrap_err();
    assert!(matches!(error, ClientError::Cancelled), "{error}");
    party.forgets().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_with_more_requests_open_than_the_client_has_room_for() {
    let party = large().start();
    let model = party.client().await.describe(AHEAD).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let proxy = Proxy::start(party.address, vec![up(Fault::Cut(60_000)); 3]).await;
    let client = Client::connect(party.options_at(proxy.address)).await.unwrap();
    // It makes its numbers slowly: requests pile up.
    let row: RowMaker = Arc::new(|element, row| {
        std::thread::sleep(Duration::from_millis(10));
        row.fill(element as f64);
    });
    let inference = client.infer(&model, &keys, vec![Input::Made { images: 2, elements: AHEAD_VALUES, row }]);
    let inference = timeout(PATIENCE, inference).await.expect("the client hangs").unwrap();
    assert_eq!(inference.traffic.connections, 4);
    let expected: Vec<f64> = (0..AHEAD_VALUES).map(|element| 2.0 * element as f64).collect();
    assert!(largest_error(&inference.outputs[0].to_image_major(), &[expected.clone(), expected].concat()) < 1e-3);
}

/// A client that has answered for its input and is sent a large tile, over a wire that holds no more than a message.
struct Reader {
    outbound: mpsc::Sender<v1::FromClient>,
    inbound: tonic::Streaming<v1::FromServer>,
}

fn input(model: &Description) -> Bytes {
    let context = model.context().unwrap();
    let secret = SecretKey::generate(&context, &Seed::new([1; 32])).unwrap();
    let mut encryptor = SymmetricEncryptor::new(&context, &secret, &Seed::new([2; 32]));
    let port = &model.inputs[0];
    let rows = vec![vec![0.5]; port.elements()];
    let fresh = encryptor.encrypt_packed_tensor(&rows, model.packing, port.level, port.scale).unwrap();
    SeededCiphertextTensor::to_body(&fresh, &context).unwrap().into()
}

impl Reader {
    async fn start(party: &Party) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{}", party.address)).unwrap();
        let endpoint = endpoint.initial_stream_window_size(1 << 16).initial_connection_window_size(1 << 16);
        let raw = Raw { channel: InferenceClient::new(endpoint.connect().await.unwrap()) };
        let model = Description::try_from(raw.describe(LARGE_TILE).await).unwrap();
        let (outbound, queue) = mpsc::channel(64);
        let says = parts(0, &input(&model)).map(What::Answer);
        outbound.send(v1::FromClient { what: Some(What::Hello(raw.hello(LARGE_TILE).await)) }).await.unwrap();
        let inbound = raw.channel.clone().infer(Raw::request(ReceiverStream::new(queue))).await.unwrap().into_inner();
        let mut reader = Self { outbound, inbound };
        while !matches!(reader.hears().await, Ok(from_server::What::Ask(v1::Ask { sequence: 0, .. }))) {}
        for what in says {
            reader.says(what).await;
        }
        reader
    }

    async fn says(&self, what: What) {
        self.outbound.send(v1::FromClient { what: Some(what) }).await.unwrap();
    }

    async fn hears(&mut self) -> Result<from_server::What, Status> {
        Ok(self.inbound.message().await?.expect("the stream ended without a reason").what.unwrap())
    }

    /// Reads the tile a message at a time, and answers with nonsense; what becomes of that.
    async fn reads_slowly(mut self, pause: Duration) -> Answer {
        let mut messages = 0;
        loop {
            match self.hears().await? {
                from_server::What::Tile(part) if part.offset + part.data.len() as u64 == part.total => break,
                from_server::What::Tile(_) => messages += 1,
                _ => {}
            }
            sleep(pause).await;
        }
        assert!(messages > 20, "a tile of {messages} messages");
        self.says(What::Answer(v1::Part { sequence: 1, total: 9, offset: 0, data: vec![0; 9].into() })).await;
        loop {
            self.hears().await?;
        }
    }
}

fn impatient() -> Setup {
    let mut setup = Setup { tls: false, ..large() };
    setup.limits.answer_timeout = Duration::from_secs(4);
    setup.limits.resume_window = Duration::from_millis(300);
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_slowly_is_alive() {
    let party = impatient().start();
    let reader = Reader::start(&party).await;
    refused(reader.reads_slowly(Duration::from_millis(400)).await, Code::InvalidArgument, "answer refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_cut_off() {
    let party = impatient().start();
    let _reader = Reader::start(&party).await;
    assert_eq!(party.metric("henge_sessions"), 1.0);
    party.forgets().await;
    assert_eq!(party.metric("henge_inferences_finished_total"), 0.0);
}
