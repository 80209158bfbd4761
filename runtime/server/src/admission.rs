//! Who gets in: sessions, memory and quotas, counted where they are taken and given back when the session is gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tonic::Status;

use crate::Limits;
use crate::auth::Principal;

/// Counts everything that is limited.
#[derive(Debug)]
pub(crate) struct Admission {
    limits: Limits,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    sessions: usize,
    memory: u64,
    clients: HashMap<Principal, Client>,
}

#[derive(Debug)]
struct Client {
    sessions: usize,
    window: Instant,
    bytes: u64,
    images: u64,
    inferences: u64,
}

impl Client {
    fn new(now: Instant) -> Self {
        Self { sessions: 0, window: now, bytes: 0, images: 0, inferences: 0 }
    }

    /// Begins a new window when the old one is over: whatever was used is forgotten, whatever is open stays.
    fn roll(&mut self, limits: &Limits) {
        if self.window.elapsed() >= limits.quota_window {
            *self = Self { sessions: self.sessions, ..Self::new(Instant::now()) };
        }
    }
}

/// A place that was given; dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Arc<Admission>,
    principal: Principal,
    memory: u64,
}

impl Admission {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, counts: Mutex::default() })
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sessions, and bytes of memory planned.
    pub(crate) fn held(&self) -> (usize, u64) {
        let counts = self.counts();
        (counts.sessions, counts.memory)
    }

    /// A place for an inference that plans with `memory` bytes and has room for `images`, all of which it is charged with: the server cannot see
    /// which slots are filled.
    pub(crate) fn admit(self: &Arc<Self>, principal: &Principal, memory: u64, images: usize) -> Result<Place, Status> {
        let limits = &self.limits;
        let full = |what: String| Err(Status::resource_exhausted(what));
        let mut counts = self.counts();
        let counts = &mut *counts;
        if counts.sessions >= limits.sessions {
            return full(format!("the server has {} sessions, at most {}", counts.sessions, limits.sessions));
        }
        if counts.memory.saturating_add(memory) > limits.memory_bytes {
            let (held, limit) = (counts.memory, limits.memory_bytes);
            return full(format!("the inference needs {memory} bytes, {held} of {limit} are taken"));
        }
        // Whoever has nothing open and nothing used in this window is forgotten.
        let over = |client: &Client| client.window.elapsed() >= limits.quota_window;
        counts.clients.retain(|_, client| client.sessions > 0 || !over(client));
        let client = counts.clients.entry(principal.clone()).or_insert_with(|| Client::new(Instant::now()));
        client.roll(limits);
        if client.sessions >= limits.sessions_per_client {
            return full(format!(
                "the client has {} sessions, at most {}",
                client.sessions, limits.sessions_per_client
            ));
        }
        let asked = client.images.saturating_add(images as u64);
        if asked > limits.images_per_client {
            let (used, limit) = (client.images, limits.images_per_client);
            return full(format!(
                "the client's budget is {limit} images, {used} are used and one inference carries {images}"
            ));
        }
        if client.inferences >= limits.inferences_per_client {
            let (used, limit) = (client.inferences, limits.inferences_per_client);
            return full(format!("the client's budget is {limit} inferences, {used} are used"));
        }
        client.images = asked;
        client.inferences += 1;
        client.sessions += 1;
        counts.sessions += 1;
        counts.memory += memory;
        Ok(Place { admission: Arc::clone(self), principal: principal.clone(), memory })
    }

    /// Counts bytes that a client sent.
    pub(crate) fn received(&self, principal: &Principal, bytes: u64) -> Result<(), Status> {
        let limit = self.limits.bytes_per_client;
        let mut counts = self.counts();
        let client = counts.clients.entry(principal.clone()).or_insert_with(|| Client::new(Instant::now()));
        client.roll(&self.limits);
        client.bytes = client.bytes.saturating_add(bytes);
        if client.bytes <= limit {
            return Ok(());
        }
        Err(Status::resource_exhausted(format!("the client has sent {} bytes, at most {limit}", client.bytes)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.counts();
        counts.sessions = counts.sessions.saturating_sub(1);
        counts.memory = counts.memory.saturating_sub(self.memory);
        if let Some(client) = counts.clients.get_mut(&self.principal) {
            client.sessions = client.sessions.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Access;

    fn principal() -> Principal {
        let anybody = Access { anybody: true, ..Access::default() };
        anybody.authenticate(&tonic::metadata::MetadataMap::new(), None).unwrap()
    }

    fn refused(result: Result<Place, Status>, word: &str) {
        let status = result.unwrap_err();
        assert_eq!(status.code(), tonic::Code::ResourceExhausted);
        assert!(status.message().contains(word), "{status}");
    }

    #[test]
    fn every_limit_is_kept_and_places_come_back() {
        let limits = Limits {
            sessions: 3,
            sessions_per_client: 2,
            memory_bytes: 100,
            images_per_client: 50,
            bytes_per_client: 10,
            quota_window: Duration::from_millis(200),
            ..Limits::default()
        };
        let (admission, who) = (Admission::new(limits), principal());
        let first = admission.admit(&who, 60, 10).unwrap();
        refused(admission.admit(&who, 60, 10), "bytes");
        let second = admission.admit(&who, 40, 10).unwrap();
        refused(admission.admit(&who, 0, 10), "client has 2 sessions");
        assert_eq!(admission.held(), (2, 100));
        drop((first, second));
        assert_eq!(admission.held(), (0, 0));
        refused(admission.admit(&who, 0, 31), "budget");
        let third = admission.admit(&who, 0, 30).unwrap();
        admission.received(&who, 10).unwrap();
        assert_eq!(admission.received(&who, 1).unwrap_err().code(), tonic::Code::ResourceExhausted);
        drop(third);
        std::thread::sleep(Duration::from_millis(220));
        // A new window: the budget is whole again.
        let _fourth = admission.admit(&who, 0, 50).unwrap();
        admission.received(&who, 10).unwrap();
    }

    #[test]
    fn inferences_are_counted_and_bytes_of_a_long_one_roll_into_the_next_window() {
        let limits = Limits {
            inferences_per_client: 2,
            bytes_per_client: 10,
            quota_window: Duration::from_millis(200),
            ..Limits::default()
        };
        let (admission, who) = (Admission::new(limits), principal());
        drop(admission.admit(&who, 0, 1).unwrap());
        let long = admission.admit(&who, 0, 1).unwrap();
        refused(admission.admit(&who, 0, 1), "budget is 2 inferences, 2 are used");
        admission.received(&who, 10).unwrap();
        assert!(admission.received(&who, 1).is_err());
        std::thread::sleep(Duration::from_millis(220));
        // Nothing was admitted meanwhile, and the window is a new one all the same.
        admission.received(&who, 10).unwrap();
        assert!(admission.received(&who, 1).is_err());
        let _next = admission.admit(&who, 0, 1).unwrap();
        drop(long);
        assert_eq!(admission.held().0, 1);
    }

    #[test]
    fn all_sessions_are_limited_together() {
        let admission = Admission::new(Limits { sessions: 1, ..Limits::default() });
        let _one = admission.admit(&principal(), 0, 1).unwrap();
        refused(admission.admit(&principal(), 0, 1), "server has 1 sessions");
    }
}
