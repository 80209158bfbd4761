//! What is RLWE but not yet CKKS: public, relinearization and Galois keys, key switching, wire format.
