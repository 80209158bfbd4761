//! All sessions of a server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::SessionId;
use tonic::Status;

use crate::auth::Principal;
use crate::session::Session;

/// The table of sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    table: Mutex<HashMap<SessionId, Arc<Session>>>,
    numbers: AtomicU64,
    draining: AtomicBool,
}

impl Sessions {
    fn table(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Session>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// No new session from now on.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Refuses while the server is stopping.
    pub(crate) fn check_open(&self) -> Result<(), Status> {
        if self.draining.load(Ordering::SeqCst) {
            return Err(Status::unavailable("the server is stopping"));
        }
        Ok(())
    }

    pub(crate) fn insert(&self, session: &Arc<Session>) {
        self.table().insert(session.id, Arc::clone(session));
    }

    pub(crate) fn remove(&self, session: &Session) {
        self.table().remove(&session.id);
    }

    /// The session of that name, if it is this client's. Somebody else's is as unknown as none.
    pub(crate) fn find(&self, id: SessionId, principal: &Principal) -> Result<Arc<Session>, Status> {
        let unknown = || Status::not_found("no such session: it has ended, or the server was restarted");
        self.table().get(&id).filter(|session| session.principal == *principal).cloned().ok_or_else(unknown)
    }

    pub(crate) fn len(&self) -> usize {
        self.table().len()
    }

    /// Ends what is over, forgets what has ended.
    pub(crate) fn sweep(&self, resume_window: Duration) {
        self.table().retain(|_, session| !session.sweep(resume_window));
    }

    /// Ends all.
    pub(crate) fn end_all(&self, status: &Status) {
        self.table().values().for_each(|session| session.end(status.clone()));
    }
}
