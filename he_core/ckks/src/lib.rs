//! What a message is: encoder, plaintext, ciphertext tensor, evaluator, precision.
