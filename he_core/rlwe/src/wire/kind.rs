//! What an object is.

use std::fmt;

use super::WireError;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// What an object is; its number in the header never changes meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum Kind {
            $($(#[$doc])* $name = $number,)*
        }

        impl Kind {
            /// Every kind, by ascending number.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The name in messages.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$name => $text,)*
                }
            }
        }
    };
}

kinds! {
    /// Parameters.
    Params = 1, "parameter set";
    /// A public encryption key.
    PublicKey = 2, "public key";
    /// The key from s^2 to s.
    RelinearizationKey = 3, "relinearization key";
    /// Keys of automorphisms.
    GaloisKeys = 4, "set of galois keys";
    /// Everything a server needs to evaluate: relinearization and Galois keys together.
    EvaluationKeys = 5, "set of evaluation keys";
    /// A tensor of ciphertexts, all components.
    CiphertextTensor = 6, "ciphertext tensor";
    /// A tensor of fresh symmetric ciphertexts, the last component given by its seed.
    SeededCiphertextTensor = 7, "seeded ciphertext tensor";
    /// An encoded message.
    Plaintext = 8, "plaintext";
    /// A secret key.
    SecretKey = 9, "secret key";
}

impl Kind {
    /// The number in the header.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Whether the bytes are to be wiped from memory after use.
    pub const fn is_secret(self) -> bool {
        matches!(self, Kind::SecretKey)
    }
}

impl TryFrom<u16> for Kind {
    type Error = WireError;

    fn try_from(number: u16) -> Result<Kind, WireError> {
        let known = Kind::ALL.iter().find(|kind| kind.number() == number);
        known.copied().ok_or(WireError::UnknownKind { found: number })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
