//! 32 clients at once, a third of them killed, stalled or sending garbage.
//!
//! Seconds in the test suite; ten minutes with
//! `HENGE_STRESS_SECONDS=600 cargo test --release -p client --test two_parties stress -- --nocapture`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use client::{Client, ClientError, Images, Keys};
use tokio::io::AsyncWriteExt;

use crate::networks::{Network, numbers};
use crate::party::{RELU, Setup, WIDE, WIDTH};
use crate::proxy::{Fault, Proxy};
use crate::results::check_with;

const CLIENTS: usize = 32;

/// What client i is like: 21 of 32 are honest.
enum Manner {
    Honest,
    Killed,
    Stalled,
    Garbage,
    Flaky,
}

fn manner(index: usize) -> Manner {
    match index % 12 {
        2 => Manner::Killed,
        5 => Manner::Stalled,
        8 => Manner::Garbage,
        11 => Manner::Flaky,
        _ => Manner::Honest,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_clients_and_a_third_of_them_misbehave() {
    let seconds = std::env::var("HENGE_STRESS_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(4);
    let mut setup = Setup::new();
    setup.limits.sessions_per_client = 64;
    setup.limits.answer_timeout = Duration::from_secs(2);
    setup.limits.resume_window = Duration::from_secs(2);
    setup.limits.memory_bytes = 256 << 20;
    let party = Arc::new(setup.start());
    let (end, right, refused) =
        (Instant::now() + Duration::from_secs(seconds), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut clients = Vec::new();
    let mut resident = Vec::new();
    for index in 0..CLIENTS {
        let (party, right, refused) = (Arc::clone(&party), Arc::clone(&right), Arc::clone(&refused));
        clients.push(tokio::spawn(async move {
            let (relu, wide) = (Network::with(he_ir::ClientFunction::Relu), Network::wide(WIDTH));
            let (name, network) = if index % 2 == 0 { (RELU, &relu) } else { (WIDE, &wide) };
            let model = party.client().await.describe(name).await.unwrap();
            let keys = Arc::new(Keys::generate(&model).unwrap());
            let mut round = 0u64;
            while Instant::now() < end {
                round += 1;
                let images = || vec![Images::from_image_major(&numbers(6, round), 6).unwrap()];
                match manner(index) {
                    Manner::Honest | Manner::Flaky => {
                        let cut = matches!(manner(index), Manner::Flaky);
                        let fault = if cut { Fault::Cut(60_000 + 10_000 * (round % 7)) } else { Fault::Nothing };
                        let proxy = Proxy::start(party.address, vec![(Fault::Nothing, fault)]).await;
                        let Ok(client) = Client::connect(party.options_at(proxy.address)).await else { continue };
                        match check_with(&client, &model, &keys, network, 1 + index, 5e-3).await {
                            Ok(_) => right.fetch_add(1, Ordering::SeqCst),
                            // Memory is limited on purpose: a refusal with a reason, to be tried again.
                            Err(ClientError::Refused { code: tonic::Code::ResourceExhausted, .. }) => {
                                tokio::time::sleep(Duration::from_millis(50)).await;
                                refused.fetch_add(1, Ordering::SeqCst)
                            }
                            Err(error) => panic!("client {index}: {error}"),
                        };
                    }
                    Manner::Killed => {
                        let client = party.client().await;
                        let soon = Duration::from_millis(20 + 13 * (round % 10));
                        let _ = tokio::time::timeout(soon, client.infer(&model, &keys, images())).await;
                    }
                    Manner::Stalled => {
                        let proxy = Proxy::start(party.address, vec![(Fault::Stall(30_000), Fault::Nothing)]).await;
                        let options = party.options_at(proxy.address).attempts(1);
                        let Ok(client) = Client::connect(options).await else { continue };
                        let _ =
                            tokio::time::timeout(Duration::from_secs(3), client.infer(&model, &keys, images())).await;
                    }
                    Manner::Garbage => {
                        if let Ok(mut stream) = tokio::net::TcpStream::connect(party.address).await {
                            let junk: Vec<u8> = numbers(4000, round).iter().flat_map(|x| x.to_le_bytes()).collect();
                            let _ = stream.write_all(&junk).await;
                        }
                        let proxy =
                            Proxy::start(party.address, vec![(Fault::Flip(2000 + round), Fault::Nothing)]).await;
                        if let Ok(client) = Client::connect(party.options_at(proxy.address).attempts(1)).await {
                            let _ = client.infer(&model, &keys, images()).await;
                        }
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            }
        }));
    }
    while Instant::now() < end {
        tokio::time::sleep(Duration::from_secs_f64((seconds as f64 / 8.0).min(10.0))).await;
        resident.push(party.peak_rss() >> 20);
        assert!(party.metric("henge_planned_memory_bytes") <= (256 << 20) as f64);
    }
    for client in clients {
        client.await.unwrap();
    }
    let (right, refused) = (right.load(Ordering::SeqCst), refused.load(Ordering::SeqCst));
    println!(
        "{right} inferences right, {refused} refused for memory, none wrong; peak MiB of the server over time: {resident:?}"
    );
    assert!(right as usize >= CLIENTS / 4, "{right} inferences");
    let start = Instant::now();
    while party.metric("henge_sessions") > 0.0 {
        assert!(start.elapsed() < Duration::from_secs(15), "sessions are left");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(party.metric("henge_planned_memory_bytes"), 0.0);
}
