"""The machine's own Rust, found on the PATH: nothing is downloaded."""

def _impl(ctx):
    return [platform_common.ToolchainInfo(
        edition = ctx.attr.edition,
        rustc = ctx.attr.rustc,
        rustc_flags = ctx.attr.rustc_flags,
        version = ctx.attr.version,
    )]

rust_host_toolchain = rule(
    implementation = _impl,
    attrs = {
        "edition": attr.string(mandatory = True),
        "rustc": attr.string(mandatory = True),
        "rustc_flags": attr.string_list(),
        "version": attr.string(mandatory = True),
    },
)
