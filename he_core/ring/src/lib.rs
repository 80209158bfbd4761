//! Arithmetic in Z_q[X]/(X^N+1): moduli, transforms, RNS bases, kernels, sampling.
