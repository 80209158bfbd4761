"""seal_repository: Microsoft SEAL as `@seal//:seal`, a cc_library made from the sources that fetch.sh brings."""

VERSION = "4.1.2"

# SEAL's own defaults for Linux on x86-64 with GCC or Clang, as its CMakeLists.txt answers them there; what is not listed
# is off: Intel HEXL (off by default), Microsoft GSL (it only adds overloads for gsl::span), and other systems' functions.
_ON = [
    "SEAL_THROW_ON_TRANSPARENT_CIPHERTEXT",
    "SEAL_USE_ALIGNED_ALLOC",
    "SEAL_USE_EXPLICIT_BZERO",
    "SEAL_USE_IF_CONSTEXPR",
    "SEAL_USE_INTRIN",
    "SEAL_USE_MAYBE_UNUSED",
    "SEAL_USE_NODISCARD",
    "SEAL_USE_SHARED_MUTEX",
    "SEAL_USE_STD_BYTE",
    "SEAL_USE_STD_FOR_EACH_N",
    "SEAL_USE_ZLIB",
    "SEAL_USE_ZSTD",
    "SEAL_USE__ADDCARRY_U64",
    "SEAL_USE__SUBBORROW_U64",
    "SEAL_USE___BUILTIN_CLZLL",
    "SEAL_USE___INT128",
]

_CONFIG = "SEAL/native/src/seal/util/config.h"

def _config(template):
    """config.h.in filled in, as cmake's configure_file would."""
    lines = []
    unseen = {name: True for name in _ON}
    for line in template.split("\n"):
        if line.startswith("#cmakedefine SEAL_DEFAULT_PRNG"):
            line = "#define SEAL_DEFAULT_PRNG Blake2xb"
        elif line.startswith("#cmakedefine "):
            name = line.split(" ")[1]
            line = "#define " + name if name in _ON else "/* #undef %s */" % name
            unseen.pop(name, None)
        lines.append(line)
    if unseen:
        fail("config.h.in knows nothing of " + ", ".join(unseen.keys()))
    text = "\n".join(lines).replace("@SEAL_VERSION@", VERSION)
    for part, number in zip(["MAJOR", "MINOR", "PATCH"], VERSION.split(".")):
        text = text.replace("@SEAL_VERSION_%s@" % part, number)
    if "@" in text:
        fail("config.h.in has a variable that this rule does not know:\n" + text)
    return text

def _impl(ctx):
    # Asked for by label: the rule runs again when one of these changes.
    script = ctx.path(ctx.attr.script)
    for label in ctx.attr.pins:
        ctx.path(label)
    ctx.report_progress("fetching Microsoft SEAL")
    result = ctx.execute([script, "."], timeout = 1200)
    if result.return_code:
        fail(result.stderr)
    ctx.file(_CONFIG, _config(ctx.read(_CONFIG + ".in")), executable = False)
    ctx.template("BUILD.bazel", ctx.attr.build_file, executable = False)

seal_repository = repository_rule(
    implementation = _impl,
    attrs = {
        "build_file": attr.label(default = ":seal.BUILD.bazel", allow_single_file = True),
        "pins": attr.label_list(
            default = [":pyfhel.requirements.txt", "//third_party/seal:sources/Cargo.lock", "//third_party/seal:sources/Cargo.toml"],
            allow_files = True,
        ),
        "script": attr.label(default = ":fetch.sh", allow_single_file = True),
    },
)

def _built_once_impl(ctx):
    return [ctx.attr.library[CcInfo]]

# Whatever the mode of the command, the library comes out of the one configuration that tools are built in, always
# optimised: `test` and `run` share its objects.
built_once = rule(
    implementation = _built_once_impl,
    attrs = {"library": attr.label(cfg = "exec", mandatory = True, providers = [CcInfo])},
)
