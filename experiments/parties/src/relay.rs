//! A network emulated by a relay: bytes between client and server wait as a link of a given rate and delay would let them.
//!
//! Each direction of a connection is a queue. A piece of `b` bytes that arrives at time `t` leaves when the pieces before it have left and
//! `b / rate` more has passed, and is delivered `delay` later. What is under way is bounded by what such a link holds (rate x delay) and a
//! buffer, so a sender feels the link fill up. TLS passes through untouched.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use serde::Serialize;

/// Bytes of a piece.
const PIECE: usize = 64 << 10;
/// Pieces that a full link's buffers hold besides what is under way.
const BUFFER: usize = 16;

/// What a link does to bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Link {
    /// Bits a second, each way.
    pub bits_per_second: f64,
    /// Delay one way, in seconds.
    pub delay: f64,
}

impl Link {
    /// Reads `GBIT,MS`: Gbit/s and milliseconds one way.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Link, String> {
        let pair = text.split_once(',');
        match pair.and_then(|(rate, delay)| Some((rate.parse::<f64>().ok()?, delay.parse::<f64>().ok()?))) {
            Some((gbit, ms)) if gbit > 0.0 && ms >= 0.0 => Ok(Link { bits_per_second: 1e9 * gbit, delay: 1e-3 * ms }),
            _ => Err("two numbers, Gbit/s above 0 and milliseconds from 0".to_owned()),
        }
    }

    /// Seconds that so many bytes take to leave.
    fn seconds(self, bytes: usize) -> f64 {
        8.0 * bytes as f64 / self.bits_per_second
    }

    /// Pieces under way at one time.
    fn pieces(self) -> usize {
        (self.bits_per_second / 8.0 * self.delay / PIECE as f64).ceil() as usize + BUFFER
    }
}

/// A relay before a server; it serves as long as the program runs.
#[derive(Clone, Copy, Debug)]
pub struct Relay {
    address: SocketAddr,
}

impl Relay {
    /// Listens on a loopback address and passes everything on to `server`, at the link's rate and after its delay.
    ///
    /// # Errors
    /// A link without rate, or an address that cannot be had.
    pub fn start(server: SocketAddr, link: Link) -> anyhow::Result<Relay> {
        Relay::listen(server, link, true)
    }

    /// As [`Relay::start`], but for the delay alone: something else keeps the rate.
    ///
    /// # Errors
    /// As [`Relay::start`].
    pub fn delay(server: SocketAddr, link: Link) -> anyhow::Result<Relay> {
        Relay::listen(server, link, false)
    }

    fn listen(server: SocketAddr, link: Link, paced: bool) -> anyhow::Result<Relay> {
        let sound = link.bits_per_second > 0.0 && link.bits_per_second.is_finite();
        anyhow::ensure!(sound && (0.0..10.0).contains(&link.delay), "a link of {link:?}");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server) else { continue };
                let _ = pass(&client, &server, link, paced).and_then(|()| pass(&server, &client, link, paced));
            }
        });
        Ok(Relay { address })
    }

    /// Where clients come.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Passes one direction on, in two threads: one reads, one waits and writes.
fn pass(from: &TcpStream, to: &TcpStream, link: Link, paced: bool) -> std::io::Result<()> {
    to.set_nodelay(true)?;
    let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
    let (sender, receiver) = sync_channel::<(Instant, Vec<u8>)>(link.pieces());
    std::thread::spawn(move || read(&mut from, &sender, link, paced));
    std::thread::spawn(move || {
        let _ = write(&mut to, &receiver);
        let _ = to.shutdown(Shutdown::Write);
    });
    Ok(())
}

fn read(from: &mut impl Read, sender: &SyncSender<(Instant, Vec<u8>)>, link: Link, paced: bool) {
    let mut piece = vec![0; PIECE];
    let mut free = Instant::now();
    while let Ok(length @ 1..) = from.read(&mut piece) {
        let leaves = if paced { link.seconds(length) } else { 0.0 };
        free = free.max(Instant::now()) + Duration::from_secs_f64(leaves);
        let due = free + Duration::from_secs_f64(link.delay);
        // What waits for the link to be free fills the sender's side, not ours.
        let ahead = free.saturating_duration_since(Instant::now());
        if sender.send((due, piece[..length].to_vec())).is_err() {
            return;
        }
        if ahead > Duration::from_millis(1) {
            std::thread::sleep(ahead - Duration::from_millis(1));
        }
    }
}

fn write(to: &mut impl Write, receiver: &Receiver<(Instant, Vec<u8>)>) -> std::io::Result<()> {
    for (due, piece) in receiver {
        let wait = due.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        to.write_all(&piece)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut back = stream.try_clone().unwrap();
                    std::io::copy(&mut &stream, &mut back).unwrap();
                    back.shutdown(Shutdown::Write).unwrap();
                });
            }
        });
        address
    }

    fn through(link: Link, bytes: usize) -> f64 {
        through_relay(Relay::start(echo(), link).unwrap(), bytes)
    }

    fn through_relay(relay: Relay, bytes: usize) -> f64 {
        let stream = TcpStream::connect(relay.address()).unwrap();
        let sent: Vec<u8> = (0..bytes).map(|i| (i * 31 % 251) as u8).collect();
        let start = Instant::now();
        let (mut to, data) = (stream.try_clone().unwrap(), sent.clone());
        std::thread::spawn(move || {
            to.write_all(&data).unwrap();
            to.shutdown(Shutdown::Write).unwrap();
        });
        let mut got = Vec::new();
        (&stream).read_to_end(&mut got).unwrap();
        assert!(got == sent, "{} bytes came back of {}", got.len(), sent.len());
        start.elapsed().as_secs_f64()
    }

    #[test]
    fn bytes_arrive_whole_and_not_before_their_time() {
        // A lower bound holds however busy the machine is: 2 MB at 100 Mbit/s, and the delay both ways.
        let took = through(Link { bits_per_second: 1e8, delay: 0.01 }, 2_000_000);
        assert!(took >= 0.16 + 0.02, "{took} s");
        let took = through(Link { bits_per_second: 1e10, delay: 0.02 }, 1);
        assert!(took >= 0.04, "{took} s");
        through(Link { bits_per_second: 1e10, delay: 0.0 }, 20_000_000);
        // At its rate this link would take four hours.
        let took = through_relay(Relay::delay(echo(), Link { bits_per_second: 1e3, delay: 0.02 }).unwrap(), 1_000_000);
        assert!((0.04..600.0).contains(&took), "{took} s");
    }

    #[test]
    fn links_that_cannot_be_are_refused() {
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        for (bits_per_second, delay) in [(0.0, 0.0), (f64::INFINITY, 0.0), (1e9, -1.0), (1e9, f64::NAN)] {
            assert!(Relay::start(server, Link { bits_per_second, delay }).is_err());
        }
    }
}
