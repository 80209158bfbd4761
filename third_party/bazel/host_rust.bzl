"""The machine's own Rust as a toolchain of upstream rules_rust (MODULE.bazel only): nothing is downloaded."""

_BUILD = """
load("@rules_rust//rust:toolchain.bzl", "rust_stdlib_filegroup", "rust_toolchain")

filegroup(name = "rustc", srcs = ["bin/rustc"])
filegroup(name = "rustdoc", srcs = ["bin/rustdoc"])
filegroup(name = "cargo", srcs = ["bin/cargo"])
filegroup(name = "rustc_lib", srcs = glob(["lib/*.so*", "lib/rustlib/{triple}/lib/*.so"]))
rust_stdlib_filegroup(name = "rust_std", srcs = glob(["lib/rustlib/{triple}/lib/*.rlib", "lib/rustlib/{triple}/lib/*.rmeta", "lib/rustlib/{triple}/lib/*.so", "lib/rustlib/{triple}/lib/*.a"], allow_empty = True))

rust_toolchain(
    name = "rust_toolchain",
    binary_ext = "",
    cargo = ":cargo",
    default_edition = "2024",
    dylib_ext = ".so",
    exec_triple = "{triple}",
    # Rust's own lld: unlike GNU ld it does not mind the order of Rust and C++ archives, which call each other.
    extra_rustc_flags = ["-Clink-arg=-fuse-ld=lld", "-Clink-arg=-B{sysroot}/lib/rustlib/{triple}/bin/gcc-ld"],
    rust_doc = ":rustdoc",
    rust_std = ":rust_std",
    rustc = ":rustc",
    rustc_lib = ":rustc_lib",
    staticlib_ext = ".a",
    stdlib_linkflags = ["-ldl", "-lpthread"],
    target_triple = "{triple}",
)

toolchain(
    name = "toolchain",
    exec_compatible_with = ["@platforms//os:linux", "@platforms//cpu:x86_64"],
    target_compatible_with = ["@platforms//os:linux", "@platforms//cpu:x86_64"],
    toolchain = ":rust_toolchain",
    toolchain_type = "@rules_rust//rust:toolchain_type",
)
"""

def _host_rust_impl(ctx):
    rustc = ctx.which("rustc")
    if not rustc:
        fail("no rustc on PATH: install Rust first")
    sysroot = ctx.execute([rustc, "--print", "sysroot"]).stdout.strip()
    version = ctx.execute([rustc, "-vV"]).stdout
    triple = [l for l in version.split("\n") if l.startswith("host: ")][0][len("host: "):]
    ctx.file("version.txt", version)
    for d in ("bin", "lib"):
        ctx.symlink(sysroot + "/" + d, d)
    ctx.file("BUILD.bazel", _BUILD.format(sysroot = sysroot, triple = triple))

host_rust_repository = repository_rule(implementation = _host_rust_impl, local = True, environ = ["PATH"])

def _host_rust_extension_impl(_ctx):
    host_rust_repository(name = "host_rust")

host_rust = module_extension(implementation = _host_rust_extension_impl)
