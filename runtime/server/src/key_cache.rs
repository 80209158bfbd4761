//! Keys of clients, by digest: they travel once.
//!
//! A client finds only keys that it sent itself. When the cache is full, the keys that were not used for longest go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use execute::ckks::CkksBackend;
use he_rlwe::PublicKey;
use protocol::Digest;

use crate::auth::Principal;

/// Whose keys, under which parameters, and which.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeysId {
    pub(crate) principal: Principal,
    /// Whether the backend that holds them is for complex packing.
    pub(crate) complex: bool,
    /// Digest of the parameters.
    pub(crate) params: [u8; 32],
    pub(crate) evaluation: Option<Digest>,
    pub(crate) public: Option<Digest>,
}

/// Keys ready for use.
#[derive(Debug)]
pub(crate) struct ClientKeys {
    pub(crate) backend: Arc<CkksBackend>,
    pub(crate) public: Option<PublicKey>,
    /// Bytes that they took on the way.
    pub(crate) bytes: u64,
}

#[derive(Default)]
struct Held {
    keys: HashMap<KeysId, (Arc<ClientKeys>, u64)>,
    clock: u64,
    bytes: u64,
}

pub(crate) struct KeyCache {
    max_bytes: u64,
    held: Mutex<Held>,
}

impl KeyCache {
    pub(crate) fn new(max_bytes: u64) -> Self {
        Self { max_bytes, held: Mutex::default() }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    pub(crate) fn get(&self, id: &KeysId) -> Option<Arc<ClientKeys>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.clock += 1;
        let clock = held.clock;
        let (keys, used) = held.keys.get_mut(id)?;
        *used = clock;
        Some(Arc::clone(keys))
    }

    /// Keeps keys, unless they alone are more than the cache holds.
    pub(crate) fn put(&self, id: KeysId, keys: &Arc<ClientKeys>) {
        if keys.bytes > self.max_bytes {
            return;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.clock += 1;
        let clock = held.clock;
        if let Some((before, _)) = held.keys.insert(id, (Arc::clone(keys), clock)) {
            held.bytes -= before.bytes;
        }
        held.bytes += keys.bytes;
        while held.bytes > self.max_bytes {
            let oldest = held.keys.iter().min_by_key(|(_, (_, used))| *used).map(|(id, _)| id.clone());
            let Some((gone, _)) = oldest.and_then(|id| held.keys.remove(&id)) else { break };
            held.bytes -= gone.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use he_ckks::CkksContext;
    use he_params::presets::preset;

    use super::*;
    use crate::Access;

    #[test]
    fn the_longest_unused_goes_first() {
        let context = CkksContext::from_literal(preset("N13_L7").unwrap()).unwrap();
        let backend = Arc::new(CkksBackend::to_prepare(&context));
        let anybody = Access { anybody: true, ..Access::default() };
        let principal = anybody.authenticate(&tonic::metadata::MetadataMap::new(), None).unwrap();
        let id = |name: u8| KeysId {
            principal: principal.clone(),
            complex: false,
            params: [0; 32],
            evaluation: Some(Digest([name; 32])),
            public: None,
        };
        let keys = |bytes| Arc::new(ClientKeys { backend: Arc::clone(&backend), public: None, bytes });
        let cache = KeyCache::new(100);
        cache.put(id(1), &keys(40));
        cache.put(id(2), &keys(40));
        assert!(cache.get(&id(1)).is_some());
        cache.put(id(3), &keys(60));
        assert!(cache.get(&id(2)).is_none());
        assert!(cache.get(&id(1)).is_some() && cache.get(&id(3)).is_some());
        assert_eq!(cache.bytes(), 100);
        cache.put(id(4), &keys(101));
        assert!(cache.get(&id(4)).is_none());
        cache.put(id(3), &keys(20));
        assert_eq!(cache.bytes(), 60);
        let stranger = KeysId { params: [1; 32], ..id(1) };
        assert!(cache.get(&stranger).is_none());
    }
}
