//! Every operation against the same operation on plain vectors, in both rings, for both word widths, one and several special primes.

use crate::support::{Setup, literals, numbers};
use he_ckks::{CiphertextTensor, Complex64, Group, LinearWeights, Precision, WeightBlock};
use he_params::noise::{Noise, NoiseModel};
use he_params::{Level, Rotation, Scale};

type Vector = Vec<Complex64>;

/// What the noise formulas allow in one slot, in units of the message; a little is added for f64 in encoder and oracle.
fn bound(setup: &Setup, noise: Noise, scale: Scale) -> f64 {
    noise.slot_bound(setup.context.params().shape()) / scale.get() + 1e-13
}

fn check(setup: &Setup, what: &str, x: &CiphertextTensor, expected: &[Vector], noise: Noise) {
    let found = setup.decrypt(x);
    assert_eq!(found.len(), expected.len(), "{what}");
    let bound = bound(setup, noise, x.scale());
    for (value, (found, expected)) in found.iter().zip(expected).enumerate() {
        let precision = Precision::of_complex(expected, found);
        assert!(
            precision.largest_error <= bound,
            "{what}, value {value}, N = {}: error 2^{:.1}, bound 2^{:.1}",
            setup.context.params().n(),
            precision.largest_error.log2(),
            bound.log2()
        );
    }
}

fn map2(x: &[Vector], y: &[Vector], f: impl Fn(Complex64, Complex64) -> Complex64) -> Vec<Vector> {
    x.iter().zip(y).map(|(x, y)| x.iter().zip(y).map(|(x, y)| f(*x, *y)).collect()).collect()
}

fn model(setup: &Setup) -> NoiseModel {
    NoiseModel::of(setup.context.params())
}

fn fresh(setup: &Setup) -> Noise {
    model(setup).encoding().plus(model(setup).symmetric_encryption())
}

/// Noise of one key switch at a level, as it is in the worst slot (unsigned digits have a mean, which gathers there).
fn switching(setup: &Setup, level: Level) -> Noise {
    let params = setup.context.params();
    model(setup).of_slot_std(model(setup).key_switch_worst_slot_std(&params.digits_at(level), params.log_p()))
}

#[test]
fn sums_differences_and_plain_operands() {
    for literal in literals() {
        let setup = Setup::new(literal);
        let (x, y) = (setup.messages(3, 1), setup.messages(3, 2));
        let (cx, cy) = (setup.encrypt(&x, 1), setup.encrypt(&y, 2));
        let e = &setup.evaluator;
        let noise = fresh(&setup);
        check(&setup, "fresh", &cx, &x, noise);
        check(&setup, "add", &e.add(&cx, &cy).unwrap(), &map2(&x, &y, |a, b| a + b), noise.plus(noise));
        check(&setup, "sub", &e.sub(&cx, &cy).unwrap(), &map2(&x, &y, |a, b| a - b), noise.plus(noise));
        check(&setup, "negate", &e.negate(cx.clone()).unwrap(), &map2(&x, &x, |a, _| -a), noise);

        let plain = setup.encode(&y, setup.top(), setup.scale());
        let both = noise.plus(model(&setup).encoding());
        check(&setup, "add_plain", &e.add_plain(&cx, &plain).unwrap(), &map2(&x, &y, |a, b| a + b), both);
        check(&setup, "sub_plain", &e.sub_plain(&cx, &plain).unwrap(), &map2(&x, &y, |a, b| a - b), both);
        // (m + e)(p + r) - mp = e p + r m + e r with |m|, |p| <= sqrt 2 in every slot.
        let slot = 2f64.sqrt() * setup.scale().get();
        let product = model(&setup).product(noise, slot, model(&setup).encoding(), slot);
        check(&setup, "mul_plain", &e.mul_plain(&cx, &plain).unwrap(), &map2(&x, &y, |a, b| a * b), product);

        // One right-hand side for all.
        let one = setup.encode(&y[..1], setup.top(), setup.scale());
        let same = vec![y[0].clone(); 3];
        check(&setup, "add_plain of one", &e.add_plain(&cx, &one).unwrap(), &map2(&x, &same, |a, b| a + b), both);
        let first = cy.gather(&[0]).unwrap();
        check(&setup, "sub of one", &e.sub(&cx, &first).unwrap(), &map2(&x, &same, |a, b| a - b), noise.plus(noise));

        let scalars = [0.75, -1.5, 0.0];
        let by = |f: fn(Complex64, f64) -> Complex64| -> Vec<Vector> {
            x.iter().zip(scalars).map(|(x, s)| x.iter().map(|x| f(*x, s)).collect()).collect()
        };
        let mut sum = cx.clone();
        e.add_scalar_assign(&mut sum, &scalars).unwrap();
        check(&setup, "add_scalar", &sum, &by(|a, s| a + s), both);
        e.sub_scalar_assign(&mut sum, &scalars).unwrap();
        assert_eq!(sum, cx);
        let mut product = cx.clone();
        e.mul_scalar_assign(&mut product, &scalars, Scale::new(1024.0).unwrap()).unwrap();
        assert_eq!(product.scale(), Scale::new(setup.scale().get() * 1024.0).unwrap());
        check(&setup, "mul_scalar", &product, &by(|a, s| a * s), noise.weighted(1536.0 * 1536.0));
    }
}

#[test]
fn products_relinearization_and_rescaling_down_to_the_last_level() {
    for literal in literals() {
        let setup = Setup::new(literal);
        let relinearization = setup.keys().relinearization_key().unwrap();
        let e = &setup.evaluator;
        let (mut x, y) = (setup.messages(2, 3), setup.messages(2, 4));
        let (mut cx, cy) = (setup.encrypt(&x, 3), setup.encrypt(&y, 4));
        let mut noise = fresh(&setup);

        let slot = 2f64.sqrt() * setup.scale().get();
        let product = e.mul(&cx, &cy).unwrap();
        assert_eq!((product.component_count(), product.values()), (3, 2));
        let product_noise = model(&setup).product(noise, slot, noise, slot);
        let xy = map2(&x, &y, |a, b| a * b);
        check(&setup, "mul", &product, &xy, product_noise);
        let two = e.relinearize(&product, &relinearization).unwrap();
        check(&setup, "relinearize", &two, &xy, product_noise.plus(switching(&setup, setup.top())));
        // Three components on either side of a sum.
        let sum = e.add(&product, &two).unwrap();
        let mut other = two.clone();
        e.add_assign(&mut other, &product).unwrap();
        assert_eq!((sum.component_count(), other.component_count()), (3, 3));
        let twice = map2(&xy, &xy, |a, b| a + b);
        let twice_noise = product_noise.weighted(4.0).plus(switching(&setup, setup.top()));
        check(&setup, "3 + 2", &sum, &twice, twice_noise);
        check(&setup, "2 + 3", &other, &twice, twice_noise);
        assert_eq!(e.square(&cx).unwrap(), e.mul(&cx, &cx).unwrap());

        // Squares all the way down.
        let mut bound_of_slot = 2f64.sqrt();
        while cx.level() > Level::BOTTOM {
            let level = cx.level();
            let log_q = setup.context.params().log_q_at(level);
            if 2.0 * cx.scale().log2() + 2.0 >= log_q {
                break;
            }
            let slot = bound_of_slot * cx.scale().get();
            noise = model(&setup).square(noise, slot).plus(switching(&setup, level));
            x = map2(&x, &x, |a, b| a * b);
            let square = e.relinearize(&e.square(&cx).unwrap(), &relinearization).unwrap();
            check(&setup, "square", &square, &x, noise);
            let prime = setup.context.params().q()[level.last_prime()];
            noise = model(&setup).rescale(noise, prime, 2);
            let scale = square.scale();
            let fused = e.relinearize_rescale(&e.square(&cx).unwrap(), &relinearization).unwrap();
            cx = e.rescale(square).unwrap();
            assert_eq!((fused.level(), fused.scale()), (cx.level(), cx.scale()));
            check(&setup, "relinearize_rescale", &fused, &x, noise);
            // One rounding or two: coefficients differ by 1 at most.
            let difference = e.sub(&fused, &cx).unwrap();
            let difference = setup.context.ring().inverse(difference.rows().clone()).unwrap();
            for (limb, q) in difference.primes().into_iter().enumerate() {
                for row in 0..difference.rows() {
                    let small = difference.row(limb, row).iter().all(|c| c <= 1 || c == q - 1);
                    assert!(small, "row {row} modulo {q}");
                }
            }
            assert_eq!(cx.level(), level.below().unwrap());
            assert_eq!(cx.scale().get(), scale.get() / prime as f64);
            bound_of_slot *= bound_of_slot;
            check(&setup, "rescale", &cx, &x, noise);
            // Keep the numbers near one.
            if bound_of_slot > 1.5 {
                break;
            }
        }
        let low = e.drop_level(cy.clone(), Level::new(1)).unwrap();
        assert_eq!((low.level(), low.scale()), (Level::new(1), cy.scale()));
        check(&setup, "drop_level", &low, &y, fresh(&setup));
    }
}

#[test]
fn rotations_and_conjugation() {
    for literal in literals() {
        let setup = Setup::new(literal);
        let slots = setup.slots() as i32;
        let rotations = [1, -1, 5, slots / 2, slots - 3].map(Rotation);
        let keys = setup.keys().galois_keys(&rotations, true).unwrap();
        let e = &setup.evaluator;
        let x = setup.messages(2, 5);
        let cx = setup.encrypt(&x, 5);
        let noise = fresh(&setup).plus(switching(&setup, setup.top()));
        let rotated = |by: i32| -> Vec<Vector> {
            let at = |j: usize| (j as i64 + i64::from(by)).rem_euclid(i64::from(slots)) as usize;
            x.iter().map(|x| (0..x.len()).map(|j| x[at(j)]).collect()).collect()
        };
        for by in rotations {
            check(&setup, "rotate", &e.rotate(&cx, by, &keys).unwrap(), &rotated(by.0), noise);
        }
        assert_eq!(e.rotate(&cx, Rotation(slots), &keys).unwrap(), cx);
        let hoisted_by = [Rotation(5), Rotation(0), Rotation(-1)];
        let hoisted = e.rotate_hoisted(&cx, &hoisted_by, &keys).unwrap();
        for (rotation, found) in hoisted_by.iter().zip(&hoisted) {
            check(&setup, "rotate_hoisted", found, &rotated(rotation.0), noise);
        }
        let conjugated: Vec<Vector> = x.iter().map(|x| x.iter().map(|z| z.conj()).collect()).collect();
        check(&setup, "conjugate", &e.conjugate(&cx, &keys).unwrap(), &conjugated, noise);
        // At a lower level the last digit is shorter.
        let low = e.drop_level(cx.clone(), Level::new(1)).unwrap();
        let noise = fresh(&setup).plus(switching(&setup, Level::new(1)));
        check(&setup, "rotate low", &e.rotate(&low, Rotation(1), &keys).unwrap(), &rotated(1), noise);
    }
}

#[test]
fn linear_layers_on_two_and_three_components() {
    for literal in literals() {
        let setup = Setup::new(literal);
        let e = &setup.evaluator;
        let (inputs, outputs) = (7usize, 4usize);
        let x = setup.messages(inputs, 6);
        let cx = setup.encrypt(&x, 6);
        let weight_scale = Scale::new(4096.0).unwrap();
        let weights: Vec<i64> =
            numbers(inputs * outputs, setup.seed, 77).iter().map(|w| (w * weight_scale.get()).round() as i64).collect();
        let block = WeightBlock { outputs, inputs, weights: weights.clone() };
        let group = Group { inputs: (0..7).collect(), outputs: (0..4).collect(), block: 0 };
        let layer = LinearWeights::new(inputs, outputs + 1, vec![block], vec![group]).unwrap();
        let bias = [0.5, -0.25, 0.0, 1.0, -1.0];
        let apply = |x: &[Vector], bias: &[f64]| -> Vec<Vector> {
            (0..outputs + 1)
                .map(|o| {
                    let sum = |j: usize| {
                        let terms = (0..inputs).filter(|_| o < outputs);
                        terms.fold(Complex64::new(bias[o], 0.0), |sum, k| {
                            sum + x[k][j] * (weights[o * inputs + k] as f64 / weight_scale.get())
                        })
                    };
                    (0..setup.slots()).map(sum).collect()
                })
                .collect()
        };
        let squares: f64 =
            weights.chunks(inputs).map(|row| row.iter().map(|w| (*w as f64).powi(2)).sum()).fold(0.0, f64::max);
        let noise = fresh(&setup).weighted(squares).plus(model(&setup).encoding());
        let out = e.linear(&cx, &layer, weight_scale, &bias).unwrap();
        assert_eq!((out.values(), out.component_count()), (outputs + 1, 2));
        check(&setup, "linear", &out, &apply(&x, &bias), noise);

        let square = e.square(&cx).unwrap();
        let slot = 2f64.sqrt() * setup.scale().get();
        let noise = model(&setup).square(fresh(&setup), slot).weighted(squares).plus(model(&setup).encoding());
        let out = e.linear(&square, &layer, weight_scale, &bias).unwrap();
        assert_eq!((out.values(), out.component_count()), (outputs + 1, 3));
        check(&setup, "linear on squares", &out, &apply(&map2(&x, &x, |a, b| a * b), &bias), noise);
        let none = e.linear(&cx, &layer, weight_scale, &[]).unwrap();
        check(&setup, "linear without bias", &none, &apply(&x, &[0.0; 5]), noise);
    }
}

#[test]
fn public_key_encryption_at_every_level() {
    for literal in literals() {
        let setup = Setup::new(literal);
        let key = setup.keys().public_key().unwrap();
        let mut encryptor = he_ckks::PublicEncryptor::new(&setup.context, key, crate::support::seed(setup.seed, 9));
        let log_p = setup.context.params().p().iter().map(|p| (*p as f64).log2()).sum();
        let noise = model(&setup).encoding().plus(model(&setup).public_encryption(log_p));
        let x = setup.messages(2, 7);
        for level in [Level::new(1), setup.top()] {
            let plain = setup.encode(&x, level, setup.scale());
            let (first, second) = (encryptor.encrypt(&plain).unwrap(), encryptor.encrypt(&plain).unwrap());
            assert_ne!(first, second, "the same message twice is two ciphertexts");
            check(&setup, "public", &first, &x, noise);
            check(&setup, "public", &second, &x, noise);
        }
    }
}
