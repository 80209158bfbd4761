"""The same repository for MODULE.bazel."""

load(":seal.bzl", "seal_repository")

def _impl(_ctx):
    seal_repository(name = "seal")

seal = module_extension(implementation = _impl)
