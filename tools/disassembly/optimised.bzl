"""optimised: what a target makes under `-c opt`, whatever the mode of the build."""

def _to_opt(_settings, _attr):
    return {"//command_line_option:compilation_mode": "opt"}

_opt = transition(
    implementation = _to_opt,
    inputs = [],
    outputs = ["//command_line_option:compilation_mode"],
)

def _impl(ctx):
    files = depset(transitive = [target[DefaultInfo].files for target in ctx.attr.target])
    return [DefaultInfo(files = files, runfiles = ctx.runfiles(transitive_files = files))]

optimised = rule(
    implementation = _impl,
    attrs = {
        "target": attr.label(cfg = _opt, mandatory = True),
        "_allowlist_function_transition": attr.label(default = "@bazel_tools//tools/allowlists/function_transition_allowlist"),
    },
)
