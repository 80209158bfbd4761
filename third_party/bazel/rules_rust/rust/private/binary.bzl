"""rust_binary and rust_test: what runs."""

load(":compile.bzl", "TOOLCHAINS", "compile_rust")
load(":providers.bzl", "RustInfo")
load(":source.bzl", "ATTRS", "expand_env", "extend_source", "read_source", "runfiles")

def _rust_binary_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name)
    source = read_source(ctx, "bin")
    compile_rust(ctx, source, "bin", output)
    return [
        DefaultInfo(executable = output, files = depset([output]), runfiles = runfiles(ctx, [output])),
        # Only for rust_test(crate = ...): nothing can be linked against a binary.
        RustInfo(
            crate = source.name,
            files = depset(),
            is_macro = False,
            link_flags = depset(),
            native = depset(),
            output = None,
            source = source,
        ),
    ]

def _rust_test_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name)
    files = runfiles(ctx, [output])
    if ctx.attr.crate:
        source = extend_source(ctx, ctx.attr.crate[RustInfo].source)
        files = files.merge(ctx.attr.crate[DefaultInfo].default_runfiles)
    else:
        source = read_source(ctx, "test")
    compile_rust(ctx, source, "bin", output, test = True)
    return [
        DefaultInfo(executable = output, files = depset([output]), runfiles = files),
        testing.TestEnvironment(expand_env(ctx, ctx.attr.env)),
    ]

rust_binary = rule(
    implementation = _rust_binary_impl,
    attrs = ATTRS,
    executable = True,
    fragments = ["cpp"],
    incompatible_use_toolchain_transition = True,
    toolchains = TOOLCHAINS,
)

rust_test = rule(
    implementation = _rust_test_impl,
    attrs = dict(ATTRS.items() + {
        "crate": attr.label(providers = [RustInfo]),
        "env": attr.string_dict(),
    }.items()),
    fragments = ["cpp"],
    incompatible_use_toolchain_transition = True,
    test = True,
    toolchains = TOOLCHAINS,
)
