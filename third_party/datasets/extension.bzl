"""The same repositories for MODULE.bazel."""

load(":datasets.bzl", "dataset_repository")

def _impl(_ctx):
    dataset_repository(name = "mnist")
    dataset_repository(name = "fashion_mnist")

datasets = module_extension(implementation = _impl)
