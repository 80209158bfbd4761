//! The server as a process of its own.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context;

use crate::{Options, Ready, Served, Way, namespaces};

/// A server that listens, in a process of its own; it ends with this value.
#[derive(Debug)]
pub(crate) struct Child {
    process: Process,
    /// Open as long as the server is to serve.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    ready: Ready,
}

/// A process that does not outlive this value.
#[derive(Debug)]
struct Process(std::process::Child);

impl Child {
    /// Starts this program again with other arguments and waits until it listens.
    ///
    /// # Errors
    /// A process that cannot be started, a network that cannot be had, or a server that ended before it listened (it has said why on standard error).
    pub(crate) fn start(options: &Options, arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Child> {
        let program = std::env::current_exe().context("this program does not know its own file")?;
        let apart = options.way() == Way::Namespaces;
        let mut command = if apart { namespaces::apart(&program) } else { Command::new(program) };
        let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process(command.spawn().context("the server's process")?);
        let input = process.0.stdin.take();
        let output = process.0.stdout.take().context("the server's process has no output")?;
        if apart {
            namespaces::join(process.0.id(), options.link)?;
        }
        let mut output = BufReader::new(output);
        let ready = line(&mut output).context("the server ended before it listened")?;
        Ok(Child { process, input, output, ready })
    }

    /// What it said of itself.
    pub(crate) fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Tells it to stop, and waits.
    ///
    /// # Errors
    /// A server that did not end well.
    pub(crate) fn stop(mut self) -> anyhow::Result<Served> {
        drop(self.input.take());
        let served = line(&mut self.output).context("the server did not end well")?;
        let status = self.process.0.wait()?;
        anyhow::ensure!(status.success(), "the server ended with {status}");
        Ok(served)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After `stop` nothing is left to kill; after an error nobody waits for the process.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn line<T: serde::de::DeserializeOwned>(output: &mut impl BufRead) -> anyhow::Result<T> {
    let mut line = String::new();
    anyhow::ensure!(output.read_line(&mut line)? > 0, "no word from the server");
    Ok(serde_json::from_str(&line)?)
}
