//! What a server must never be able to name: secret key, key generation, symmetric encryption, decryption.
