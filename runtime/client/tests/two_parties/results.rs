//! What comes back is what the network computes.

use std::sync::Arc;

use client::{Client, ClientError, Images, Keys, Traffic};
use he_ir::ClientFunction;

use crate::networks::{Network, numbers, real_params};
use crate::party::{
    FLOODED, Models, POOLED, POWER, REAL, RELU, SECURE, SHUFFLED, SHUFFLED_WIDTH, SQUARE, Setup, TOKEN, TWO_BY_TWO,
    WIDE, WIDTH, certificates,
};

pub(crate) fn largest_error(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).fold(0.0, |most, (f, e)| most.max((f - e).abs()))
}

/// A batch through a model of two dense layers, and its largest error.
pub(crate) async fn check(client: &Client, model: &str, network: &Network, images: usize) -> client::Inference {
    let model = client.describe(model).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    check_with(client, &model, &keys, network, images, 5e-3).await.unwrap()
}

pub(crate) async fn check_with(
    client: &Client,
    model: &client::Description,
    keys: &Arc<Keys>,
    network: &Network,
    images: usize,
    bound: f64,
) -> Result<client::Inference, client::ClientError> {
    let x = numbers(6 * images, 7 + images as u64);
    let inference = client.infer(model, keys, vec![Images::from_image_major(&x, 6)?]).await?;
    let error = largest_error(&inference.outputs[0].to_image_major(), &network.evaluate(&x));
    assert!(error < bound, "largest error {error}");
    Ok(inference)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_comes_back_classified_over_tls() {
    let party = Setup::new().start();
    let client = party.client().await;
    assert_eq!(
        client.models().await.unwrap(),
        [SQUARE, FLOODED, TWO_BY_TWO, RELU, SHUFFLED, POOLED, WIDE, POWER, REAL, SECURE]
    );
    let inference = check(&client, SQUARE, &Network::square(), 1000).await;
    let traffic = inference.traffic;
    assert_eq!((traffic.requests, traffic.connections), (1, 1));
    assert!(traffic.key_bytes > 0);
    // Packed residues: at most a bit to a residue above the information in it, and a few hundred bytes of messages.
    for (bytes, minimum) in [(traffic.bytes_up, traffic.minimum_up), (traffic.bytes_down, traffic.minimum_down)] {
        let bytes = bytes as f64;
        assert!(bytes >= minimum && bytes <= minimum * 1.05 + 600.0, "{bytes} bytes, at least {minimum}");
    }
    println!(
        "1000 images: {} bytes up (at least {:.0}), {} down (at least {:.0}), keys {}",
        traffic.bytes_up, traffic.minimum_up, traffic.bytes_down, traffic.minimum_down, traffic.key_bytes
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_computes_activations() {
    let party = Setup::new().start();
    let client = party.client().await;
    let relu = check(&client, RELU, &Network::with(ClientFunction::Relu), 500).await;
    assert_eq!((relu.traffic.requests, relu.traffic.key_bytes), (2, 0));
    check(&client, SHUFFLED, &Network::wide(SHUFFLED_WIDTH), 500).await;
    let pooled = check(&client, POOLED, &Network::pooled(), 500).await;
    assert!(pooled.traffic.requests > 3, "{:?}", pooled.traffic);
    let wide = check(&client, WIDE, &Network::wide(WIDTH), 1024).await;
    assert!(wide.traffic.requests > 100, "{:?}", wide.traffic);
    let Traffic { bytes_up, bytes_down, minimum_up, minimum_down, requests, .. } = wide.traffic;
    println!(
        "{requests} requests: {bytes_up} bytes up (at least {minimum_up:.0}), {bytes_down} down (at least {minimum_down:.0})"
    );
    assert!(bytes_up as f64 <= minimum_up * 1.05 + 200.0 * requests as f64);
    assert!(bytes_down as f64 <= minimum_down * 1.05 + 200.0 * requests as f64);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_outgrow_their_ciphertexts_are_an_error_of_the_client_alone() {
    let party = Setup::new().start();
    let client = party.client().await;
    let model = client.describe(POWER).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let infer = |numbers: Vec<f64>| client.infer(&model, &keys, vec![Images::from_image_major(&numbers, 6).unwrap()]);
    // Small numbers stay small; among a thousand random ones some grow beyond 2^27.
    infer(vec![0.0; 6]).await.unwrap();
    let error = infer(numbers(6 * 1000, 1)).await.unwrap_err();
    assert!(matches!(error, ClientError::Saturated(1..)), "{error}");
    // The server noticed nothing.
    assert_eq!(party.metric("henge_inferences_finished_total"), 2.0);
    // Inputs are looked at before anything is sent.
    for wrong in [f64::INFINITY, f64::NAN, 1e300] {
        assert!(matches!(infer(vec![wrong; 6]).await, Err(ClientError::Saturated(6))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_travel_once() {
    let party = Setup::new().start();
    let client = party.client().await;
    let model = client.describe(SQUARE).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let first = check_with(&client, &model, &keys, &Network::square(), 3, 5e-3).await.unwrap();
    assert!(first.traffic.key_bytes > 0);
    let again = check_with(&client, &model, &keys, &Network::square(), 3, 5e-3).await.unwrap();
    assert_eq!(again.traffic.key_bytes, 0);
    // Another client does not find them.
    let lab = Client::connect(party.options().token(crate::party::OTHER_TOKEN)).await.unwrap();
    let other = check_with(&lab, &model, &keys, &Network::square(), 3, 5e-3).await.unwrap();
    assert_eq!(other.traffic.key_bytes, first.traffic.key_bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_inputs_and_outputs_complex_packed() {
    let party = Setup::new().start();
    let client = party.client().await;
    let model = client.describe(TWO_BY_TWO).await.unwrap();
    assert!(!model.relinearizes);
    let (images, keys) = (model.capacity(), Arc::new(Keys::generate(&model).unwrap()));
    assert_eq!(images, model.params.n());
    let (x, y) = (numbers(2 * images, 1), numbers(2 * images, 2));
    let inputs = vec![Images::from_image_major(&x, 2).unwrap(), Images::from_image_major(&y, 2).unwrap()];
    let inference = client.infer(&model, &keys, inputs).await.unwrap();
    let sum: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x + y).collect();
    let twice: Vec<f64> = sum.iter().map(|s| 2.0 * s).collect();
    assert!(largest_error(&inference.outputs[0].to_image_major(), &sum) < 1e-3);
    assert!(largest_error(&inference.outputs[1].to_image_major(), &twice) < 2e-3);
    assert_eq!((inference.traffic.requests, inference.traffic.key_bytes), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn flooded_results_carry_the_noise_that_was_configured() {
    let party = Setup::new().start();
    let client = party.client().await;
    let model = client.describe(FLOODED).await.unwrap();
    assert!(model.wants_public_key);
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let x = numbers(6 * 1000, 5);
    let mut results = Vec::new();
    for _ in 0..2 {
        let inputs = vec![Images::from_image_major(&x, 6).unwrap()];
        results.push(client.infer(&model, &keys, inputs).await.unwrap().outputs[0].to_image_major());
    }
    let expected = Network::square().evaluate(&x);
    for found in &results {
        let square: f64 = found.iter().zip(&expected).map(|(f, e)| (f - e).powi(2)).sum();
        let deviation = (square / found.len() as f64).sqrt();
        // 1e-3 was configured; the computation's own noise is well below that.
        assert!((0.9e-3..1.3e-3).contains(&deviation), "{deviation}");
    }
    // Drawn anew each time.
    assert!(largest_error(&results[0], &results[1]) > 1e-4);
}

/// ReLU by the client, and noise of the server's, on as many images as the degree.
#[tokio::test(flavor = "multi_thread")]
async fn real_slots_hold_twice_as_many_images() {
    let party = Setup::new().start();
    let client = party.client().await;
    let model = client.describe(REAL).await.unwrap();
    let images = real_params().n();
    assert_eq!(model.capacity(), images);
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let x = numbers(6 * images, 7);
    let inputs = vec![Images::from_image_major(&x, 6).unwrap()];
    let found = client.infer(&model, &keys, inputs).await.unwrap().outputs[0].to_image_major();
    let expected = Network::with(ClientFunction::Relu).evaluate(&x);
    assert_eq!(found.len(), expected.len());
    let square: f64 = found.iter().zip(&expected).map(|(f, e)| (f - e).powi(2)).sum();
    let deviation = (square / found.len() as f64).sqrt();
    assert!((0.9e-3..1.3e-3).contains(&deviation), "{deviation}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_as_good_as_a_token() {
    let party = Setup { certificates: true, ..Setup::new() }.start();
    let (certificate, key) = &certificates().client;
    let options = client::ClientOptions::new(&format!("https://localhost:{}", party.address.port()))
        .authority(certificates().authority.as_bytes())
        .identity(certificate.as_bytes(), key.as_bytes())
        .accept_insecure_parameters();
    let client = Client::connect(options).await.unwrap();
    check(&client, SQUARE, &Network::square(), 2).await;
    check(&party.client().await, SQUARE, &Network::square(), 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plaintext_on_loopback_when_asked_for() {
    let party = Setup { tls: false, ..Setup::new() }.start();
    check(&party.client().await, SQUARE, &Network::square(), 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_counts_and_health() {
    let mut party = Setup::new().start();
    let traffic = check(&party.client().await, SQUARE, &Network::square(), 17).await.traffic;
    assert!(party.page("/healthz").contains("200 OK"));
    assert_eq!(party.metric("henge_images_total"), 17.0);
    assert_eq!(party.metric("henge_inferences_finished_total"), 1.0);
    let (ran, waited) = (party.metric("henge_run_seconds_total"), party.metric("henge_waited_seconds_total"));
    assert!(waited > 0.0 && waited < ran, "waited {waited} s of {ran} s");
    // Whole messages; the request for the description is a small one more.
    let (sent, received) = (traffic.bytes_up + traffic.key_bytes, party.metric("henge_received_bytes_total") as u64);
    assert!((sent..sent + 50).contains(&received), "{sent} bytes sent, {received} received");
    // The client's farewell may still be on its way.
    party.forgets().await;
    assert!(party.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_of_the_client_over_the_wire() {
    let party = Setup { models: Models::Functions, ..Setup::new() }.start();
    let client = party.client().await;
    let functions = Network::functions();
    assert_eq!(functions.len(), 13);
    for (name, network) in &functions {
        let model = client.describe(name).await.unwrap();
        let keys = Arc::new(Keys::generate(&model).unwrap());
        let x = network.images(200, 11);
        let inference = client.infer(&model, &keys, vec![Images::from_image_major(&x, 6).unwrap()]).await.unwrap();
        let found = inference.outputs[0].to_image_major();
        let expected = network.evaluate(&x);
        let error = largest_error(&found, &expected);
        let reach = expected.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        println!("{name}: largest error {error:.1e} of {reach:.2}, {} requests", inference.traffic.requests);
        assert!(error < 5e-3, "{name}: largest error {error}");
        // Tiles: more requests than one for the input and one for the function.
        assert!(inference.traffic.requests > 2, "{name}: {:?}", inference.traffic);
    }
}

/// The example of the client's library, as a process of its own.
#[tokio::test(flavor = "multi_thread")]
async fn the_example_classifies_over_tls() {
    // Bazel says where it is; cargo builds it beside the tests.
    let beside = || std::env::current_exe().unwrap().parent().unwrap().join("../examples/classify");
    let example = option_env!("HENGE_EXAMPLE_CLASSIFY").map_or_else(beside, std::path::PathBuf::from);
    assert!(example.is_file(), "no {}: cargo build -p client --example classify", example.display());
    let party = Setup::new().start();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, &certificates().authority).unwrap();
    let url = format!("https://localhost:{}", party.address.port());
    let run = |token: &str| {
        let mut command = std::process::Command::new(std::path::absolute(&example).unwrap());
        command.arg(&url).arg(&authority).args([token, SECURE]).output().unwrap()
    };
    let output = run(TOKEN);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    let logits = Network::with(ClientFunction::Relu).evaluate(&[0.5; 6]);
    let class = (0..3).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap();
    assert!(out.starts_with(&format!("class {class} after ")), "{out:?}, in the clear {logits:?}");
    assert_eq!(party.metric("henge_inferences_finished_total"), 1.0);
    assert!(!run("guess").status.success());
}
