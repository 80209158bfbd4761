"""crates_repository: every crate from crates.io, built by one run of cargo.

Cargo.toml and Cargo.lock stay the one list of outside crates. Cargo runs in the project's folder, as the one package that
names them all, so that each crate has the features which that package asks for; its JSON messages name the files that
`@crates//:serde` and the rest stand for.
"""

_CRATE = """
rust_prebuilt(
    name = "{name}",
    all = [":all"],
    crate = "{crate}",
    is_macro = {macro},
    output = "{output}",
    visibility = ["//visibility:public"],
)
"""

def _impl(ctx):
    # A path asked for by label is watched: the rule runs again when the file's content changes, and for no other reason.
    rust = json.decode(ctx.read(Label("@rust_host//:rust.json")))
    ctx.path(ctx.attr.cargo_lockfile)
    root = [ctx.path(manifest) for manifest in ctx.attr.manifests][0]

    # Kept beside the repository, which Bazel empties before each run: a changed lock rebuilds what changed.
    target_dir = str(ctx.path("../../cargo_target"))
    cargo = struct(bin = rust["bin"] + "/cargo", folder = str(root.dirname), env = {
        "CARGO_ENCODED_RUSTFLAGS": "",
        "CARGO_TARGET_DIR": target_dir,
        "CARGO_TERM_COLOR": "never",
        "RUSTC": rust["bin"] + "/rustc",
        "RUSTC_WRAPPER": "",
    })

    metadata = json.decode(_run(ctx, cargo, ["metadata", "--format-version=1", "--filter-platform", rust["triple"]]))
    packages = {p["id"]: p for p in metadata["packages"]}
    roots = [p["id"] for p in metadata["packages"] if p["name"] == ctx.attr.package]
    if not roots:
        fail("%s has no package named %s" % (root, ctx.attr.package))

    ctx.report_progress("cargo builds the crates from crates.io")
    log = _run(ctx, cargo, ["build", "--release", "--package", ctx.attr.package, "--target", rust["triple"], "--message-format=json-render-diagnostics"])
    built = _outputs(log, roots[0], target_dir, rust["triple"])

    ctx.file("list.txt", "\n".join([b.file for b in built.values()]) + "\n", executable = False)
    copied = ctx.execute(["xargs", "-a", "list.txt", "-d", "\\n", "cp", "--reflink=auto", "-t", str(ctx.path("."))])
    if copied.return_code:
        fail("copying what cargo built: " + copied.stderr)

    build = [
        "load(\"@rules_rust//crate_universe/private:prebuilt.bzl\", \"rust_prebuilt\")",
        "filegroup(name = \"all\", srcs = glob([\"*.rlib\", \"*.so\"]))",
    ]
    for node in metadata["resolve"]["nodes"]:
        if node["id"] != roots[0]:
            continue
        for dep in node["deps"]:
            # A dependency for another platform, or for tests only, is not built.
            if dep["pkg"] in built:
                out = built[dep["pkg"]]
                build.append(_CRATE.format(name = packages[dep["pkg"]]["name"], crate = dep["name"], macro = out.macro, output = _basename(out.file)))
    ctx.file("BUILD.bazel", "\n".join(build), executable = False)

def _run(ctx, cargo, args):
    command = [cargo.bin] + args + ["--locked"]
    result = ctx.execute(command, environment = cargo.env, timeout = 3600, working_directory = cargo.folder)
    if result.return_code:
        fail("%s failed in %s:\n%s" % (" ".join(command), cargo.folder, result.stderr[-8000:]))
    return result.stdout

def _outputs(log, root, target_dir, triple):
    """From package id, `root` apart, to struct(file, macro), out of cargo's JSON messages."""
    outputs = {}
    for line in log.split("\n"):
        if not line.startswith("{"):
            continue
        message = json.decode(line)
        if message["reason"] != "compiler-artifact" or message["package_id"] == root:
            continue
        kinds = message["target"]["kind"]
        macro = "proc-macro" in kinds
        if not macro and not [k for k in kinds if k in ("lib", "rlib")]:
            continue
        for file in message["filenames"]:
            # A crate may be built twice: for the target, and for build scripts and macros. The first is meant.
            if file.endswith(".so") if macro else file.endswith(".rlib") and file.startswith("%s/%s/" % (target_dir, triple)):
                outputs[message["package_id"]] = struct(file = file, macro = macro)
    return outputs

def _basename(path):
    return path.split("/")[-1]

crates_repository = repository_rule(
    implementation = _impl,
    attrs = {
        "cargo_lockfile": attr.label(mandatory = True, allow_single_file = True),
        # The workspace's root manifest first.
        "manifests": attr.label_list(mandatory = True, allow_files = True),
        "package": attr.string(mandatory = True),
    },
)
