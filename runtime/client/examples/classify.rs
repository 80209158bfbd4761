//! Classifies an image without showing it: `cargo run -p client --example classify -- https://localhost:7700 ca.pem TOKEN digits`.

use std::sync::Arc;

use client::{Client, ClientOptions, Images, Keys};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, authority, token, name] = arguments.as_slice() else { return Err("URL CA.pem TOKEN MODEL".into()) };

    let options = ClientOptions::new(url).authority(&std::fs::read(authority)?).token(token);
    let client = Client::connect(options).await?;
    let model = client.describe(name).await?;
    let keys = Arc::new(Keys::generate(&model)?);

    let image = vec![0.5; model.inputs[0].elements()];
    let images = Images::from_image_major(&image, image.len())?;
    let inference = client.infer(&model, &keys, vec![images]).await?;

    println!("class {} after {} bytes up", inference.outputs[0].top(1)[0][0], inference.traffic.bytes_up);
    Ok(())
}
