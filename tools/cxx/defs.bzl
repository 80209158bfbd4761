"""rust_cxx_bridge: the C++ side of a #[cxx::bridge] module."""

load("@rules_cc//cc:defs.bzl", "cc_library")

def rust_cxx_bridge(name, src, deps, copts = [], visibility = None):
    """Makes the cc_library that a Rust target with the bridge in `src` depends on.

    Args:
      name: of the cc_library
      src: Rust file with the bridge
      deps: cc_libraries whose headers the bridge includes
      copts: of the generated code
      visibility: of the cc_library
    """
    header, source = src + ".h", src + ".cc"
    native.genrule(
        name = name + "_code",
        srcs = [src],
        outs = [header, source],
        cmd = "$(location //tools/cxx:cxxbridge) $(location %s) $(location %s) $(location %s)" % (src, header, source),
        tools = ["//tools/cxx:cxxbridge"],
    )
    cc_library(
        name = name,
        srcs = [source],
        hdrs = [header],
        copts = copts,
        linkstatic = True,
        visibility = visibility,
        deps = deps + ["//tools/cxx"],
    )
