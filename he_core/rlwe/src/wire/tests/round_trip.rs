//! What is written is read back, in whatever way, and in one way only.

use std::io::{self, Read};

use he_params::primes::ntt_prime_chain;
use he_params::{CkksParamsLiteral, LogN, RingType, presets};
use proptest::prelude::*;

use super::*;
use crate::wire::{
    Envelope, HEADER_LEN, Header, expect_end_of_stream, params_from_bytes, params_to_bytes, read_params, tensor_len,
    write_params,
};

/// A network: a byte at a time.
struct Drip<R>(R);

impl<R: Read> Read for Drip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(1);
        self.0.read(&mut buffer[..len])
    }
}

#[test]
fn an_object_comes_back_from_memory_and_from_a_stream() {
    let context = context();
    let sample = Sample::new(&context);
    let bytes = sample.to_bytes(&context).unwrap();
    assert_eq!(Sample::from_bytes(&context, &bytes).unwrap(), sample);

    let header = Header::parse(&bytes).unwrap();
    assert_eq!(header.kind, Kind::SeededCiphertextTensor);
    assert_eq!(header.params, ParamsDigest::of(&context.params));
    assert_eq!(header.to_bytes(), bytes[..HEADER_LEN]);

    let mut stream = Vec::new();
    sample.write_to(&context, &mut stream).unwrap();
    write_params(&context.params, &mut stream).unwrap();
    assert_eq!(stream, [bytes, params_to_bytes(&context.params)].concat());
    for mut input in [Box::new(&stream[..]) as Box<dyn Read>, Box::new(Drip(&stream[..]))] {
        assert_eq!(Sample::read_from(&context, &mut input, header.body_len).unwrap(), sample);
        assert_eq!(read_params(&mut input).unwrap(), context.params);
        expect_end_of_stream(&mut input).unwrap();
    }
}

#[test]
fn secret_bytes_are_the_same_bytes() {
    let context = context();
    let secret = tensor::<Eval>(&context.ring, 1, &[0, 1, 2, 3]);
    let bodies = [Kind::SecretKey, Kind::Plaintext].map(|kind| {
        let mut writer = Writer::new(kind, &context.params);
        (0..100).for_each(|i| writer.u32(i));
        writer.tensor(&context.ring, &secret).unwrap();
        let mut bytes = Vec::new();
        writer.write_to(&mut bytes).unwrap();
        let envelope = Envelope::read_from(&mut &bytes[..], kind, &ParamsDigest::of(&context.params), 10_000).unwrap();
        let len = envelope.reader().remaining() as usize;
        envelope.reader().bytes("all", len).unwrap().to_vec()
    });
    assert_eq!(bodies[0], bodies[1]);
}

#[test]
fn every_preset_comes_back_with_its_primes_written_out() {
    for name in presets::names() {
        let literal = presets::preset(name).unwrap();
        let params = CkksParams::try_from(literal.clone()).unwrap();
        let real = CkksParamsLiteral { ring: RingType::ConjugateInvariant, ..literal };
        let real = CkksParams::try_from(real).unwrap();
        let back = params_from_bytes(&params_to_bytes(&real)).unwrap();
        assert_eq!((back.shape(), back.q(), back.p()), (real.shape(), real.q(), real.p()), "{name}");
        assert_ne!(ParamsDigest::of(&real), ParamsDigest::of(&params), "{name}");
        let bytes = params_to_bytes(&params);
        let back = params_from_bytes(&bytes).unwrap();
        assert_eq!((back.q(), back.p(), back.scale()), (params.q(), params.p(), params.scale()), "{name}");
        assert_eq!(back.security_report(), params.security_report(), "{name}");
        assert_eq!(params_to_bytes(&back), bytes, "{name}");
        assert_eq!(ParamsDigest::of(&back), ParamsDigest::of(&params), "{name}");
    }
}

#[test]
fn a_component_is_written_from_and_read_into_its_rows() {
    let context = context();
    let (values, components, limbs) = (3, 2, [2usize, 0]);
    let both = tensor::<Coeff>(&context.ring, values * components, &limbs);
    for component in 0..components {
        let mut writer = Writer::new(Kind::Plaintext, &context.params);
        writer.tensor(&context.ring, both.view().select(component, values, components).unwrap()).unwrap();
        assert_eq!(writer.body_len(), tensor_len(&context.ring, values, &limbs).unwrap());
        let bytes = writer.finish();

        let mut back = both.clone();
        for limb in 0..limbs.len() {
            for value in 0..values {
                back.set_row_from_u64(limb, value * components + component, [0; 4].into_iter()).unwrap();
            }
        }
        assert_ne!(back, both);
        let mut reader = Reader::open(&bytes, Kind::Plaintext, &ParamsDigest::of(&context.params)).unwrap();
        let rows = back.view_mut().select(component, values, components).unwrap();
        reader.tensor_into(&context.ring, rows).unwrap();
        reader.finish().unwrap();
        assert_eq!(back, both);
    }
}

#[test]
fn no_rows_and_no_limbs_are_tensors_too() {
    let context = context();
    for (rows, limbs) in [(0, vec![0, 1]), (2, vec![])] {
        let nothing = context.ring.zero::<Eval>(rows, &limbs).unwrap();
        let mut writer = Writer::new(Kind::Plaintext, &context.params);
        writer.tensor(&context.ring, &nothing).unwrap();
        let bytes = writer.finish();
        let mut reader = Reader::open(&bytes, Kind::Plaintext, &ParamsDigest::of(&context.params)).unwrap();
        assert_eq!(reader.tensor::<Eval>(&context.ring, rows, &limbs).unwrap(), nothing);
        reader.finish().unwrap();
    }
}

/// A ring of degree `2^log_n` over primes of these sizes.
fn ring(log_n: u8, bits: &[u8]) -> Ring {
    let primes = ntt_prime_chain(bits, LogN::new(log_n).unwrap(), &[]).unwrap();
    Ring::new(u32::from(log_n), &primes, Isa::Scalar).unwrap()
}

fn body(ring: &Ring, x: &RnsTensor<Eval>) -> Vec<u8> {
    let mut writer = Writer::new(Kind::Plaintext, &context().params);
    writer.tensor(ring, x).unwrap();
    writer.finish()[HEADER_LEN..HEADER_LEN + tensor_len(ring, x.rows(), &x.limb_indices()).unwrap() as usize].to_vec()
}

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    let ring = ring(12, &[30, 31, 24, 61]);
    let x = tensor(&ring, 7, &[3, 0, 2, 1]);
    let bytes = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let bytes = body(&ring, &x);
            assert_eq!(Reader::new(&bytes).tensor::<Eval>(&ring, 7, &[3, 0, 2, 1]).unwrap(), x);
            bytes
        })
    });
    assert_eq!(bytes[0], bytes[1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn tensors_of_any_widths(log_n in 1u8..9, rows in 1usize..6, bits in prop::collection::vec(13u8..=61, 1..5)) {
        let ring = ring(log_n, &bits);
        let limbs: Vec<usize> = (0..bits.len()).rev().collect();
        let x = tensor(&ring, rows, &limbs);
        let bytes = body(&ring, &x);
        let mut reader = Reader::new(&bytes);
        let back = reader.tensor::<Eval>(&ring, rows, &limbs).unwrap();
        reader.finish().unwrap();
        prop_assert_eq!(body(&ring, &back), bytes);
        prop_assert_eq!(back, x);
    }
}
