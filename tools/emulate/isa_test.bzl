"""isa_test: a test that needs instruction sets, run on this processor or on the emulated one, never skipped."""

def isa_test(name, binary, isas, cases = [], data = [], env = {}, emulated_env = {}, always_emulate = False, shard_count = None, tags = []):
    """Runs a rust_test where there is all of `isas`.

    The log's first line says `native` or `emulated`. HENGE_EMULATE=1 takes the emulator even where it is not needed.

    Args:
      name: of the test
      binary: a rust_test built with rustc_flags = ["-Ctarget-feature=+crt-static"]
      isas: names as HENGE_ISA spells them; the test binary is told in HENGE_REQUIRE_ISA
      cases: names, or parts of names, of its cases; all of them if there are none
      data: what the test binary reads
      env: environment of the test binary
      emulated_env: more of it, under the emulator
      always_emulate: do not ask what this processor has
      shard_count: its cases are dealt to so many runs, which Bazel may start at the same moment
      tags: more of them; `avx512` is added where an AVX-512 set is asked for
    """
    options = ["--python=$(rootpath @bochscpu//:python)", "--binary=$(rootpath %s)" % binary, "--isas=" + ",".join(isas)]
    options += ["--env=%s=%s" % pair for pair in env.items()]
    options += ["--emulated-env=%s=%s" % pair for pair in emulated_env.items()]
    if always_emulate:
        options.append("--always-emulate")
    native.sh_test(
        name = name,
        timeout = "long",
        srcs = ["//tools/emulate:isa_test.py"],
        args = options + cases,
        data = [binary, "//tools/emulate:emulator", "@bochscpu//:python"] + data,
        shard_count = shard_count,
        tags = tags + (["avx512"] if [isa for isa in isas if isa.startswith("avx512")] else []),
    )
