"""dataset_repository: one data set of fetch.sh as `@NAME//:files`."""

_BUILD = """
filegroup(
    name = "files",
    srcs = {files},
    visibility = ["//visibility:public"],
)
"""

def _impl(ctx):
    # Asked for by label: the rule runs again when one of these changes.
    script = ctx.path(ctx.attr.script)
    for label in ctx.attr.pins:
        ctx.path(label)

    ctx.report_progress("fetching the data set " + ctx.attr.dataset)
    result = ctx.execute([script, "fetched", ctx.attr.dataset], timeout = 1200)
    if result.return_code:
        fail(result.stderr)
    files = [f.basename for f in ctx.path("fetched/" + ctx.attr.dataset).readdir()]
    moved = ctx.execute(["mv", "-t", "."] + ["fetched/%s/%s" % (ctx.attr.dataset, f) for f in files])
    if moved.return_code:
        fail(moved.stderr)
    ctx.file("BUILD.bazel", _BUILD.format(files = repr(sorted(files))), executable = False)

_dataset_repository = repository_rule(
    implementation = _impl,
    attrs = {
        "dataset": attr.string(mandatory = True),
        "pins": attr.label_list(default = [":SHA256SUMS", ":mnist.requirements.txt"], allow_files = True),
        "script": attr.label(default = ":fetch.sh", allow_single_file = True),
    },
)

def dataset_repository(name):
    """Declares the repository @NAME with the data set of that name."""
    _dataset_repository(name = name, dataset = name)
