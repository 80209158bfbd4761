"""Reads the attributes of a Rust rule into one plain value: what rustc is to compile."""

load(":providers.bzl", "RustInfo")

ATTRS = {
    "aliases": attr.label_keyed_string_dict(providers = [RustInfo]),
    "compile_data": attr.label_list(allow_files = True),
    "crate_features": attr.string_list(),
    "crate_name": attr.string(),
    "crate_root": attr.label(allow_single_file = [".rs"]),
    "data": attr.label_list(allow_files = True),
    "deps": attr.label_list(providers = [[RustInfo], [CcInfo]]),
    "edition": attr.string(),
    "proc_macro_deps": attr.label_list(providers = [RustInfo]),
    "rustc_env": attr.string_dict(),
    "rustc_flags": attr.string_list(),
    "srcs": attr.label_list(allow_files = [".rs"]),
    "version": attr.string(default = "0.0.0"),
    "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
}

def all_deps(ctx):
    return ctx.attr.deps + ctx.attr.proc_macro_deps

def runfiles(ctx, extra = []):
    """The runfiles of a target: its own data, and its dependencies' runfiles."""
    result = ctx.runfiles(files = ctx.files.data + extra)
    for dep in ctx.attr.data + all_deps(ctx):
        result = result.merge(dep[DefaultInfo].default_runfiles)
    return result

def expand_env(ctx, env):
    """Puts paths where values say $(rootpath ...), $(execpath ...) and the like."""
    targets = ctx.attr.data + ctx.attr.compile_data
    return {name: ctx.expand_location(value, targets) for name, value in env.items()}

def read_source(ctx, crate_type):
    """Reads ctx.attr.

    Args:
      ctx: of a rule whose attributes include ATTRS
      crate_type: as rustc --crate-type says it; tells main.rs from lib.rs

    Returns:
      A struct that compile.bzl understands.
    """
    root = _root(ctx, crate_type)
    srcs, compile_data, root = _one_tree(ctx, root)
    targets = ctx.attr.data + ctx.attr.compile_data
    return struct(
        aliases = {target[RustInfo].crate: alias for target, alias in ctx.attr.aliases.items()},
        compile_data = compile_data,
        deps = all_deps(ctx),
        edition = ctx.attr.edition,
        env = expand_env(ctx, ctx.attr.rustc_env),
        features = ctx.attr.crate_features,
        flags = [ctx.expand_location(flag, targets) for flag in ctx.attr.rustc_flags],
        name = ctx.attr.crate_name or ctx.label.name.replace("-", "_"),
        root = root,
        srcs = srcs,
        version = ctx.attr.version,
    )

def extend_source(ctx, source):
    """`source` with the attributes of a rust_test(crate = ...) added."""
    own = ctx.attr
    return struct(
        aliases = dict(source.aliases.items() + {target[RustInfo].crate: alias for target, alias in own.aliases.items()}.items()),
        compile_data = source.compile_data + ctx.files.compile_data,
        deps = source.deps + all_deps(ctx),
        edition = own.edition or source.edition,
        env = dict(source.env.items() + expand_env(ctx, own.rustc_env).items()),
        features = source.features + own.crate_features,
        flags = source.flags + own.rustc_flags,
        name = source.name,
        root = source.root,
        srcs = source.srcs + ctx.files.srcs,
        version = source.version,
    )

def _root(ctx, crate_type):
    """The crate root: crate_root, the only source, main.rs or lib.rs, or the file named as the target is."""
    if ctx.file.crate_root:
        return ctx.file.crate_root
    srcs = ctx.files.srcs
    if len(srcs) == 1:
        return srcs[0]
    usual = "main.rs" if crate_type == "bin" else "lib.rs"
    wanted = ["src/" + usual, usual, ctx.label.name + ".rs", "tests/" + ctx.label.name + ".rs"]
    for name in wanted:
        for src in srcs:
            if _in_package(ctx, src) == name:
                return src
    fail("no crate root: name one of the srcs %s, or set crate_root" % " or ".join(wanted))

def _in_package(ctx, file):
    """The path of `file` below the target's package; a file of another package keeps its whole path."""
    package = ctx.label.package + "/"
    return file.short_path[len(package):] if file.short_path.startswith(package) else file.short_path

def _one_tree(ctx, root):
    """rustc finds `mod x;` beside its parent: where some srcs are generated, all are linked into one folder."""
    srcs, data = ctx.files.srcs, ctx.files.compile_data
    if not [f for f in srcs if not f.is_source]:
        return srcs, data, root
    linked = {}
    for file in srcs + data + [root]:
        if file.path not in linked:
            link = ctx.actions.declare_file("%s.srcs/%s" % (ctx.label.name, _in_package(ctx, file)))
            ctx.actions.symlink(output = link, target_file = file)
            linked[file.path] = link

    # A link points at its target: that must be there as well.
    return [linked[f.path] for f in srcs] + srcs, [linked[f.path] for f in data] + data, linked[root.path]
