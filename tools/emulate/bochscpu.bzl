"""bochscpu_repository: the emulated processor as `@bochscpu//:site`, and `@bochscpu//:python`, the Python it was fetched for."""

_BUILD = """
exports_files(["python"], visibility = ["//visibility:public"])

filegroup(
    name = "site",
    srcs = glob(["site/**"], exclude = ["**/__pycache__/**"]),
    visibility = ["//visibility:public"],
)
"""

def _impl(ctx):
    # Asked for by label: the rule runs again when the pin changes.
    requirements = ctx.path(ctx.attr.requirements)
    python = ctx.which("python3")
    if not python:
        fail("no python3 on the PATH")

    # Past a version manager's stand-in, which needs HOME.
    real = ctx.execute([python, "-c", "import sys; print(sys.executable, end = '')"]).stdout
    ctx.report_progress("fetching the emulated processor")
    result = ctx.execute(
        [real, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--require-hashes", "--only-binary=:all:"] +
        ["--target", "site", "--requirement", requirements],
        timeout = 1200,
    )
    if result.return_code:
        fail("pip could not bring what %s pins:\n%s%s" % (requirements, result.stdout, result.stderr))
    ctx.file("python", "#!/bin/sh\nexec %s -IB \"$@\"\n" % real)
    ctx.file("BUILD.bazel", _BUILD, executable = False)

_bochscpu_repository = repository_rule(
    implementation = _impl,
    attrs = {
        "requirements": attr.label(default = ":bochscpu.requirements.txt", allow_single_file = True),
    },
)

def bochscpu_repository(name):
    """Declares the repository @NAME."""
    _bochscpu_repository(name = name)
