//! Two images to a slot: a layer of weights and biases acts on each image as if it were alone, and values may lie in several tensors.

use he_ckks::{CkksError, Evaluator, Group, LinearOperand, LinearWeights, PackedBlock, WeightBlock};
use he_params::{Packing, RingType, Scale};
use he_secret::Decryptor;

use crate::support::{Setup, conjugate_invariant, literal, literals, numbers};

#[test]
fn two_images_in_a_slot_do_not_meet() {
    for literal in literals().into_iter().filter(|literal| literal.ring == RingType::Cyclotomic) {
        let setup = Setup::new(literal);
        let images = Packing::Complex.images(setup.slots());
        let e = Evaluator::new(&setup.context).with_packing(Packing::Complex).unwrap();
        for count in [images, images - 3, setup.slots(), 5] {
            let rows: Vec<Vec<f64>> = (0..3).map(|k| numbers(count, setup.seed, k)).collect();
            let mut encryptor = setup.encryptor(1);
            let x = encryptor.encrypt_packed_tensor(&rows, Packing::Complex, setup.top(), setup.scale()).unwrap();
            let x = x.expand(&setup.context).unwrap();
            let block = WeightBlock { outputs: 2, inputs: 3, weights: vec![7, -20, 3, 0, 16, -1] };
            let group = Group { inputs: vec![2, 0, 1], outputs: vec![1, 0], block: 0 };
            let packed = PackedBlock::new(&block).unwrap();
            let layer = LinearWeights::from_packed(3, 2, vec![packed], vec![group]).unwrap();
            let bias = [0.75, -1.5];
            let mut y = e.linear(&x, &layer, Scale::new(16.0).unwrap(), &bias).unwrap();
            let (first, rest) = (x.gather(&[0]).unwrap(), x.gather(&[2, 1]).unwrap());
            let scattered = LinearOperand::Scattered(vec![(&first, 0), (&rest, 1), (&rest, 0)]);
            assert_eq!(e.linear(scattered, &layer, Scale::new(16.0).unwrap(), &bias).unwrap(), y);
            e.add_scalar_assign(&mut y, &[0.25]).unwrap();
            let plain = Decryptor::new(&setup.context, &setup.secret).decrypt(&y).unwrap();
            let mut found = vec![vec![0.0; count]; 2];
            for (value, out) in found.iter_mut().enumerate() {
                setup.encoder.decode_packed(&plain, value, Packing::Complex, out).unwrap();
            }
            let mut largest = 0.0f64;
            for image in 0..count {
                let [a, b, c] = [2, 0, 1].map(|k: usize| rows[k][image]);
                let want = [(16.0 * b - c) / 16.0 + 1.0, (7.0 * a - 20.0 * b + 3.0 * c) / 16.0 - 1.25];
                largest = (0..2).fold(largest, |m, o| m.max((found[o][image] - want[o]).abs()));
            }
            // Fresh noise of 3.2 sqrt(N) in a slot, times the weights over 16, twelve deviations.
            let n = 2.0 * setup.slots() as f64;
            let bound = 12.0 * 2.0 * 3.3 * n.sqrt() / setup.scale().get();
            assert!(largest < bound, "{count} images: {largest:.2e} of {bound:.2e}");
        }
        let mut out = vec![0.0; images + 1];
        let plain = setup.encoder.encode(&[1.0], setup.top(), setup.scale()).unwrap();
        let error = setup.encoder.decode_packed(&plain, 0, Packing::Complex, &mut out).unwrap_err();
        assert_eq!(error, CkksError::TooManySlots { found: images + 1, slots: images });
        let mut encryptor = setup.encryptor(2);
        assert!(encryptor.encrypt_packed_tensor(&[&out], Packing::Complex, setup.top(), setup.scale()).is_err());
    }
}

#[test]
fn scattered_values_that_differ_are_refused() {
    let setup = Setup::new(literals().remove(0));
    let e = &setup.evaluator;
    let x = setup.encrypt(&setup.messages(2, 1), 1);
    let low = e.drop_level(x.clone(), he_params::Level::new(1)).unwrap();
    let layer = LinearWeights::new(2, 1, vec![], vec![]).unwrap();
    let refused = |values| e.linear(LinearOperand::Scattered(values), &layer, Scale::ONE, &[]).unwrap_err();
    assert!(matches!(refused(vec![(&x, 0), (&low, 0)]), CkksError::LevelMismatch { .. }));
    assert_eq!(refused(vec![(&x, 0), (&x, 2)]), CkksError::ValueOutOfRange { value: 2, values: 2 });
    assert_eq!(refused(vec![(&x, 0)]), CkksError::ValueMismatch { left: 1, right: 2 });
}

#[test]
fn real_slots_hold_no_second_image() {
    let setup = Setup::new(conjugate_invariant(literal(10, &[40, 30], &[40], 25.0, 1)));
    let (slots, top, scale) = (setup.slots(), setup.top(), setup.scale());
    assert_eq!(slots, 1024);
    let refused = Evaluator::new(&setup.context).with_packing(Packing::Complex).unwrap_err();
    assert_eq!(refused, CkksError::RealSlots);
    let complex = setup.encoder.encode_complex(&setup.messages(1, 1)[0], top, scale).unwrap_err();
    assert_eq!(complex, CkksError::RealSlots);
    let two = [vec![0.5; slots + 1]];
    let packed = setup.encryptor(1).encrypt_packed_tensor(&two, Packing::Complex, top, scale).unwrap_err();
    assert!(packed.to_string().contains("real numbers only"), "{packed}");
    let one = setup.encoder.encode(&[0.5], top, scale).unwrap();
    let decoded = setup.encoder.decode_packed(&one, 0, Packing::Complex, &mut two[0].clone()).unwrap_err();
    assert_eq!(decoded, CkksError::RealSlots);
}
