//! One suite for all instruction sets: the u128 definition is the oracle, lengths around the lane counts, primes at
//! the thresholds.

use super::dispatch;
use crate::testing::primes_below;
use crate::{Isa, Modulus, Word};

const LENGTHS: [usize; 15] = [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 255, 513];

fn words<W: Word>(q: u64, len: usize, seed: u64) -> Vec<W> {
    let word = |i: u64| i.wrapping_add(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31) % q;
    let mut x: Vec<W> = (0..len as u64).map(|i| W::from_u64(word(i))).collect();
    if let Some(last) = x.last_mut() {
        *last = W::from_u64(q - 1);
    }
    x
}

fn slices<W>(rows: &[Vec<W>]) -> Vec<&[W]> {
    rows.iter().map(|row| &row[..]).collect()
}

fn suite<W: Word>(bounds: &[u64]) {
    for q in bounds.iter().flat_map(|b| primes_below(*b, 3, 1)) {
        let m = Modulus::<W>::new(q).unwrap();
        let wide = u128::from(q);
        let u = |w: W| u128::from(w.to_u64());
        for len in LENGTHS {
            let (x, y, z) = (words::<W>(q, len, 1), words::<W>(q, len, 99), words::<W>(q, len, 7));
            let any: Vec<u64> = (0..len as u64).map(|i| !i.wrapping_mul(0xd134_2543_de82_ef95)).collect();
            let any32: Vec<u32> = any.iter().map(|a| (a >> 32) as u32).collect();
            let c = *words::<W>(q, 2, 5).first().unwrap();
            let w = m.shoup(c);
            for isa in Isa::available() {
                let check = |name: &str, got: &[W], want: &dyn Fn(usize) -> u128| {
                    for (i, got) in got.iter().enumerate() {
                        assert_eq!(u(*got), want(i) % wide, "{name} {} q={q} len={len} word {i}", isa.name());
                    }
                };
                let run = |f: &dyn Fn(&mut [W])| {
                    let mut out = x.clone();
                    f(&mut out);
                    out
                };
                check("add", &run(&|o| dispatch::add_assign(isa, m, o, &y)), &|i| u(x[i]) + u(y[i]));
                check("sub", &run(&|o| dispatch::sub_assign(isa, m, o, &y)), &|i| u(x[i]) + wide - u(y[i]));
                check("negate", &run(&|o| dispatch::negate_assign(isa, m, o)), &|i| wide - u(x[i]));
                check("mul", &run(&|o| dispatch::mul_assign(isa, m, o, &y)), &|i| u(x[i]) * u(y[i]));
                check("mul_into", &run(&|o| dispatch::mul_into(isa, m, o, &y, &z)), &|i| u(y[i]) * u(z[i]));
                check("mul_add", &run(&|o| dispatch::mul_add_assign(isa, m, o, &y, &z)), &|i| {
                    u(y[i]) * u(z[i]) + u(x[i])
                });
                check("mul_shoup", &run(&|o| dispatch::mul_shoup_assign(isa, m, o, w)), &|i| u(x[i]) * u(c));
                // Even lengths only: word k with word N - k.
                if len >= 2 && len.is_multiple_of(2) {
                    let folded = |i: usize| if i == 0 { 0 } else { u(x[len - i]) * u(c) };
                    check("fold", &run(&|o| dispatch::fold_assign(isa, m, o, w)), &|i| u(x[i]) + folded(i));
                }
                check("add_constant", &run(&|o| dispatch::add_constant_assign(isa, m, o, c)), &|i| u(x[i]) + u(c));
                check("reduce_u64", &run(&|o| dispatch::reduce_add_into(isa, m, o, &any, c)), &|i| {
                    u128::from(any[i]) + u(c)
                });
                check("reduce_u32", &run(&|o| dispatch::reduce_add_into(isa, m, o, &any32, c)), &|i| {
                    u128::from(any32[i]) + u(c)
                });
                let signed: Vec<i64> = any.iter().map(|x| *x as i64).collect();
                check("reduce_i64", &run(&|o| dispatch::reduce_i64_into(isa, m, o, &signed)), &|i| {
                    i128::from(signed[i]).rem_euclid(wide as i128) as u128
                });
                let small: Vec<i8> = any.iter().map(|x| *x as i8).collect();
                check("add_small", &run(&|o| dispatch::add_small_assign(isa, m, o, &small)), &|i| {
                    (u(x[i]) as i128 + i128::from(small[i])).rem_euclid(wide as i128) as u128
                });
                check("sub_small", &run(&|o| dispatch::sub_small_assign(isa, m, o, &small)), &|i| {
                    (u(x[i]) as i128 - i128::from(small[i])).rem_euclid(wide as i128) as u128
                });
                check("sub_mul", &run(&|o| dispatch::sub_mul_shoup_assign(isa, m, o, &y, w)), &|i| {
                    (u(x[i]) + wide - u(y[i])) * u(c)
                });
                check("mul_shoup_add", &run(&|o| dispatch::mul_shoup_add_assign(isa, m, o, &any, w)), &|i| {
                    u(x[i]) + u128::from(any[i]) % wide * u(c)
                });
                check("mul_shoup_add32", &run(&|o| dispatch::mul_shoup_add_assign(isa, m, o, &any32, w)), &|i| {
                    u(x[i]) + u128::from(any32[i]) * u(c)
                });
                check(
                    "mul_shoup",
                    &run(&|o| dispatch::mul_shoup_assign(isa, m, o, m.shoup(m.neg(W::from_u64(1))))),
                    &|i| wide - u(x[i]),
                );
                let mut squares = [x.clone(), x.clone(), x.clone()];
                let [out0, out1, out2] = &mut squares;
                dispatch::square_into(isa, m, out0, out1, out2, &y, &z);
                check("square x0^2", &squares[0], &|i| u(y[i]) * u(y[i]));
                check("square 2 x0 x1", &squares[1], &|i| 2 * (u(y[i]) * u(z[i]) % wide));
                check("square x1^2", &squares[2], &|i| u(z[i]) * u(z[i]));
                // The largest words of either width, then any, at every limit of a kernel; columns do not know of each other.
                let some: &[usize] = if len <= 33 { &[1, 2, 8, 9, 15, 16, 17, W::MAX_LAZY_PRODUCTS + 1] } else { &[3] };
                for terms in some.iter().copied() {
                    let ws: Vec<W> = (0..terms as u64).map(|i| W::from_u64((q - 1).saturating_sub(i % 3))).collect();
                    let row =
                        |top: u64, i: u64| (0..len as u64).map(|n| top - n * i * 0x9e37_79b9 % (top / 2)).collect();
                    let sum = |xs: &[Vec<u64>], i: usize| -> u128 {
                        xs.iter().zip(&ws).map(|(x, w)| u128::from(x[i]) % wide * u(*w) % wide).sum()
                    };
                    for scatter in 0..2 {
                        for bits in [50, 61] {
                            let xs: Vec<Vec<u64>> =
                                (0..terms as u64).map(|i| row((1 << bits) - 1, scatter * i)).collect();
                            let rows = slices(&xs);
                            let got = run(&|o| dispatch::add_weighted_u64_assign(isa, m, o, &rows, &ws, bits));
                            check("add_weighted64", &got, &|i| u(x[i]) + sum(&xs, i));
                        }
                        let xs: Vec<Vec<u64>> = (0..terms as u64).map(|i| row((1 << 30) - 1, scatter * i)).collect();
                        let short: Vec<Vec<u32>> = xs.iter().map(|x| x.iter().map(|x| *x as u32).collect()).collect();
                        let rows = slices(&short);
                        let got = run(&|o| dispatch::add_weighted_u32_assign(isa, m, o, &rows, &ws));
                        check("add_weighted32", &got, &|i| u(x[i]) + sum(&xs, i));
                    }
                }
                // Sums of the largest products, at every limit of a kernel, then of any.
                let top = vec![W::from_u64(q - 1); len];
                for terms in [0, 1, 2, 7, 8, 9, 15, 16, 17, W::MAX_LAZY_PRODUCTS, W::MAX_LAZY_PRODUCTS + 1] {
                    let factors = |row: &Vec<W>| vec![row.clone(); terms];
                    let (mut xs, mut ys0, mut ys1) = (factors(&top), factors(&top), factors(&y));
                    for round in 0..2u64 {
                        let rows = |rows: &[Vec<W>]| -> Vec<u128> {
                            (0..len).flat_map(|i| rows.iter().map(move |row| u(row[i]))).collect()
                        };
                        let (wx, wy0, wy1) = (rows(&xs), rows(&ys0), rows(&ys1));
                        let sum = |ys: &[u128], i: usize| -> u128 {
                            (i * terms..(i + 1) * terms).map(|at| wx[at] * ys[at] % wide).sum()
                        };
                        let (rx, r0, r1) = (slices(&xs), slices(&ys0), slices(&ys1));
                        let got = run(&|o| dispatch::inner_product(isa, m, o, &rx, &r0));
                        check("inner_product", &got, &|i| sum(&wy0, i));
                        let (mut out0, mut out1) = (x.clone(), z.clone());
                        dispatch::inner_product_pair(isa, m, &mut out0, &mut out1, &rx, &r0, &r1);
                        check("inner_product_pair, first", &out0, &|i| sum(&wy0, i));
                        check("inner_product_pair, second", &out1, &|i| sum(&wy1, i));
                        for (nth, row) in xs.iter_mut().chain(&mut ys0).chain(&mut ys1).enumerate() {
                            *row = words(q, len, round + 1000 * nth as u64);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn loops_over_u32() {
    suite::<u32>(&[1 << 5, 1 << 16, 1 << 29, (1 << 29) + (1 << 10), 1 << 30]);
}

#[test]
fn loops_over_u64() {
    suite::<u64>(&[1 << 5, 1 << 31, 1 << 32, 1 << 33, 1 << 50, (1 << 50) + (1 << 20), 1 << 55, 1 << 60, 1 << 61]);
}
