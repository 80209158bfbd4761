"""The same repositories for MODULE.bazel."""

load(":models.bzl", "model_repository")

def _impl(_ctx):
    model_repository(name = "dog_breeds")
    model_repository(name = "efficientnet_lite0")
    model_repository(name = "mobilenet_v2_features")
    model_repository(name = "photos")

models = module_extension(implementation = _impl)
