//! Each party in a network namespace of its own, joined by a veth pair that keeps a rate.
//!
//! The namespaces have no names. The client's process starts itself again under `unshare --net` and starts the server likewise; what the kernel
//! made for them it takes back when they end, however they end, and nothing is left to remove. All addresses are of the documentation's
//! block 192.0.2.0/24 and exist inside these namespaces only. The rate is kept by `tbf` at both ends.

use std::ffi::OsString;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::Link;

/// Where the server is.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// The ends of the pair.
const SERVER_END: &str = "henge-server";
const CLIENT_END: &str = "henge-client";

/// How long a process may take to reach its namespace.
const PATIENCE: Duration = Duration::from_secs(10);

/// A command that runs `program` in a network namespace of its own, in the place of itself.
pub(crate) fn apart(program: &PathBuf) -> Command {
    let mut command = tool("unshare");
    command.args(["--net", "--"]).arg(program);
    command
}

/// A command of the system's; those of its administrator are not on everybody's path.
fn tool(name: &str) -> Command {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    let mut command = Command::new(name);
    command.env("PATH", path);
    command
}

/// Starts this program again, in a namespace of its own, in the place of this process. It comes back only where that cannot be.
///
/// # Errors
/// Always: what is missing.
pub(crate) fn enter(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<()> {
    for (name, package) in [("ip", "iproute2"), ("tc", "iproute2"), ("nsenter", "util-linux")] {
        let there = tool(name).arg("-V").output();
        there.with_context(|| format!("--namespaces needs the command {name} (Debian: {package})"))?;
    }
    let tried = tool("unshare").args(["--net", "--", "true"]).output();
    let tried = tried.context("--namespaces needs the command unshare (Debian: util-linux)")?;
    anyhow::ensure!(
        tried.status.success(),
        "--namespaces needs the right to make network namespaces (root, or CAP_SYS_ADMIN and CAP_NET_ADMIN): {}",
        String::from_utf8_lossy(&tried.stderr).trim()
    );
    let program = std::env::current_exe().context("this program does not know its own file")?;
    Err(apart(&program).args(arguments).arg("--inside").exec()).context("unshare")
}

/// Joins this namespace and that of the process `server`.
///
/// # Errors
/// A process that does not get into a namespace; commands that fail, with what they said.
pub(crate) fn join(server: u32, link: Option<Link>) -> anyhow::Result<()> {
    wait(server)?;
    let process = server.to_string();
    run("ip", &["link", "set", "lo", "up"])?;
    run("ip", &["link", "add", CLIENT_END, "type", "veth", "peer", "name", SERVER_END, "netns", &process])?;
    let namespace = format!("--net=/proc/{server}/ns/net");
    let there = |words: &[&str]| run("nsenter", &[&[namespace.as_str(), "--"], words].concat());
    there(&["ip", "link", "set", "lo", "up"])?;
    let ends = [(CLIENT, CLIENT_END), (SERVER, SERVER_END)];
    for (index, (address, end)) in ends.into_iter().enumerate() {
        let mut commands: Vec<Vec<String>> = vec![
            words(&["ip", "address", "add", &format!("{address}/30"), "dev", end]),
            words(&["ip", "link", "set", end, "up"]),
        ];
        if let Some(link) = link {
            let (rate, burst) = (format!("{:.0}bit", link.bits_per_second), burst(link).to_string());
            let shape =
                ["tc", "qdisc", "add", "dev", end, "root", "tbf", "rate", &rate, "burst", &burst, "latency", "20ms"];
            commands.push(words(&shape));
        }
        for command in commands {
            let command: Vec<&str> = command.iter().map(String::as_str).collect();
            match (index, command.split_first()) {
                (0, Some((program, arguments))) => run(program, arguments)?,
                _ => there(&command)?,
            }
        }
    }
    Ok(())
}

fn words(of: &[&str]) -> Vec<String> {
    of.iter().map(|&word| word.to_owned()).collect()
}

/// Bytes that may leave at once: a millisecond's worth, and at least two of the largest segments that a veth pair hands on whole.
fn burst(link: Link) -> u64 {
    ((link.bits_per_second / 8e3) as u64).max(128 << 10)
}

/// Waits until a process is in another network namespace than this one.
fn wait(process: u32) -> anyhow::Result<()> {
    let of = |process: &str| -> io::Result<PathBuf> { std::fs::read_link(format!("/proc/{process}/ns/net")) };
    let (own, start) = (of("self")?, Instant::now());
    loop {
        match of(&process.to_string()) {
            Ok(its) if its != own => return Ok(()),
            Ok(_) if start.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
            Ok(_) => anyhow::bail!("the server's process got no namespace of its own"),
            Err(error) => return Err(error).context("the server's process is gone"),
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = tool(program).args(arguments).output().with_context(|| program.to_owned())?;
    anyhow::ensure!(
        output.status.success(),
        "{program} {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_hold_a_millisecond() {
        let burst = |gbit: f64| burst(Link { bits_per_second: 1e9 * gbit, delay: 0.0 });
        assert_eq!([10.0, 1.0, 0.1].map(burst), [1_250_000, 131_072, 131_072]);
    }

    #[test]
    fn a_process_in_this_namespace_is_told_from_one_that_is_gone() {
        let error = wait(u32::MAX).unwrap_err();
        assert!(error.to_string().contains("gone"), "{error:#}");
    }
}
