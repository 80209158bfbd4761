//! 32 clients at once, 11 of them killed, stalled or sending garbage: the server does not fall, does not grow beyond its limit, gives back what it
//! took, and every honest client gets the right answer.
//!
//! Seconds in the test suite; ten minutes with `just soak` (docs/build.md).

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use client::{Client, ClientError, ClientOptions, Description, Images, Keys};
use protocol::v1::from_client::What;
use protocol::v1::inference_client::InferenceClient;
use protocol::{PROTOCOL, v1};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use crate::networks::{Network, numbers};
use crate::party::{PATIENCE, Party, RELU, SQUARE, Setup, TOKEN, WIDE, WIDTH, certificates};
use crate::proxy::{Fault, Proxy};
use crate::results::check_with;

const CLIENTS: usize = 32;
/// What the server may hold: tiles of all inferences, and keys.
const TILES: u64 = 48 << 20;
const KEYS: u64 = 8 << 20;
/// Connections at one time at the most, and what each may hold in buffers of TLS, of HTTP/2 and of a thread.
const CONNECTIONS: u64 = 2 * CLIENTS as u64;
const CONNECTION: u64 = 1 << 20;
/// What an allocator may keep, when everything has been given back.
const KEPT: u64 = 16 << 20;

/// What a client is like.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    Honest,
    /// Honest, over a wire that is cut.
    Flaky,
    /// A process that is killed in the middle of its work.
    Killed,
    /// Falls silent.
    Stalled,
    /// Bytes that are no TLS, turned bits under it, and nonsense inside it.
    Garbage,
}

/// Client i: 11 of 32 are bad.
fn manner(index: usize) -> Manner {
    match (index % 3, (index / 3) % 3) {
        (0, 0) => Manner::Killed,
        (0, 1) => Manner::Stalled,
        (0, _) => Manner::Garbage,
        _ if index % 7 == 1 => Manner::Flaky,
        _ => Manner::Honest,
    }
}

/// What happened.
#[derive(Debug, Default)]
struct Tally {
    right: AtomicU64,
    /// Refused for memory, with a reason, and tried again.
    refused: AtomicU64,
    killed: AtomicU64,
    stalled: AtomicU64,
    garbage: AtomicU64,
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::SeqCst);
}

fn network(name: &str) -> Network {
    match name {
        RELU => Network::with(he_ir::ClientFunction::Relu),
        SQUARE => Network::square(),
        _ => Network::wide(WIDTH),
    }
}

/// One image, another one each round.
fn image(round: u64) -> Vec<Images> {
    vec![Images::from_image_major(&numbers(6, round), 6).unwrap()]
}

/// An honest inference, repeated while there is no room for it.
async fn honest(party: &Party, index: usize, round: u64, model: &Description, keys: &Arc<Keys>, tally: &Tally) {
    let fault = match manner(index) {
        Manner::Flaky => Fault::Cut(60_000 + 10_000 * (round % 7)),
        _ => Fault::Nothing,
    };
    let proxy = Proxy::start(party.address, vec![(Fault::Nothing, fault)]).await;
    // A fault may hit a handshake, and a loaded machine may be slow: both are to be tried again.
    let options = || party.options_at(proxy.address).attempts(1000);
    let Ok(client) = Client::connect(options()).await else { return };
    match check_with(&client, model, keys, &network(&model.model), 1 + index, 5e-3).await {
        Ok(_) => add(&tally.right),
        Err(ClientError::Refused { code: tonic::Code::ResourceExhausted, .. }) => {
            add(&tally.refused);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(error) => panic!("client {index}: {error}"),
    }
}

/// A process that infers without end, and its end.
async fn killed(party: &Party, round: u64, name: &str, tally: &Tally) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["stress::client_process", "--exact", "--ignored", "--nocapture"])
        .env("HENGE_TEST_CLIENT", format!("{} {name}", party.address.port()))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let authority = &certificates().authority;
    child.stdin.take().unwrap().write_all(authority.as_bytes()).unwrap();
    tokio::time::sleep(Duration::from_millis(200 + 97 * (round % 13))).await;
    // SIGKILL: no farewell, nothing is closed in good order.
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "it ended by itself: {status}");
    add(&tally.killed);
}

/// Not a test: a client to be killed, when the test program is started as a child.
#[test]
#[ignore = "the body of the child process"]
fn client_process() {
    let Ok(told) = std::env::var("HENGE_TEST_CLIENT") else { return };
    let (port, name) = told.split_once(' ').unwrap();
    let mut authority = String::new();
    std::io::stdin().read_to_string(&mut authority).unwrap();
    let options = ClientOptions::new(&format!("https://localhost:{port}"))
        .authority(authority.as_bytes())
        .token(TOKEN)
        .accept_insecure_parameters();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let client = Client::connect(options).await.unwrap();
        let model = client.describe(name).await.unwrap();
        let keys = Arc::new(Keys::generate(&model).unwrap());
        for round in 0.. {
            // Refused for memory, it comes again.
            let _ = client.infer(&model, &keys, image(round)).await;
        }
    });
}

async fn stalled(party: &Party, round: u64, model: &Description, keys: &Arc<Keys>, tally: &Tally) {
    let proxy = Proxy::start(party.address, vec![(Fault::Stall(30_000), Fault::Nothing)]).await;
    let Ok(client) = Client::connect(party.options_at(proxy.address).attempts(1)).await else { return };
    let _ = tokio::time::timeout(Duration::from_secs(3), client.infer(model, keys, image(round))).await;
    add(&tally.stalled);
}

async fn garbage(party: &Party, round: u64, model: &Description, keys: &Arc<Keys>, tally: &Tally) {
    let junk: Vec<u8> = numbers(4000, round).iter().flat_map(|x| x.to_le_bytes()).collect();
    if let Ok(mut stream) = tokio::net::TcpStream::connect(party.address).await {
        let _ = stream.write_all(&junk).await;
    }
    let proxy = Proxy::start(party.address, vec![(Fault::Flip(2000 + round), Fault::Nothing)]).await;
    if let Ok(client) = Client::connect(party.options_at(proxy.address).attempts(1)).await {
        let _ = client.infer(model, keys, image(round)).await;
    }
    let _ = nonsense(party, model, junk).await;
    add(&tally.garbage);
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// A client that is let in, and answers a request with junk.
async fn nonsense(party: &Party, model: &Description, junk: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
    let authority = Certificate::from_pem(&certificates().authority);
    let endpoint = Endpoint::from_shared(format!("https://localhost:{}", party.address.port()))?;
    let channel = endpoint.tls_config(ClientTlsConfig::new().ca_certificate(authority))?.connect().await?;
    let hello = v1::Hello {
        protocol: PROTOCOL,
        model: model.model.clone(),
        program: model.program.0.to_vec(),
        images: 1,
        ..v1::Hello::default()
    };
    let total = junk.len() as u64;
    let answer = v1::Part { sequence: 0, total, offset: 0, data: junk.into() };
    let (outbound, queue) = mpsc::channel(4);
    for what in [What::Hello(hello), What::Answer(answer)] {
        outbound.send(v1::FromClient { what: Some(what) }).await?;
    }
    let mut request = tonic::Request::new(ReceiverStream::new(queue));
    request.metadata_mut().insert("authorization", format!("Bearer {TOKEN}").parse()?);
    let mut inbound = InferenceClient::new(channel).infer(request).await?.into_inner();
    while inbound.message().await?.is_some() {}
    Ok(())
}

/// All clients until `end`, the honest ones until each has had an answer; the most memory that the server held.
async fn wave(party: &Arc<Party>, seconds: f64, tally: &Arc<Tally>) -> u64 {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut clients = Vec::new();
    for index in 0..CLIENTS {
        let (party, tally) = (Arc::clone(party), Arc::clone(tally));
        clients.push(tokio::spawn(async move {
            let name = [RELU, WIDE, SQUARE][index % 4 % 3];
            let model = party.client().await.describe(name).await.unwrap();
            let keys = Arc::new(Keys::generate(&model).unwrap());
            let own = Tally::default();
            for round in 0.. {
                let answered = own.right.load(Ordering::SeqCst) > 0;
                match manner(index) {
                    Manner::Honest | Manner::Flaky if Instant::now() >= end && answered => break,
                    Manner::Honest | Manner::Flaky => honest(&party, index, round, &model, &keys, &own).await,
                    _ if Instant::now() >= end => break,
                    Manner::Killed => killed(&party, round, name, &own).await,
                    Manner::Stalled => stalled(&party, round, &model, &keys, &own).await,
                    Manner::Garbage => garbage(&party, round, &model, &keys, &own).await,
                }
            }
            let counts = [
                (&own.right, &tally.right),
                (&own.refused, &tally.refused),
                (&own.killed, &tally.killed),
                (&own.stalled, &tally.stalled),
                (&own.garbage, &tally.garbage),
            ];
            for (own, all) in counts {
                all.fetch_add(own.load(Ordering::SeqCst), Ordering::SeqCst);
            }
        }));
    }
    let mut most = 0;
    while clients.iter().any(|client| !client.is_finished()) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        most = most.max(party.resident());
        assert!(party.metric("henge_planned_memory_bytes") <= TILES as f64);
        assert!(party.metric("henge_key_cache_bytes") <= KEYS as f64);
    }
    for client in clients {
        client.await.unwrap();
    }
    most
}

/// Waits until nobody holds anything and all connections are closed; the memory that the server holds then, and its threads.
async fn quiet(party: &Party, files: usize) -> (u64, u64) {
    let start = Instant::now();
    // Connections that fell silent are found dead a keep-alive later.
    while party.metric("henge_sessions") > 0.0 || party.open_files() > files + 2 {
        assert!(start.elapsed() < PATIENCE, "sessions are left, or {} open files", party.open_files());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(party.metric("henge_planned_memory_bytes"), 0.0);
    (party.resident(), party.status("Threads"))
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_clients_and_a_third_of_them_misbehave() {
    assert_eq!((0..CLIENTS).filter(|&i| !matches!(manner(i), Manner::Honest | Manner::Flaky)).count(), 11);
    let seconds = std::env::var("HENGE_STRESS_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(15.0);
    let mut setup = Setup::new();
    setup.limits.sessions_per_client = 64;
    setup.limits.answer_timeout = Duration::from_secs(2);
    setup.limits.resume_window = Duration::from_secs(2);
    setup.limits.memory_bytes = TILES;
    setup.limits.key_cache_bytes = KEYS;
    let mut party = Arc::new(setup.start());
    let (idle, files) = (party.resident(), party.open_files());
    // What stays for good (allocator, runtime, caches) is there after a first wave; then the long one.
    let warm = Arc::<Tally>::default();
    wave(&party, (seconds / 8.0f64).clamp(3.0, 30.0), &warm).await;
    let before = quiet(&party, files).await;
    let tally = Arc::<Tally>::default();
    let most = wave(&party, seconds, &tally).await;
    let after = quiet(&party, files).await;
    let limit = idle + TILES + KEYS + CONNECTIONS * CONNECTION;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "{seconds} s, {CLIENTS} clients: {tally:?}; resident MiB: idle {:.1}, before {:.1}, at most {:.1} of {:.1} allowed, after {:.1}; \
         threads {} then {}",
        mib(idle),
        mib(before.0),
        mib(most),
        mib(limit),
        mib(after.0),
        before.1,
        after.1
    );
    let count = |count: &AtomicU64| count.load(Ordering::SeqCst);
    // Each honest client of the 21 had its answer; each kind of bad one was bad.
    assert!(count(&tally.right) >= 21, "{tally:?}");
    assert!([&tally.killed, &tally.stalled, &tally.garbage].iter().all(|&kind| count(kind) > 0), "{tally:?}");
    assert!(most <= limit, "the server held {most} bytes, at most {limit} are allowed");
    assert!(after.0 <= before.0 + KEPT, "{} bytes before, {} after", before.0, after.0);
    assert!(after.1 <= before.1 + 4, "{} threads before, {} after", before.1, after.1);
    assert_eq!(party.metric("henge_defects_total"), 0.0);
    // It still serves, and ends well when told to.
    let client = party.client().await;
    crate::results::check(&client, RELU, &network(RELU), 5).await;
    drop(client);
    assert!(Arc::get_mut(&mut party).unwrap().stop(), "the server did not end well");
}
