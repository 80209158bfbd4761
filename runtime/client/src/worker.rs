//! The thread that has the key: it encrypts inputs, and refreshes tiles.
//!
//! It holds one encryptor for the whole inference, across connections, whose objects are numbered on and on: no two ciphertexts share randomness, even
//! where they answer the same request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;
use he_ckks::{CiphertextTensor, SeededCiphertextTensor};
use he_ir::Refresh;
use he_params::{Level, Scale};
use he_rlwe::wire::WireObject;
use he_secret::SymmetricEncryptor;
use protocol::{Ask, Asked, Description};
use rayon::prelude::*;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::apply::apply_groups;
use crate::decode::{Decoded, Decoder};
use crate::keys::fresh_seed;
use crate::traffic::minimum;
use crate::{ClientError, Input, Keys};

/// Requests that wait for the thread; more wait on the wire.
const QUEUE: usize = 2;

/// A request, and the connection that it came on.
pub(crate) struct Task {
    pub(crate) connection: u64,
    pub(crate) ask: Ask,
    pub(crate) tile: Bytes,
    /// Where the answer goes.
    pub(crate) answers: Sender<Answer>,
}

/// An answer, for the connection that asked.
pub(crate) struct Answer {
    pub(crate) sequence: u64,
    pub(crate) made: Result<Made, ClientError>,
}

/// Fresh ciphertexts.
pub(crate) struct Made {
    pub(crate) body: Bytes,
    /// What the ciphertexts that were asked with must take at least.
    pub(crate) minimum_down: f64,
}

/// The way to the thread. It ends when this is dropped.
pub(crate) struct Worker {
    tasks: Sender<Task>,
    /// The connection of the moment: tasks of others are not worth their time.
    pub(crate) connection: Arc<AtomicU64>,
    /// Numbers that outgrew their ciphertexts.
    saturated: Arc<AtomicU64>,
    /// Decrypted slots that hold no message under this key.
    garbled: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Worker {
    pub(crate) fn start(
        model: Arc<Description>,
        keys: Arc<Keys>,
        inputs: Vec<Input>,
        images: usize,
    ) -> Result<Self, ClientError> {
        let (tasks, queue) = channel(QUEUE);
        let (connection, saturated, garbled) = <(Arc<AtomicU64>, Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let seed = fresh_seed()?;
        let (current, outside, other) = (Arc::clone(&connection), Arc::clone(&saturated), Arc::clone(&garbled));
        let body = move || {
            let encryptor = SymmetricEncryptor::new(keys.context(), keys.secret(), &seed);
            let decoder = Decoder::new(&keys, model.packing, images);
            let side = Side {
                model: &model,
                keys: &keys,
                inputs: &inputs,
                images,
                encryptor,
                decoder,
                saturated: &outside,
                garbled: &other,
            };
            side.work(queue, &current);
        };
        let thread = std::thread::Builder::new().name("henge client".into()).spawn(body);
        let thread = thread.map_err(|_| ClientError::Worker)?;
        Ok(Self { tasks, connection, saturated, garbled, thread })
    }

    /// Waits for the thread, which ends what it was asked, and says whether all of it was well: a server need not wait for the answers before it sends results.
    pub(crate) fn end(self) -> Result<(), ClientError> {
        let Self { tasks, saturated, garbled, thread, .. } = self;
        drop(tasks);
        thread.join().map_err(|_| ClientError::Worker)?;
        match (garbled.load(Ordering::SeqCst), saturated.load(Ordering::SeqCst)) {
            (0, 0) => Ok(()),
            (0, numbers) => Err(ClientError::Saturated(numbers)),
            (slots, _) => Err(ClientError::Garbled(slots)),
        }
    }

    /// Hands a task over, when there is room for it.
    pub(crate) async fn put(&self, task: Task) -> Result<(), ClientError> {
        self.tasks.send(task).await.map_err(|_| ClientError::Worker)
    }
}

/// Largest number that a ciphertext has room for.
pub(crate) fn most(model: &Description, level: Level, scale: Scale) -> f64 {
    // A coefficient is at most the largest magnitude of a slot, which has two parts, and below half the modulus; encoding goes
    // through integers below 2^126. The rest is margin.
    (model.params.log_q_at(level) - 3.0).min(120.0).exp2() / scale.get()
}

struct Side<'a> {
    model: &'a Description,
    keys: &'a Keys,
    inputs: &'a [Input],
    images: usize,
    encryptor: SymmetricEncryptor<'a>,
    decoder: Decoder<'a>,
    saturated: &'a AtomicU64,
    garbled: &'a AtomicU64,
}

impl Side<'_> {
    fn work(mut self, mut queue: Receiver<Task>, current: &AtomicU64) {
        while let Some(Task { connection, ask, tile, answers }) = queue.blocking_recv() {
            if current.load(Ordering::SeqCst) != connection {
                continue;
            }
            let made = self.answer(&ask, &tile);
            // Nobody may be there any more: then the request will come again.
            let _ = answers.blocking_send(Answer { sequence: ask.sequence, made });
        }
    }

    fn answer(&mut self, ask: &Ask, tile: &[u8]) -> Result<Made, ClientError> {
        let refuse = |what: String| ClientError::Asked(format!("request {}: {what}", ask.sequence));
        match &ask.what {
            Asked::Input { input, elements } => {
                let numbers = self.inputs.get(*input).ok_or_else(|| refuse(format!("input {input}")))?;
                // At another scale, whether encryption succeeds would tell of the numbers.
                let port = self.model.inputs.get(*input).ok_or_else(|| refuse(format!("input {input}")))?;
                if (ask.level, ask.scale) != (port.level, port.scale) {
                    return Err(refuse(format!("input {input} at level {} and scale {}", ask.level, ask.scale)));
                }
                let row = |&i: &u32| numbers.row(i as usize).ok_or_else(|| refuse(format!("element {i}")));
                let rows = elements.par_iter().map(row).collect::<Result<Vec<_>, _>>()?;
                Ok(Made { body: self.encrypt(&rows, ask.level, ask.scale)?, minimum_down: 0.0 })
            }
            Asked::Refresh { node, function, groups, .. } => {
                let refuse = |what: String| refuse(format!("node {node}: {what}"));
                let x = CiphertextTensor::from_body(self.keys.context(), tile)?;
                if x.values() > self.model.tile_values {
                    return Err(refuse(format!("{} ciphertexts, at most {}", x.values(), self.model.tile_values)));
                }
                let (function, groups) = (*function, groups.clone());
                let refresh =
                    Refresh { function, groups, shape: vec![ask.results], level: ask.level, scale: ask.scale };
                refresh.check(x.values()).map_err(|error| refuse(error.to_string()))?;
                let Decoded { mut numbers, garbled } = self.decoder.decode(&x)?;
                self.garbled.fetch_add(garbled, Ordering::SeqCst);
                match &refresh.groups {
                    None => numbers.par_chunks_mut(self.images).for_each(|row| function.apply_assign(row)),
                    Some(groups) => {
                        let made = apply_groups(function, groups, &numbers, self.images, ask.results);
                        numbers = made.ok_or_else(|| refuse("groups that do not fit".into()))?;
                    }
                }
                self.saturate(&mut numbers, ask.level, ask.scale);
                let rows: Vec<&[f64]> = numbers.chunks(self.images).collect();
                let minimum_down = minimum(&self.model.params, x.component_count() * x.values(), x.level());
                Ok(Made { body: self.encrypt(&rows, ask.level, ask.scale)?, minimum_down })
            }
        }
    }

    /// Brings numbers into what a ciphertext can hold, and counts those that were not.
    fn saturate(&self, numbers: &mut [f64], level: Level, scale: Scale) {
        let most = most(self.model, level, scale);
        let row = |row: &mut [f64]| {
            let mut outside = 0;
            for x in row {
                if x.is_nan() || x.abs() > most {
                    *x = if x.is_nan() { 0.0 } else { x.clamp(-most, most) };
                    outside += 1;
                }
            }
            outside
        };
        let outside: u64 = numbers.par_chunks_mut(self.images).map(row).sum();
        self.saturated.fetch_add(outside, Ordering::SeqCst);
    }

    fn encrypt<R: AsRef<[f64]> + Sync>(
        &mut self,
        rows: &[R],
        level: Level,
        scale: Scale,
    ) -> Result<Bytes, ClientError> {
        let packing = self.model.packing;
        let fresh = self.encryptor.encrypt_packed_tensor(rows, packing, level, scale)?;
        Ok(SeededCiphertextTensor::to_body(&fresh, self.keys.context())?.into())
    }
}
