//! The other party: it has the data and the key, and computes what the server cannot.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use client::{Client, ClientOptions, Images, Keys};
//!
//! # async fn example() -> Result<(), client::ClientError> {
//! let options = ClientOptions::new("https://henge.hospital.example:7700").token("3f9c...");
//! let client = Client::connect(options).await?;
//! let model = client.describe("cryptonets").await?;
//! let keys = Arc::new(Keys::generate(&model)?);
//! let images = Images::from_image_major(&vec![0.5; 784], 784)?;
//! let inference = client.infer(&model, &keys, vec![images]).await?;
//! println!("{:?}", inference.outputs[0].top(1));
//! # Ok(())
//! # }
//! ```
//!
//! - [`Client`]: a connection; taken up again when it breaks, with the inference where it stood;
//! - [`Keys`]: a secret key and what goes with it, for the parameters of one model or of several;
//! - [`Images`]: numbers, one row per element; [`Input`]: those, or a function that makes a row when it is needed;
//! - [`Inference`]: results, and what travelled.
//!
//! The client encrypts every answer with randomness of its own: an answer that is asked for again, after a cut, is encrypted anew. A number that is too
//! large for its ciphertext is brought into range and the *client's* result is an error at the end: the server never learns of it, so that it cannot
//! ask questions whose answers show in whether the client goes on. So it is with ciphertexts under another key: they decrypt to what no message can be,
//! are answered all the same, and make the result an error ([`ClientError::Garbled`]).

#![forbid(unsafe_code)]

mod apply;
mod batch;
mod connect;
mod decode;
mod error;
mod infer;
mod keys;
mod memory;
mod traffic;
mod worker;

pub use batch::{Images, ImagesError, Input, RowMaker};
pub use connect::{Client, ClientOptions};
pub use error::ClientError;
pub use infer::Inference;
pub use keys::Keys;
pub use protocol::{Description, Port};
pub use traffic::Traffic;
