//! Streams that broke, told from messages that were refused.

use std::error::Error;

use tonic::Status;

/// What tonic says of a stream that ends within a message.
const WITHIN: &str = "Unexpected EOF decoding stream.";

/// Whether a stream ended because its transport did. A status that tonic makes of an error of the transport has that error for its source; one that
/// the other side sent, or that refuses a message which was received, has none.
pub fn is_cut(status: &Status) -> bool {
    status.source().is_some() || status.message() == WITHIN
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use tonic::Code;
    use tonic::codec::{Codec, Streaming};
    use tonic_prost::ProstCodec;

    use super::*;
    use crate::v1;

    /// How a stream of these bytes ends.
    fn end(bytes: &str) -> Status {
        let decoder = ProstCodec::<v1::FromClient, v1::FromClient>::default().decoder();
        let mut stream = Streaming::new_request(decoder, bytes.to_owned(), None, Some(100));
        match pin!(stream.message()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(status)) => status,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_message_that_breaks_off_is_a_cut_and_one_that_cannot_be_read_is_none() {
        assert!(is_cut(&end("\0\0\0\0\x09half")));
        let unreadable = end("\0\0\0\0\x04\x07\x07\x07\x07");
        assert!(!is_cut(&unreadable) && unreadable.message().contains("Protobuf"), "{unreadable:?}");
        let long = end("\0\0\0\0\x7flong");
        assert!(!is_cut(&long) && long.code() == Code::OutOfRange, "{long:?}");
        assert!(is_cut(&Status::from_error("a wire".into())));
    }
}
