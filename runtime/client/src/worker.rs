//! The thread that has the key: it encrypts inputs, and refreshes tiles.
//!
//! It holds one encryptor for the whole inference, across connections, whose objects are numbered on and on: no two ciphertexts share randomness, even
//! where they answer the same request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bytes::Bytes;
use he_ckks::{CiphertextTensor, Encoder, SeededCiphertextTensor};
use he_ir::Refresh;
use he_params::{Level, Scale};
use he_rlwe::wire::WireObject;
use he_secret::{Decryptor, SymmetricEncryptor};
use protocol::{Ask, Asked, Description};
use rayon::prelude::*;
use tokio::sync::mpsc::Sender;

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
    tasks: SyncSender<Task>,
    /// The connection of the moment: tasks of others are not worth their time.
    pub(crate) connection: Arc<AtomicU64>,
    /// Numbers that outgrew their ciphertexts.
    pub(crate) saturated: Arc<AtomicU64>,
}

impl Worker {
    pub(crate) fn start(
        model: Arc<Description>,
        keys: Arc<Keys>,
        inputs: Vec<Input>,
        images: usize,
    ) -> Result<Self, ClientError> {
        let (tasks, queue) = sync_channel(QUEUE);
        let (connection, saturated) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let seed = fresh_seed()?;
        let (current, count) = (Arc::clone(&connection), Arc::clone(&saturated));
        let body = move || {
            let encryptor = SymmetricEncryptor::new(keys.context(), keys.secret(), &seed);
            let encoder = Encoder::new(keys.context());
            Side { model: &model, keys: &keys, inputs: &inputs, images, encryptor, encoder, saturated: &count }
                .work(&queue, &current);
        };
        let thread = std::thread::Builder::new().name("henge client".into()).spawn(body);
        thread.map_err(|_| ClientError::Worker)?;
        Ok(Self { tasks, connection, saturated })
    }

    /// Hands a task over, or gives it back while the queue is full.
    pub(crate) async fn put(&self, mut task: Task) -> Result<(), ClientError> {
        use std::sync::mpsc::TrySendError;
        loop {
            match self.tasks.try_send(task) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(ClientError::Worker),
                Err(TrySendError::Full(back)) => task = back,
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
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
    encoder: Encoder,
    saturated: &'a AtomicU64,
}

impl Side<'_> {
    fn work(&mut self, queue: &Receiver<Task>, current: &AtomicU64) {
        while let Ok(Task { connection, ask, tile, answers }) = queue.recv() {
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
            Asked::Refresh { function, groups, .. } => {
                let (mut rows, minimum_down) = self.decrypt(tile)?;
                let (function, groups) = (*function, groups.clone());
                let refresh =
                    Refresh { function, groups, shape: vec![ask.results], level: ask.level, scale: ask.scale };
                refresh.check(rows.len()).map_err(|error| refuse(error.to_string()))?;
                let mut rows = match &refresh.groups {
                    None => {
                        rows.par_iter_mut().for_each(|row| function.apply_assign(row));
                        rows
                    }
                    Some(_) => self.grouped(&refresh, &rows),
                };
                self.saturate(&mut rows, ask.level, ask.scale);
                Ok(Made { body: self.encrypt(&rows, ask.level, ask.scale)?, minimum_down })
            }
        }
    }

    /// Numbers of every ciphertext, one row each, and the fewest bytes that these ciphertexts can take.
    fn decrypt(&self, tile: &[u8]) -> Result<(Vec<Vec<f64>>, f64), ClientError> {
        let context = self.keys.context();
        let x = CiphertextTensor::from_body(context, tile)?;
        let plain = Decryptor::new(context, self.keys.secret()).decrypt(&x)?;
        let row = |value| {
            let mut row = vec![0.0; self.images];
            self.encoder.decode_packed(&plain, value, self.model.packing, &mut row)?;
            Ok(row)
        };
        let rows = (0..x.values()).into_par_iter().map(row).collect::<Result<_, ClientError>>()?;
        let params = &self.model.params;
        Ok((rows, minimum(params, x.component_count() * x.values(), x.level())))
    }

    fn grouped(&self, refresh: &Refresh, rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let groups = refresh.groups.as_deref().unwrap_or_default();
        let group = |group: &he_ir::RefreshGroup| {
            let inputs: Vec<&[f64]> =
                group.inputs.iter().filter_map(|&i| Some(rows.get(i as usize)?.as_slice())).collect();
            let mut made = vec![vec![0.0; self.images]; group.outputs.len()];
            let mut outputs: Vec<&mut [f64]> = made.iter_mut().map(Vec::as_mut_slice).collect();
            refresh.function.apply_group(&inputs, &mut outputs);
            made
        };
        let made: Vec<Vec<Vec<f64>>> = groups.par_iter().map(group).collect();
        let mut results = vec![Vec::new(); refresh.results()];
        for (index, row) in groups.iter().flat_map(|g| &g.outputs).zip(made.into_iter().flatten()) {
            if let Some(slot) = results.get_mut(*index as usize) {
                *slot = row;
            }
        }
        results
    }

    /// Brings numbers into what a ciphertext can hold, and counts those that were not.
    fn saturate(&self, rows: &mut [Vec<f64>], level: Level, scale: Scale) {
        let most = most(self.model, level, scale);
        let row = |row: &mut Vec<f64>| {
            let mut outside = 0;
            for x in row {
                if x.is_nan() || x.abs() > most {
                    *x = if x.is_nan() { 0.0 } else { x.clamp(-most, most) };
                    outside += 1;
                }
            }
            outside
        };
        let outside: u64 = rows.par_iter_mut().map(row).sum();
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
