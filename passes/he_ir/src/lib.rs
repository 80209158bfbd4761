//! HeProgram: SSA over tensors of ciphertexts.
