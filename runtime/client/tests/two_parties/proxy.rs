//! A wire that fails: bytes pass through it, and something happens to them on the way.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// What happens to one connection, in one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    Nothing,
    /// Both directions end after so many bytes.
    Cut(u64),
    /// Every piece waits so long.
    Delay(Duration),
    /// Bytes after these are swallowed; the connection stays.
    Stall(u64),
    /// A bit of this byte is turned over.
    Flip(u64),
    /// The connection is ended in good order after so many bytes, the rest never sent.
    Truncate(u64),
    /// The wire stands still for so long after so many bytes.
    Pause(u64, Duration),
    /// The client's side ends after so many bytes, and the server's stays open: it is not told.
    Abandon(u64),
}

/// A proxy before a server. Connection i suffers fault i; those after the last, none. It takes no more connections once it is dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    accepts: AbortHandle,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

impl Proxy {
    /// Faults on the way up to the server and on the way down from it.
    pub(crate) async fn start(server: SocketAddr, faults: Vec<(Fault, Fault)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&connections);
        let accepts = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let index = counted.fetch_add(1, Ordering::SeqCst);
                let (rising, falling) = faults.get(index).copied().unwrap_or((Fault::Nothing, Fault::Nothing));
                let Ok(server) = TcpStream::connect(server).await else { continue };
                let (client_in, client_out) = client.into_split();
                let (server_in, server_out) = server.into_split();
                let cut = Arc::new(AtomicBool::new(false));
                tokio::spawn(carry(client_in, server_out, rising, Arc::clone(&cut)));
                tokio::spawn(carry(server_in, client_out, falling, cut));
            }
        });
        Self { address, connections, accepts: accepts.abort_handle() }
    }
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    fault: Fault,
    cut: Arc<AtomicBool>,
) {
    let mut carried = 0u64;
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                if cut.load(Ordering::SeqCst) { return }
                continue;
            }
        };
        let Ok(len @ 1..) = read else { break };
        let mut piece = &mut buffer[..len];
        let left = |limit: u64| (limit.saturating_sub(carried) as usize).min(len);
        match fault {
            Fault::Nothing | Fault::Pause(..) => {}
            Fault::Delay(delay) => tokio::time::sleep(delay).await,
            Fault::Cut(limit) | Fault::Truncate(limit) | Fault::Stall(limit) | Fault::Abandon(limit) => {
                piece = &mut piece[..left(limit)];
            }
            Fault::Flip(byte) => {
                if (carried..carried + len as u64).contains(&byte) {
                    piece[(byte - carried) as usize] ^= 0x10;
                }
            }
        }
        let before = carried;
        carried += len as u64;
        if to.write_all(piece).await.is_err() {
            break;
        }
        match fault {
            Fault::Pause(limit, pause) if (before..carried).contains(&limit) => tokio::time::sleep(pause).await,
            Fault::Cut(limit) if carried >= limit => break,
            Fault::Abandon(limit) if carried >= limit => {
                tokio::spawn(async move {
                    let _open = to;
                    pending::<()>().await
                });
                break;
            }
            Fault::Truncate(limit) if carried >= limit => {
                let _ = to.shutdown().await;
                tokio::time::sleep(Duration::from_millis(50)).await;
                break;
            }
            _ => {}
        }
    }
    cut.store(true, Ordering::SeqCst);
}
