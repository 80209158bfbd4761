//! The binary format of everything Henge stores or sends.
mod bits;
mod digest;
mod envelope;
mod error;
mod kind;
mod object;
mod params;
mod reader;
mod tensor;
mod writer;

pub use digest::ParamsDigest;
pub use envelope::{CHECKSUM_LEN, Envelope, HEADER_LEN, Header, MAGIC, VERSION, expect_end_of_stream};
pub use error::WireError;
pub use kind::Kind;
pub use object::WireObject;
pub use params::{MAX_PARAMS_BODY, params_from_bytes, params_to_bytes, read_params, write_params};
pub use reader::Reader;
pub use tensor::tensor_len;
pub use writer::Writer;
