"""The same repository for MODULE.bazel."""

load(":bochscpu.bzl", "bochscpu_repository")

def _impl(_ctx):
    bochscpu_repository(name = "bochscpu")

bochscpu = module_extension(implementation = _impl)
