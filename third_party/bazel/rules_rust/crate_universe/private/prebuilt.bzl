"""One crate that cargo has built."""

load("//rust/private:providers.bzl", "RustInfo")

def _impl(ctx):
    return [
        DefaultInfo(files = depset([ctx.file.output])),
        RustInfo(
            crate = ctx.attr.crate,
            files = depset(transitive = [t[DefaultInfo].files for t in ctx.attr.all]),
            is_macro = ctx.attr.is_macro,
            link_flags = depset(),
            native = depset(),
            output = ctx.file.output,
            source = None,
        ),
    ]

rust_prebuilt = rule(
    implementation = _impl,
    attrs = {
        "all": attr.label_list(),
        "crate": attr.string(),
        "is_macro": attr.bool(),
        "output": attr.label(allow_single_file = True),
    },
)
