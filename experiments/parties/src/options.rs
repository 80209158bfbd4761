//! What both experiments take from the command line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::Link;

/// How the parties are set up, and where the run is written down.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Bits between the outputs' typical magnitude and the bound on their error
    #[arg(long, default_value_t = 9.0)]
    pub precision_bits: f64,

    /// Threads of each party [default: all processors]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,

    /// Both parties in one process, over a plaintext connection inside it, on one pool of threads
    #[arg(long, conflicts_with_all = ["link", "namespaces"])]
    pub one_process: bool,

    /// Put an emulated network between the parties: Gbit/s and milliseconds one way, as in 1,0.1; a relay of ours
    #[arg(long, value_name = "GBIT,MS", value_parser = Link::parse)]
    pub link: Option<Link>,

    /// Each party in a network namespace of its own, joined by a veth pair that keeps the link's rate (needs root, ip and tc)
    #[arg(long)]
    pub namespaces: bool,

    /// Memory that the server may plan with, in GB of 10^9 bytes; a model that needs more is refused
    #[arg(long, value_name = "GB", default_value_t = 16.0, value_parser = gigabytes)]
    pub memory_limit: f64,

    /// Where to write the record of the run
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Where to write the page with the figures
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,

    /// Which party this process is; the client starts the server by itself
    #[arg(long, value_enum, default_value_t = Party::Client, hide = true)]
    pub party: Party,

    /// This process is in a namespace of its own already
    #[arg(long, hide = true)]
    pub inside: bool,
}

/// One of the two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Party {
    /// Has the images and the key.
    Client,
    /// Has the model.
    Server,
}

/// What lies between the parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Nothing but a plaintext loopback connection inside one process.
    OneProcess,
    /// TLS on a loopback address, between two processes.
    Loopback,
    /// The same through a relay that keeps a rate and a delay.
    Relay,
    /// TLS between two network namespaces.
    Namespaces,
}

impl Options {
    /// What lies between the parties.
    pub fn way(&self) -> Way {
        match (self.one_process, self.namespaces, self.link) {
            (true, ..) => Way::OneProcess,
            (_, true, _) => Way::Namespaces,
            (_, _, Some(_)) => Way::Relay,
            _ => Way::Loopback,
        }
    }

    /// Threads of each party.
    pub fn threads(&self) -> usize {
        self.threads.map_or_else(machine::processors, usize::from)
    }

    /// Bytes that the server may plan with.
    pub fn memory_limit_bytes(&self) -> u64 {
        (1e9 * self.memory_limit) as u64
    }
}

impl Way {
    /// In words, with the link that was asked for.
    pub fn describe(self, link: Option<Link>) -> String {
        let rate = |link: Link| format!("{} Gbit/s", link.bits_per_second / 1e9);
        let delay = |link: Link| format!("{} ms one way", 1e3 * link.delay);
        match (self, link) {
            (Way::OneProcess, _) => {
                "one process, a plaintext loopback connection inside it, one pool of threads".to_owned()
            }
            (Way::Loopback, _) => "two processes, loopback TLS".to_owned(),
            (Way::Relay, Some(link)) => {
                format!(
                    "two processes, TLS through an emulated link (a relay of ours): {}, {}",
                    rate(link),
                    delay(link)
                )
            }
            (Way::Namespaces, Some(link)) if link.delay > 0.0 => {
                format!(
                    "two network namespaces, TLS over veth: {} (tbf), {} (a relay of ours)",
                    rate(link),
                    delay(link)
                )
            }
            (Way::Namespaces, Some(link)) => {
                format!("two network namespaces, TLS over veth: {} (tbf), no delay added", rate(link))
            }
            (Way::Namespaces, None) => "two network namespaces, TLS over veth, no rate and no delay set".to_owned(),
            (Way::Relay, None) => "two processes, TLS through a relay".to_owned(),
        }
    }
}

fn gigabytes(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(gb) if gb > 0.0 && gb <= 1e6 => Ok(gb),
        _ => Err("a number above 0, at most a million".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn way(words: &[&str]) -> Option<Way> {
        let line = Line::try_parse_from(["x"].iter().chain(words)).ok()?;
        Some(line.options.way())
    }

    #[test]
    fn what_lies_between_the_parties() {
        assert_eq!(way(&[]), Some(Way::Loopback));
        assert_eq!(way(&["--one-process"]), Some(Way::OneProcess));
        assert_eq!(way(&["--link", "1,0.5"]), Some(Way::Relay));
        assert_eq!(way(&["--link", "1,0.5", "--namespaces"]), Some(Way::Namespaces));
        assert_eq!(way(&["--namespaces"]), Some(Way::Namespaces));
        for contrary in [["--one-process", "--namespaces"], ["--one-process", "--link=1,0"]] {
            assert_eq!(way(&contrary), None);
        }
        for wrong in [["--link", "0,1"], ["--link", "1"], ["--threads", "0"], ["--memory-limit", "0"]] {
            assert_eq!(way(&wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn limits_are_decimal() {
        let line = Line::parse_from(["x", "--memory-limit", "8"]);
        assert_eq!(line.options.memory_limit_bytes(), 8_000_000_000);
    }
}
