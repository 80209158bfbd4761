//! Between client and server: every message goes on as it came, and what the client is shown is kept and read with its key.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use client::{Client, Description, Images, Keys};
use he_ckks::{CiphertextTensor, Encoder, Seed};
use he_ir::ClientFunction;
use he_rlwe::EvaluationKeys;
use he_rlwe::wire::WireObject;
use he_secret::{Decryptor, KeyGenerator, SecretKey};
use protocol::v1::from_server::What;
use protocol::v1::inference_client::InferenceClient;
use protocol::v1::inference_server::{Inference as Service, InferenceServer};
use protocol::{Ask, Asked, v1};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status, Streaming};

use crate::party::Party;

/// A request to the client, and the ciphertexts that came with it.
type Kept = (v1::Ask, Vec<u8>);

#[derive(Clone)]
struct Relay {
    server: InferenceClient<Channel>,
    kept: Arc<Mutex<Vec<Kept>>>,
}

impl Relay {
    /// The parts of a tile follow its request.
    fn keep(&self, message: &v1::FromServer) {
        let mut kept = self.kept.lock().unwrap();
        match &message.what {
            Some(What::Ask(ask)) => kept.push((ask.clone(), Vec::new())),
            Some(What::Tile(part)) => kept.last_mut().unwrap().1.extend_from_slice(&part.data),
            _ => {}
        }
    }
}

#[tonic::async_trait]
impl Service for Relay {
    type InferStream = ReceiverStream<Result<v1::FromServer, Status>>;

    async fn models(&self, request: Request<v1::ModelsRequest>) -> Result<Response<v1::ModelsReply>, Status> {
        self.server.clone().models(request).await
    }

    async fn describe(&self, request: Request<v1::DescribeRequest>) -> Result<Response<v1::Description>, Status> {
        self.server.clone().describe(request).await
    }

    async fn infer(&self, request: Request<Streaming<v1::FromClient>>) -> Result<Response<Self::InferStream>, Status> {
        let (metadata, extensions, mut from_client) = request.into_parts();
        let (up, rising) = mpsc::channel(4);
        tokio::spawn(async move {
            while let Ok(Some(message)) = from_client.message().await {
                if up.send(message).await.is_err() {
                    return;
                }
            }
        });
        let request = Request::from_parts(metadata, extensions, ReceiverStream::new(rising));
        let mut from_server = self.server.clone().infer(request).await?.into_inner();
        let (down, falling) = mpsc::channel(4);
        let relay = self.clone();
        tokio::spawn(async move {
            while let Some(message) = from_server.message().await.transpose() {
                message.iter().for_each(|message| relay.keep(message));
                if down.send(message).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(falling)))
    }
}

/// What the client decrypts of one tile: a row per value, one number per image.
pub(crate) struct Shown {
    pub(crate) function: ClientFunction,
    pub(crate) rows: Vec<Vec<f64>>,
}

/// A client, and whoever reads along with its key.
pub(crate) struct Watcher {
    pub(crate) client: Client,
    kept: Arc<Mutex<Vec<Kept>>>,
}

impl Watcher {
    /// Before a server without TLS.
    pub(crate) async fn start(party: &Party) -> Self {
        let server = Endpoint::from_shared(format!("http://{}", party.address)).unwrap().connect().await.unwrap();
        let kept = Arc::<Mutex<Vec<Kept>>>::default();
        let relay = Relay { server: InferenceClient::new(server), kept: Arc::clone(&kept) };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let router = tonic::transport::Server::builder().add_service(InferenceServer::new(relay));
        tokio::spawn(router.serve_with_incoming(TcpIncoming::from(listener)));
        Self { client: Client::connect(party.options_at(address)).await.unwrap(), kept }
    }

    /// Results, image after image, and what the client was shown for them.
    pub(crate) async fn infer(&self, model: &Description, x: &[f64]) -> (Vec<f64>, Vec<Shown>) {
        let context = model.context().unwrap();
        let secret = || SecretKey::generate(&context, &Seed::new([1; 32])).unwrap();
        let own = secret();
        let generator = KeyGenerator::new(&context, &own, Seed::new([2; 32]));
        let relinearization = model.relinearizes.then(|| generator.relinearization_key().unwrap());
        let evaluation = relinearization.map(|key| EvaluationKeys { relinearization: Some(key), ..Default::default() });
        let keys = Keys::from_parts(Arc::clone(&context), secret(), evaluation.as_ref(), None).unwrap();
        let inputs = Images::from_image_major(x, model.inputs[0].elements()).unwrap();
        let images = inputs.images();
        self.kept.lock().unwrap().clear();
        let inference = self.client.infer(model, &Arc::new(keys), vec![inputs]).await.unwrap();

        let (decryptor, encoder) = (Decryptor::new(&context, &own), Encoder::new(&context));
        let mut shown = Vec::new();
        for (ask, tile) in self.kept.lock().unwrap().drain(..) {
            let Asked::Refresh { function, .. } = Ask::check(ask, model).unwrap().what else { continue };
            let tile = CiphertextTensor::from_body(&context, &tile).unwrap();
            let plain = decryptor.decrypt(&tile).unwrap();
            let row = |value| {
                let mut row = vec![0.0; images];
                encoder.decode_packed(&plain, value, model.packing, &mut row).unwrap();
                row
            };
            shown.push(Shown { function, rows: (0..tile.values()).map(row).collect() });
        }
        (inference.outputs[0].to_image_major(), shown)
    }
}
