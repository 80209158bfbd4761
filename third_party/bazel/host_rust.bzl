"""The machine's own Rust as a toolchain of upstream rules_rust (MODULE.bazel only): nothing is downloaded."""

_BUILD = """
load("@rules_rust//rust:toolchain.bzl", "rust_stdlib_filegroup", "rust_toolchain")

filegroup(name = "rustc", srcs = ["bin/rustc"])
filegroup(name = "rustdoc", srcs = ["bin/rustdoc"])
filegroup(name = "cargo", srcs = ["bin/cargo"])
filegroup(name = "rustc_lib", srcs = glob(["lib/*.so*", "lib/rustlib/{triple}/lib/*.so"]))
rust_stdlib_filegroup(name = "rust_std", srcs = glob(["lib/rustlib/{triple}/lib/*"], allow_empty = True))

rust_toolchain(
    name = "rust_toolchain",
    binary_ext = "",
    cargo = ":cargo",
    default_edition = "2024",
    dylib_ext = ".so",
    exec_triple = "{triple}",
    # Tests run optimised, as with third_party/bazel/rules_rust.
    opt_level = {{"dbg": "0", "fastbuild": "2", "opt": "3"}},
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
        fail("no rustc on the PATH: install Rust first")

    # In the project's folder, where rustup reads rust-toolchain.toml.
    def run(args):
        result = ctx.execute([rustc] + args, working_directory = str(ctx.workspace_root))
        if result.return_code:
            fail(result.stderr)
        return result.stdout

    sysroot = run(["--print", "sysroot"]).strip()
    triple = [line for line in run(["-vV"]).split("\n") if line.startswith("host: ")][0][len("host: "):]
    for folder in ("bin", "lib"):
        ctx.symlink(sysroot + "/" + folder, folder)
    ctx.file("BUILD.bazel", _BUILD.format(sysroot = sysroot, triple = triple))

host_rust_repository = repository_rule(
    implementation = _host_rust_impl,
    environ = ["PATH"],
    local = True,
)

def _host_rust_extension_impl(_ctx):
    host_rust_repository(name = "host_rust")

host_rust = module_extension(implementation = _host_rust_extension_impl)
