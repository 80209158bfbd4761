//! Every bound of the protocol. What exceeds one is refused before memory is taken for it.

/// Longest encoded message, in bytes: gRPC refuses a longer one by its length prefix, before it is read.
pub const MESSAGE_BYTES: usize = 2 << 20;
/// Longest data of one part, in bytes.
pub const PART_BYTES: usize = 512 << 10;
/// Longest description of a model, in bytes: every port with the longest name and shape, and the longest parameters, leave a third of it.
pub const DESCRIPTION_BYTES: usize = 256 << 10;
/// Longest name of a model, an input or an output, in bytes.
pub const NAME_BYTES: usize = 256;
/// Most models of a server.
pub const MODELS: usize = 256;
/// Most inputs, and most outputs, of a model.
pub const PORTS: usize = 256;
/// Most dimensions of a shape.
pub const DIMENSIONS: usize = 8;
/// Most elements of an input or an output.
pub const ELEMENTS: usize = 1 << 24;
/// Most ciphertexts of one request, and of its answer.
pub const TILE_VALUES: usize = 1 << 16;
/// Most indices of the groups of one request.
pub const GROUP_INDICES: usize = 1 << 18;
/// Longest parameter set, in bytes, envelope included.
pub const PARAMETERS_BYTES: usize = 4096;
/// Longest object of any kind, in bytes; what the parameters allow is usually far less.
pub const OBJECT_BYTES: u64 = 4 << 30;
/// Longest deadline, in milliseconds: a week.
pub const DEADLINE_MS: u64 = 7 * 24 * 3600 * 1000;
