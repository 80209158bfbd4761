"""One run of rustc."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")
load(":providers.bzl", "RustInfo")

TOOLCHAIN = "@rules_rust//rust:toolchain_type"
TOOLCHAINS = [TOOLCHAIN, "@bazel_tools//tools/cpp:toolchain_type"]

# fastbuild is what tests run with: quick enough for real parameters, and every debug assertion counts.
_MODE_FLAGS = {
    "dbg": ["-Copt-level=0", "-Cdebuginfo=2"],
    "fastbuild": ["-Copt-level=2", "-Cdebuginfo=0", "-Cdebug-assertions=yes", "-Coverflow-checks=yes"],
    "opt": ["-Copt-level=3", "-Cdebuginfo=line-tables-only"],
}

# ${pwd} is known only where the action runs, so a shell puts it in.
_RUN_RUSTC = 'a=(); for x in "$@"; do a+=("${x//\\$\\{pwd\\}/$PWD}"); done; exec "${a[@]}"'

def compile_rust(ctx, source, crate_type, output, test = False):
    """Adds the rustc action.

    Args:
      ctx: of a rule with TOOLCHAINS
      source: struct from source.bzl
      crate_type: as rustc --crate-type says it
      output: File to make
      test: build the test harness

    Returns:
      struct(files, native, link_flags), depsets as in RustInfo, of the dependencies.
    """
    toolchain = ctx.toolchains[TOOLCHAIN]
    cc = find_cpp_toolchain(ctx)
    rust = [d[RustInfo] for d in source.deps if RustInfo in d]
    cc_files, cc_flags = _native_of(source.deps)
    below = struct(
        files = depset(transitive = [r.files for r in rust]),
        link_flags = depset(cc_flags, transitive = [r.link_flags for r in rust]),
        native = depset(cc_files, transitive = [r.native for r in rust], order = "topological"),
    )

    args = ctx.actions.args()
    args.add(source.root)
    args.add("--crate-name", source.name)
    args.add("--crate-type", crate_type)
    args.add("--edition", source.edition or toolchain.edition)
    args.add_all(_MODE_FLAGS[ctx.var["COMPILATION_MODE"]])
    args.add("-Cembed-bitcode=no")
    args.add("-Cmetadata=%d" % hash(str(ctx.label) + crate_type + str(test)))
    args.add("-Clinker=" + cc.compiler_executable)
    args.add("--remap-path-prefix=${pwd}=.")
    args.add("--emit=link=" + output.path)
    args.add_all(source.features, format_each = "--cfg=feature=\"%s\"")
    for r in rust:
        args.add("--extern", "%s=%s" % (source.aliases.get(r.crate, r.crate), r.output.path))
    if crate_type == "proc-macro":
        args.add("--extern", "proc_macro")
    args.add_all(below.files, map_each = _dirname, format_each = "-Ldependency=%s", uniquify = True)
    if test:
        args.add("--test")

    inputs = [depset(source.srcs + source.compile_data), below.files]
    if crate_type in ("bin", "proc-macro", "staticlib"):
        inputs += [below.native, cc.all_files]
        args.add_all(below.native, format_each = "-Clink-arg=%s")
        args.add_all(below.link_flags, format_each = "-Clink-arg=%s")
        if cc_files or below.native:
            args.add("-Clink-arg=-lstdc++")
    args.add_all(toolchain.rustc_flags)
    args.add_all(source.flags)

    ctx.actions.run_shell(
        mnemonic = "Rustc",
        progress_message = "Compiling Rust %s %s" % ("test" if test else crate_type, ctx.label),
        command = _RUN_RUSTC,
        arguments = [toolchain.rustc, args],
        inputs = depset(transitive = inputs),
        outputs = [output],
        env = _env(ctx, source, toolchain),
    )
    return below

def _env(ctx, source, toolchain):
    numbers = (source.version.split("-")[0].split(".") + ["0", "0", "0"])[:3]
    env = {
        "CARGO_CRATE_NAME": source.name,
        "CARGO_MANIFEST_DIR": ctx.label.package,
        "CARGO_PKG_AUTHORS": "",
        "CARGO_PKG_DESCRIPTION": "",
        "CARGO_PKG_NAME": source.name,
        "CARGO_PKG_VERSION": source.version,
        "CARGO_PKG_VERSION_MAJOR": numbers[0],
        "CARGO_PKG_VERSION_MINOR": numbers[1],
        "CARGO_PKG_VERSION_PATCH": numbers[2],
        "PATH": "/usr/bin:/bin",
        # Not read by rustc: another compiler is another action.
        "RUSTC_VERSION_STAMP": toolchain.version,
    }
    env.update(source.env)
    return env

def _dirname(file):
    return file.dirname

def _native_of(deps):
    """Native static libraries and link flags of the C++ targets among deps."""
    files, flags = [], []
    for dep in deps:
        if CcInfo not in dep or RustInfo in dep:
            continue
        for group in dep[CcInfo].linking_context.linker_inputs.to_list():
            flags.extend(group.user_link_flags)
            for library in group.libraries:
                file = library.pic_static_library or library.static_library
                if file:
                    files.append(file)
    return files, flags
