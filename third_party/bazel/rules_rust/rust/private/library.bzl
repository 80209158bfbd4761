"""rust_library, rust_proc_macro, rust_static_library."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")
load(":compile.bzl", "TOOLCHAINS", "compile_rust")
load(":providers.bzl", "RustInfo")
load(":source.bzl", "ATTRS", "read_source", "runfiles")

def _rust_library_impl(ctx):
    return _library(ctx, "rlib", "rlib")

def _rust_proc_macro_impl(ctx):
    return _library(ctx, "proc-macro", "so")

def _library(ctx, crate_type, extension):
    source = read_source(ctx, crate_type)

    # rustc tells crates of one name apart by file name.
    ident = hash(str(ctx.label)) % 1000000007
    output = ctx.actions.declare_file("lib%s-%d.%s" % (source.name, ident, extension))
    below = compile_rust(ctx, source, crate_type, output)
    is_macro = crate_type == "proc-macro"
    return [
        DefaultInfo(files = depset([output]), runfiles = runfiles(ctx)),
        RustInfo(
            crate = source.name,
            files = depset([output]) if is_macro else depset([output], transitive = [below.files]),
            is_macro = is_macro,
            link_flags = depset() if is_macro else below.link_flags,
            native = depset() if is_macro else below.native,
            output = output,
            source = source,
        ),
    ]

def _rust_static_library_impl(ctx):
    """A .a with all its Rust inside, for deps of cc_library and cc_binary."""
    output = ctx.actions.declare_file("lib%s.a" % ctx.label.name)
    compile_rust(ctx, read_source(ctx, "staticlib"), "staticlib", output)

    cc = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(ctx = ctx, cc_toolchain = cc)
    library = cc_common.create_library_to_link(
        actions = ctx.actions,
        feature_configuration = features,
        cc_toolchain = cc,
        static_library = output,
        pic_static_library = output,
        alwayslink = True,
    )
    linker_input = cc_common.create_linker_input(
        owner = ctx.label,
        libraries = depset([library]),
        user_link_flags = depset(["-lpthread", "-ldl", "-lm"]),
    )
    info = CcInfo(linking_context = cc_common.create_linking_context(linker_inputs = depset([linker_input])))
    return [
        DefaultInfo(files = depset([output]), runfiles = runfiles(ctx)),
        cc_common.merge_cc_infos(cc_infos = [info] + [d[CcInfo] for d in ctx.attr.deps if CcInfo in d]),
    ]

rust_library = rule(
    implementation = _rust_library_impl,
    attrs = ATTRS,
    fragments = ["cpp"],
    incompatible_use_toolchain_transition = True,
    toolchains = TOOLCHAINS,
)

rust_proc_macro = rule(
    implementation = _rust_proc_macro_impl,
    attrs = ATTRS,
    fragments = ["cpp"],
    incompatible_use_toolchain_transition = True,
    toolchains = TOOLCHAINS,
)

rust_static_library = rule(
    implementation = _rust_static_library_impl,
    attrs = ATTRS,
    fragments = ["cpp"],
    incompatible_use_toolchain_transition = True,
    toolchains = TOOLCHAINS,
)
