//! The loops of products, once for all vectors.
//!
//! [`product_loops!`] makes every kernel of `product_kernels!` in a file that has, for vectors of [`LANES`] words `W`:
//! `load`, `store`, `reverse`, `add`, `mul`, `mul_factor`, `sub_mul_factor` on residues; `widen` of any `u32`, which `mul_factor`
//! and `reduce_short` take, and `reduce_u64` of any `u64`; `Prime` and `Factor`, constants in every lane; `Sums`, unreduced
//! sums of up to `MAX_TERMS` products, with `sums_zero`, `sums_add`, which takes what `shorten` makes of words below
//! `2^bits`, `sums_reduce`, `BLOCK` vectors of which are summed side by side. Words beyond the last whole vector take the
//! portable loop.

/// `product_loops!("feature,..", Proof)`; see the file.
macro_rules! product_loops {
    ($features:literal, $proof:ty) => {
        pub(super) fn mul_assign(_proof: $proof, m: Modulus<W>, x: &mut [W], y: &[W]) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, x: &mut [Lanes], y: &[Lanes]) {
                let p = Prime::new(m);
                for (x, y) in x.iter_mut().zip(y) {
                    let r = mul(p, load(x), load(y));
                    store(x, r);
                }
            }
            let ((x, x_rest), (y, y_rest)) = (x.as_chunks_mut(), y.as_chunks());
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, x, y) }
            elementwise::mul_assign(m, x_rest, y_rest);
        }

        pub(super) fn mul_into(_proof: $proof, m: Modulus<W>, out: &mut [W], x: &[W], y: &[W]) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, out: &mut [Lanes], x: &[Lanes], y: &[Lanes]) {
                let p = Prime::new(m);
                for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
                    store(out, mul(p, load(x), load(y)));
                }
            }
            let ((out, out_rest), (x, x_rest), (y, y_rest)) = (out.as_chunks_mut(), x.as_chunks(), y.as_chunks());
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, out, x, y) }
            elementwise::mul_into(m, out_rest, x_rest, y_rest);
        }

        pub(super) fn square_into(
            _proof: $proof,
            m: Modulus<W>,
            out0: &mut [W],
            out1: &mut [W],
            out2: &mut [W],
            x0: &[W],
            x1: &[W],
        ) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, outs: [&mut [Lanes]; 3], x0: &[Lanes], x1: &[Lanes]) {
                let p = Prime::new(m);
                let [out0, out1, out2] = outs;
                let outs = out0.iter_mut().zip(out1).zip(out2);
                for (((out0, out1), out2), (x0, x1)) in outs.zip(x0.iter().zip(x1)) {
                    let (x0, x1) = (load(x0), load(x1));
                    store(out0, mul(p, x0, x0));
                    store(out1, mul(p, add(p, x0, x0), x1));
                    store(out2, mul(p, x1, x1));
                }
            }
            let ((x0, x0_rest), (x1, x1_rest)) = (x0.as_chunks(), x1.as_chunks());
            let ((out0, rest0), (out1, rest1)) = (out0.as_chunks_mut(), out1.as_chunks_mut());
            let (out2, rest2) = out2.as_chunks_mut();
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, [out0, out1, out2], x0, x1) }
            elementwise::square_into(m, rest0, rest1, rest2, x0_rest, x1_rest);
        }

        pub(super) fn mul_add_assign(_proof: $proof, m: Modulus<W>, acc: &mut [W], x: &[W], y: &[W]) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, acc: &mut [Lanes], x: &[Lanes], y: &[Lanes]) {
                let p = Prime::new(m);
                for ((acc, x), y) in acc.iter_mut().zip(x).zip(y) {
                    let sum = add(p, load(acc), mul(p, load(x), load(y)));
                    store(acc, sum);
                }
            }
            let ((acc, acc_rest), (x, x_rest), (y, y_rest)) = (acc.as_chunks_mut(), x.as_chunks(), y.as_chunks());
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, acc, x, y) }
            elementwise::mul_add_assign(m, acc_rest, x_rest, y_rest);
        }

        pub(super) fn mul_shoup_assign(_proof: $proof, m: Modulus<W>, x: &mut [W], w: ShoupFactor<W>) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, x: &mut [Lanes], w: ShoupFactor<W>) {
                let (p, w) = (Prime::new(m), Factor::new(m, w));
                for x in x {
                    let r = mul_factor(p, load(x), w);
                    store(x, r);
                }
            }
            let (x, x_rest) = x.as_chunks_mut();
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, x, w) }
            elementwise::mul_shoup_assign(m, x_rest, w);
        }

        pub(super) fn fold_assign(_proof: $proof, m: Modulus<W>, x: &mut [W], w: ShoupFactor<W>) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, low: &mut [Lanes], high: &mut [Lanes], w: ShoupFactor<W>) {
                let (p, w) = (Prime::new(m), Factor::new(m, w));
                for (a, b) in low.iter_mut().zip(high.iter_mut().rev()) {
                    let (x, y) = (load(a), load(b));
                    store(a, add(p, x, mul_factor(p, reverse(y), w)));
                    store(b, add(p, y, mul_factor(p, reverse(x), w)));
                }
            }
            let (low, high) = elementwise::fold_halves(m, x, w);
            let ((low, low_rest), (high_rest, high)) = (low.as_chunks_mut(), high.as_rchunks_mut());
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, low, high, w) }
            elementwise::fold_pairs(m, low_rest, high_rest, w);
        }

        pub(super) fn sub_mul_shoup_assign(_proof: $proof, m: Modulus<W>, x: &mut [W], y: &[W], w: ShoupFactor<W>) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, x: &mut [Lanes], y: &[Lanes], w: ShoupFactor<W>) {
                let (p, w) = (Prime::new(m), Factor::new(m, w));
                for (x, y) in x.iter_mut().zip(y) {
                    let r = sub_mul_factor(p, load(x), load(y), w);
                    store(x, r);
                }
            }
            let ((x, x_rest), (y, y_rest)) = (x.as_chunks_mut(), y.as_chunks());
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, x, y, w) }
            elementwise::sub_mul_shoup_assign(m, x_rest, y_rest, w);
        }

        pub(super) fn reduce_add_u32_into(_proof: $proof, m: Modulus<W>, out: &mut [W], x: &[u32], c: W) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, out: &mut [Lanes], x: &[[u32; LANES]], c: W) {
                let (p, c) = (Prime::new(m), load(&[c; LANES]));
                for (out, x) in out.iter_mut().zip(x) {
                    store(out, add(p, reduce_short(p, widen(x)), c));
                }
            }
            let ((out, out_rest), (x, x_rest)) = (out.as_chunks_mut(), x.as_chunks());
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, out, x, c) }
            elementwise::reduce_add_u32_into(m, out_rest, x_rest, c);
        }

        pub(super) fn reduce_add_u64_into(_proof: $proof, m: Modulus<W>, out: &mut [W], x: &[u64], c: W) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, out: &mut [Lanes], x: &[[u64; LANES]], c: W) {
                let (p, c) = (Prime::new(m), load(&[c; LANES]));
                for (out, x) in out.iter_mut().zip(x) {
                    store(out, add(p, reduce_u64(p, x), c));
                }
            }
            let ((out, out_rest), (x, x_rest)) = (out.as_chunks_mut(), x.as_chunks());
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, out, x, c) }
            elementwise::reduce_add_u64_into(m, out_rest, x_rest, c);
        }

        pub(super) fn mul_shoup_add_u32_assign(
            _proof: $proof,
            m: Modulus<W>,
            acc: &mut [W],
            x: &[u32],
            w: ShoupFactor<W>,
        ) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, acc: &mut [Lanes], x: &[[u32; LANES]], w: ShoupFactor<W>) {
                let (p, w) = (Prime::new(m), Factor::new(m, w));
                for (acc, x) in acc.iter_mut().zip(x) {
                    let sum = add(p, load(acc), mul_factor(p, widen(x), w));
                    store(acc, sum);
                }
            }
            let ((acc, acc_rest), (x, x_rest)) = (acc.as_chunks_mut(), x.as_chunks());
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, acc, x, w) }
            elementwise::mul_shoup_add_u32_assign(m, acc_rest, x_rest, w);
        }

        pub(super) fn mul_shoup_add_u64_assign(
            _proof: $proof,
            m: Modulus<W>,
            acc: &mut [W],
            x: &[u64],
            w: ShoupFactor<W>,
        ) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, acc: &mut [Lanes], x: &[[u64; LANES]], w: ShoupFactor<W>) {
                let (p, w) = (Prime::new(m), Factor::new(m, w));
                for (acc, x) in acc.iter_mut().zip(x) {
                    let sum = add(p, load(acc), mul_factor(p, reduce_u64(p, x), w));
                    store(acc, sum);
                }
            }
            let ((acc, acc_rest), (x, x_rest)) = (acc.as_chunks_mut(), x.as_chunks());
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, acc, x, w) }
            elementwise::mul_shoup_add_u64_assign(m, acc_rest, x_rest, w);
        }

        pub(super) fn add_weighted_u32_assign(_proof: $proof, m: Modulus<W>, acc: &mut [W], xs: &[&[u32]], ws: &[W]) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, acc: &mut [Lanes], xs: &[&[[u32; LANES]]], ws: &[W]) {
                let p = Prime::new(m);
                for (i, acc) in acc.iter_mut().enumerate() {
                    let mut total = load(acc);
                    for (xs, ws) in xs.chunks(MAX_TERMS).zip(ws.chunks(MAX_TERMS)) {
                        let mut sums = sums_zero();
                        for (x, w) in xs.iter().zip(ws) {
                            sums = sums_add(sums, widen(&x[i]), load(&[*w; LANES]));
                        }
                        total = add(p, total, sums_reduce(p, sums, xs.len()));
                    }
                    store(acc, total);
                }
            }
            let (acc, acc_rest) = acc.as_chunks_mut();
            let done = acc.len() * LANES;
            let vectors: Vec<_> = xs.iter().map(|x| &x.as_chunks().0[..acc.len()]).collect();
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, acc, &vectors, ws) }
            elementwise::add_weighted_from(m, done, acc_rest, xs, ws);
        }

        pub(super) fn add_weighted_u64_assign(
            _proof: $proof,
            m: Modulus<W>,
            acc: &mut [W],
            xs: &[&[u64]],
            ws: &[W],
            bits: u32,
        ) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, acc: &mut [Lanes], xs: &[&[[u64; LANES]]], ws: &[W], bits: u32) {
                let p = Prime::new(m);
                for (i, acc) in acc.iter_mut().enumerate() {
                    let mut total = load(acc);
                    for (xs, ws) in xs.chunks(MAX_TERMS).zip(ws.chunks(MAX_TERMS)) {
                        let mut sums = sums_zero();
                        for (x, w) in xs.iter().zip(ws) {
                            sums = sums_add(sums, shorten(p, &x[i], bits), load(&[*w; LANES]));
                        }
                        total = add(p, total, sums_reduce(p, sums, xs.len()));
                    }
                    store(acc, total);
                }
            }
            debug_assert!(xs.iter().all(|x| x.iter().all(|x| x >> bits == 0)));
            let (acc, acc_rest) = acc.as_chunks_mut();
            let done = acc.len() * LANES;
            let vectors: Vec<_> = xs.iter().map(|x| &x.as_chunks().0[..acc.len()]).collect();
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, acc, &vectors, ws, bits) }
            elementwise::add_weighted_from(m, done, acc_rest, xs, ws);
        }

        pub(super) fn inner_product(_proof: $proof, m: Modulus<W>, out: &mut [W], xs: &[&[W]], ys: &[&[W]]) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, out: &mut [[Lanes; BLOCK]], xs: &[&[W]], ys: &[&[W]]) {
                let p = Prime::new(m);
                for (i, out) in out.iter_mut().enumerate() {
                    let columns = i * BLOCK * LANES..(i + 1) * BLOCK * LANES;
                    for (nth, (xs, ys)) in xs.chunks(MAX_TERMS).zip(ys.chunks(MAX_TERMS)).enumerate() {
                        let mut sums = [sums_zero(); BLOCK];
                        for (x, y) in xs.iter().zip(ys) {
                            let (x, y) = (x[columns.clone()].as_chunks().0, y[columns.clone()].as_chunks().0);
                            for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
                                *sum = sums_add(*sum, load(x), load(y));
                            }
                        }
                        for (out, sum) in out.iter_mut().zip(sums) {
                            let r = sums_reduce(p, sum, xs.len());
                            let r = if nth == 0 { r } else { add(p, load(out), r) };
                            store(out, r);
                        }
                    }
                }
            }
            if xs.is_empty() {
                return out.fill(0);
            }
            let (blocks, _) = out.as_chunks_mut::<LANES>().0.as_chunks_mut();
            let done = blocks.len() * BLOCK * LANES;
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, blocks, xs, ys) }
            elementwise::inner_product_from(m, done, &mut out[done..], xs, ys);
        }

        /// Vectors that are read of every row in turn; their number is known, so that no index is checked.
        const RUN: usize = 32;
        type Run = [Lanes; RUN];

        /// The sums of `x * y0` and of `x * y1` over at most eight terms, stored or added. Sums stay in registers, and each row
        /// is read by an instruction of its own, which a prefetcher learns.
        #[inline]
        #[target_feature(enable = $features)]
        fn sum_pairs<const T: usize>(p: Prime, outs: [&mut [Run]; 2], terms: &[[&[Run]; 3]; T], first: bool) {
            let [out0, out1] = outs;
            for (run, (out0, out1)) in out0.iter_mut().zip(out1).enumerate() {
                let terms: [[&Run; 3]; T] = std::array::from_fn(|t| terms[t].map(|row| &row[run]));
                for (i, (out0, out1)) in out0.iter_mut().zip(out1).enumerate() {
                    let mut sums = [sums_zero(); 2];
                    // The compiler does not unroll as many terms by itself.
                    macro_rules! take {
                        ($t:literal) => {
                            if $t < T {
                                let [x, y0, y1] = terms[$t];
                                let x = load(&x[i]);
                                sums = [sums_add(sums[0], x, load(&y0[i])), sums_add(sums[1], x, load(&y1[i]))];
                            }
                        };
                    }
                    take!(0);
                    take!(1);
                    take!(2);
                    take!(3);
                    take!(4);
                    take!(5);
                    take!(6);
                    take!(7);
                    let [sum0, sum1] = sums;
                    let (r0, r1) = (sums_reduce(p, sum0, T), sums_reduce(p, sum1, T));
                    store(out0, if first { r0 } else { add(p, load(out0), r0) });
                    store(out1, if first { r1 } else { add(p, load(out1), r1) });
                }
            }
        }

        pub(super) fn inner_product_pair(
            _proof: $proof,
            m: Modulus<W>,
            out0: &mut [W],
            out1: &mut [W],
            xs: &[&[W]],
            ys0: &[&[W]],
            ys1: &[&[W]],
        ) {
            #[target_feature(enable = $features)]
            fn lanes(m: Modulus<W>, [out0, out1]: [&mut [Run]; 2], mut terms: &[[&[Run]; 3]]) {
                const { assert!(MAX_TERMS >= 8, "as many terms as are added without a reduction") }
                let (p, mut first) = (Prime::new(m), true);
                while !terms.is_empty() {
                    let outs = [&mut *out0, &mut *out1];
                    macro_rules! take {
                        ($count:literal) => {
                            if let Some((group, rest)) = terms.split_first_chunk::<$count>() {
                                sum_pairs(p, outs, group, first);
                                (terms, first) = (rest, false);
                                continue;
                            }
                        };
                    }
                    take!(8);
                    take!(7);
                    take!(6);
                    take!(5);
                    take!(4);
                    take!(3);
                    take!(2);
                    take!(1);
                }
            }
            debug_assert!(xs.len() == ys0.len() && xs.len() == ys1.len());
            if xs.is_empty() {
                out0.fill(0);
                return out1.fill(0);
            }
            let (runs0, _) = out0.as_chunks_mut::<LANES>().0.as_chunks_mut();
            let (runs1, _) = out1.as_chunks_mut::<LANES>().0.as_chunks_mut();
            let done = runs0.len() * RUN * LANES;
            let terms = xs.iter().zip(ys0).zip(ys1).map(|((x, y0), y1)| [*x, *y0, *y1]);
            let terms: Vec<_> = terms.map(|rows| rows.map(|row| row.as_chunks().0.as_chunks().0)).collect();
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(m, [runs0, runs1], &terms) }
            elementwise::inner_product_from(m, done, &mut out0[done..], xs, ys0);
            elementwise::inner_product_from(m, done, &mut out1[done..], xs, ys1);
        }
    };
}
pub(super) use product_loops;
