//! Keys that do not belong together, with a server that cannot know: an error of the client, never a wrong result.

use std::sync::Arc;

use client::{Client, ClientError, Description, Images, Keys};
use he_ckks::{CkksContext, Seed};
use he_rlwe::EvaluationKeys;
use he_secret::{KeyGenerator, SecretKey};

use crate::networks::{Network, numbers};
use crate::party::{FLOODED, RELU, SECURE, SQUARE, Setup};
use crate::results::check_with;

/// Keys whose evaluation keys or public key may be those of another secret.
fn keys(context: &Arc<CkksContext>, secret: u8, evaluation: u8, public: u8) -> Arc<Keys> {
    let of = |key: u8| SecretKey::generate(context, &Seed::new([key; 32])).unwrap();
    let (second, third) = (of(evaluation), of(public));
    let generator = |secret| KeyGenerator::new(context, secret, Seed::new([77; 32]));
    let relinearization = Some(generator(&second).relinearization_key().unwrap());
    let evaluation = EvaluationKeys { relinearization, ..EvaluationKeys::default() };
    let public = generator(&third).public_key().unwrap();
    Arc::new(Keys::from_parts(Arc::clone(context), of(secret), Some(&evaluation), Some(&public)).unwrap())
}

async fn infer(client: &Client, model: &Description, keys: &Arc<Keys>, images: usize) -> Result<(), ClientError> {
    let inputs = vec![Images::from_image_major(&numbers(6 * images, 3), 6).unwrap()];
    client.infer(model, keys, inputs).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn evaluation_keys_of_another_secret() {
    let party = Setup::new().start();
    let client = party.client().await;
    let model = client.describe(SQUARE).await.unwrap();
    let context = model.context().unwrap();
    let network = Network::square();
    check_with(&client, &model, &keys(&context, 1, 1, 1), &network, 3, 5e-3).await.unwrap();
    let wrong = keys(&context, 1, 2, 1);
    // One image or as many as there is room for.
    for images in [1, model.capacity()] {
        let error = infer(&client, &model, &wrong, images).await.unwrap_err();
        assert!(matches!(error, ClientError::Garbled(1..)), "{error}");
    }
    // To the server it was an inference like any other: keys of two secrets look the same.
    assert_eq!(party.metric("henge_inferences_finished_total"), 3.0);
    assert_eq!(party.metric("henge_inferences_failed_total"), 0.0);
    // The cache knows keys by digest: the right ones are not mistaken for the wrong ones afterwards.
    check_with(&client, &model, &keys(&context, 1, 1, 1), &network, 3, 5e-3).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_key_of_another_secret() {
    let party = Setup::new().start();
    let client = party.client().await;
    let model = client.describe(FLOODED).await.unwrap();
    let context = model.context().unwrap();
    infer(&client, &model, &keys(&context, 1, 1, 1), 5).await.unwrap();
    let error = infer(&client, &model, &keys(&context, 1, 1, 2), 5).await.unwrap_err();
    assert!(matches!(error, ClientError::Garbled(1..)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_other_parameters() {
    let party = Setup::new().start();
    let client = party.client().await;
    let (secure, relu) = (client.describe(SECURE).await.unwrap(), client.describe(RELU).await.unwrap());
    let keys = Arc::new(Keys::generate(&secure).unwrap());
    infer(&client, &secure, &keys, 1).await.unwrap();
    assert!(matches!(infer(&client, &relu, &keys, 1).await, Err(ClientError::OtherKeys)));
    // Refused before the server heard of it.
    assert_eq!(party.metric("henge_sessions_started_total"), 1.0);
}
