"""Finds the machine's Rust and checks it against rust-toolchain.toml."""

_BUILD = """
load("@rules_rust//rust/private:toolchain.bzl", "rust_host_toolchain")

exports_files(["rust.json"])

rust_host_toolchain(
    name = "rust",
    edition = "{edition}",
    rustc = "{rustc}",
    version = "{version}",
)

toolchain(
    name = "toolchain",
    toolchain = ":rust",
    toolchain_type = "@rules_rust//rust:toolchain_type",
)
"""

def _pinned(ctx):
    """The channel that rust-toolchain.toml names."""
    for line in ctx.read(ctx.attr.toolchain_file).split("\n"):
        key, _, value = line.partition("=")
        if key.strip() == "channel":
            return value.strip().strip("\"'")
    fail("%s names no channel" % ctx.attr.toolchain_file)

def _impl(ctx):
    pinned = _pinned(ctx)
    rustc = ctx.which("rustc")
    if not rustc:
        fail("no rustc on the PATH: install Rust %s (rust-toolchain.toml pins it), then run Bazel again" % pinned)

    # rustup's stand-in picks the toolchain by the folder it runs in; past it, the real rustc needs no HOME.
    workspace = str(ctx.path(ctx.attr.toolchain_file).dirname)
    sysroot = ctx.execute([rustc, "--print", "sysroot"], working_directory = workspace)
    if sysroot.return_code:
        fail("rust-toolchain.toml pins Rust %s, and %s cannot run it:\n%s" % (pinned, rustc, sysroot.stderr))
    bin = sysroot.stdout.strip() + "/bin"
    described = ctx.execute([bin + "/rustc", "-vV"]).stdout.strip()
    fields = dict([line.split(": ", 1) for line in described.split("\n") if ": " in line])
    if fields["release"] != pinned:
        fail("rust-toolchain.toml pins Rust %s, but %s is %s" % (pinned, rustc, fields["release"]))

    version = " ".join([fields["release"], fields["commit-hash"], fields["host"]])
    ctx.file("rust.json", json.encode({"bin": bin, "triple": fields["host"], "version": version}))
    ctx.file("BUILD.bazel", _BUILD.format(edition = ctx.attr.edition, rustc = bin + "/rustc", version = version))

_rust_host = repository_rule(
    implementation = _impl,
    attrs = {
        "edition": attr.string(mandatory = True),
        "toolchain_file": attr.label(mandatory = True, allow_single_file = True),
    },
    # Cheap, so it looks again whenever Bazel starts; what depends on rust.json is rebuilt only if its content changed.
    configure = True,
    environ = ["PATH"],
    local = True,
)

def rust_register_toolchains(edition, toolchain_file):
    """Registers the machine's Rust.

    Args:
      edition: of targets that name none
      toolchain_file: label of the rust-toolchain.toml whose channel is asked for
    """
    _rust_host(name = "rust_host", edition = edition, toolchain_file = toolchain_file)
    native.register_toolchains("@rust_host//:toolchain")
