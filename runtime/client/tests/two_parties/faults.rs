//! Wires that break, servers that die: the client goes on where it stood, begins anew, or says what happened. Never a wrong result.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use client::{Client, ClientError, Images, Keys};

use crate::networks::{Network, numbers};
use crate::party::{PATIENCE, Party, SQUARE, Setup, WIDE, WIDTH};
use crate::proxy::{Fault, Proxy};
use crate::results::check_with;

/// A batch of the wide network over a wire with these faults, held against the clear network; the proxy's connections, and the answers computed.
async fn through(party: &Party, faults: Vec<(Fault, Fault)>) -> (usize, client::Traffic) {
    let model = party.client().await.describe(WIDE).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let proxy = Proxy::start(party.address, faults).await;
    let client = loop {
        // A fault may hit the very first handshake: that is the caller's to repeat.
        match Client::connect(party.options_at(proxy.address)).await {
            Ok(client) => break client,
            Err(ClientError::Connect(_)) => {}
            Err(error) => panic!("{error}"),
        }
    };
    let inference = check_with(&client, &model, &keys, &Network::wide(WIDTH), 64, 5e-3).await.unwrap();
    (proxy.connections.load(Ordering::SeqCst), inference.traffic)
}

/// Requests of the wide network on an undisturbed wire.
async fn undisturbed(party: &Party) -> u64 {
    through(party, vec![]).await.1.requests
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_is_taken_up_where_it_stood() {
    let party = Setup::new().start();
    let whole = undisturbed(&party).await;
    let cut = |bytes| (Fault::Nothing, Fault::Cut(bytes));
    let (connections, traffic) = through(&party, vec![cut(300_000), cut(400_000), cut(250_000)]).await;
    assert_eq!((connections, traffic.connections), (4, 4));
    // Nothing is computed twice but what was open when the wire broke.
    assert!(
        traffic.requests >= whole && traffic.requests <= whole + 3 * 4,
        "{} requests, undisturbed {whole}",
        traffic.requests
    );
    assert_eq!(party.metric("henge_sessions_resumed_total"), 3.0);
    assert_eq!(party.metric("henge_sessions_started_total"), 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_on_the_way_up_as_well() {
    let party = Setup::new().start();
    let cut = |bytes| (Fault::Cut(bytes), Fault::Nothing);
    let (connections, _) = through(&party, vec![cut(200_000), cut(90_000)]).await;
    assert_eq!(connections, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn turned_bits_never_reach_a_result() {
    let party = Setup::new().start();
    let flip = |up, down| (Fault::Flip(up), Fault::Flip(down));
    let (connections, traffic) = through(&party, vec![flip(150_000, u64::MAX), flip(u64::MAX, 300_000)]).await;
    assert_eq!(connections, 3);
    assert_eq!(traffic.connections, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_stream_is_no_end() {
    let party = Setup::new().start();
    let (connections, _) =
        through(&party, vec![(Fault::Nothing, Fault::Truncate(200_000)), (Fault::Truncate(99_999), Fault::Nothing)])
            .await;
    assert_eq!(connections, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_that_the_server_has_not_seen() {
    let party = Setup::new().start();
    let whole = undisturbed(&party).await;
    let (connections, traffic) = through(&party, vec![(Fault::Abandon(300_000), Fault::Nothing)]).await;
    assert_eq!((connections, traffic.connections), (2, 2));
    assert!(traffic.requests <= whole + 4, "{} requests, undisturbed {whole}", traffic.requests);
    assert_eq!(party.metric("henge_sessions_resumed_total"), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_wire_is_only_slow() {
    let party = Setup::new().start();
    let slow = Fault::Delay(Duration::from_millis(3));
    let (connections, traffic) = through(&party, vec![(slow, slow)]).await;
    assert_eq!((connections, traffic.connections), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_client_is_cut_off_and_may_come_back() {
    let mut setup = Setup::new();
    setup.limits.answer_timeout = Duration::from_millis(700);
    let party = setup.start();
    let (connections, traffic) = through(&party, vec![(Fault::Stall(150_000), Fault::Nothing)]).await;
    assert!(connections >= 2 && traffic.connections >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_come_back_is_forgotten() {
    let mut setup = Setup::new();
    setup.limits.resume_window = Duration::from_millis(300);
    let party = setup.start();
    let model = party.client().await.describe(WIDE).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let proxy = Proxy::start(party.address, vec![(Fault::Nothing, Fault::Cut(200_000))]).await;
    let client = Client::connect(party.options_at(proxy.address).attempts(1)).await.unwrap();
    let images = || vec![Images::from_image_major(&numbers(6, 1), 6).unwrap()];
    let error = client.infer(&model, &keys, images()).await.unwrap_err();
    assert!(matches!(error, ClientError::Broken { attempts: 1, .. }), "{error}");
    let start = Instant::now();
    while party.metric("henge_sessions") > 0.0 {
        assert!(start.elapsed() < Duration::from_secs(5), "the session is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(party.metric("henge_planned_memory_bytes"), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_stops_when_the_client_cancels() {
    let party = Setup::new().start();
    let client = party.client().await;
    let model = client.describe(WIDE).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let images = vec![Images::from_image_major(&numbers(6 * 1024, 1), 6).unwrap()];
    let soon = tokio::time::sleep(Duration::from_millis(60));
    let error = client.infer_until(&model, &keys, images, soon).await.unwrap_err();
    assert!(matches!(error, ClientError::Cancelled), "{error}");
    let start = Instant::now();
    while party.metric("henge_sessions") > 0.0 {
        assert!(start.elapsed() < Duration::from_secs(2), "the session is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(party.metric("henge_inferences_finished_total"), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlines_hold_on_both_sides() {
    let party = Setup::new().start();
    let model = party.client().await.describe(WIDE).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let images = || vec![Images::from_image_major(&numbers(6 * 1024, 1), 6).unwrap()];
    let hurried = Client::connect(party.options().deadline(Duration::from_millis(10))).await.unwrap();
    let error = hurried.infer(&model, &keys, images()).await.unwrap_err();
    assert!(matches!(error, ClientError::Deadline), "{error}");
    drop(party);
    let mut setup = Setup::new();
    setup.limits.deadline = Duration::from_millis(10);
    let strict = setup.start();
    let error = strict.client().await.infer(&model, &keys, images()).await.unwrap_err();
    assert!(matches!(error, ClientError::Deadline), "{error}");
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_and_started_again() {
    for restart in [true, false] {
        let setup = Setup { port: free_port(), ..Setup::new() };
        let mut party = setup.start();
        let model = party.client().await.describe(WIDE).await.unwrap();
        let keys = Arc::new(Keys::generate(&model).unwrap());
        let client = Client::connect(party.options().restart(restart).attempts(40)).await.unwrap();
        let network = Network::wide(WIDTH);
        let inference = check_with(&client, &model, &keys, &network, 1024, 5e-3);
        let killer = async {
            while party.metric("henge_requests_total") < 30.0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            party.kill();
            tokio::time::sleep(Duration::from_millis(200)).await;
            setup.start()
        };
        let (result, _party) = tokio::join!(inference, killer);
        match (restart, result) {
            (true, Ok(inference)) => assert!(inference.traffic.connections >= 2),
            (false, Err(ClientError::SessionLost(reason))) => assert!(reason.contains("restarted"), "{reason}"),
            (restart, result) => panic!("restart {restart}: {result:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_finishes_what_it_has() {
    let mut party = Setup::new().start();
    let client = party.client().await;
    let model = client.describe(WIDE).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let (network, address) = (Network::wide(WIDTH), party.address);
    let late = party.options();
    let running =
        tokio::spawn(async move { check_with(&client, &model, &keys, &network, 512, 5e-3).await.map(|_| ()) });
    while party.metric("henge_requests_total") < 10.0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stopped = tokio::task::spawn_blocking(move || party.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    // A new one is refused, by a server that is stopping or by nobody.
    if let Ok(client) = Client::connect(late.attempts(1)).await
        && let Ok(model) = client.describe(SQUARE).await
    {
        let keys = Arc::new(Keys::generate(&model).unwrap());
        let images = vec![Images::from_image_major(&numbers(6, 1), 6).unwrap()];
        let error = client.infer(&model, &keys, images).await.unwrap_err();
        assert!(matches!(error, ClientError::Broken { .. }), "{error}");
    }
    running.await.unwrap().unwrap();
    let stopped = tokio::time::timeout(PATIENCE / 2, stopped).await.expect("the server waits for nobody");
    assert!(stopped.unwrap(), "the server did not end well");
    assert!(std::net::TcpStream::connect(address).is_err());
}
