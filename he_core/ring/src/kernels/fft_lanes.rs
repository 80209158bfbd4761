//! The canonical embedding on vectors, two layers at a time, once for all instruction sets.
//!
//! [`fft_loops!`] makes `forward_layers` and `inverse_layers` in a file that has, for vectors of doubles: `Lanes` (the array),
//! `Vector`, `load`, `store`, `add`, `sub`, `mul`, `all`, and the last four layers, `split_leaves` and `join_leaves`.
//! Operations and their order are those of the portable loops; only which butterflies stay in registers differs.

/// Values that go through all layers before the next ones follow: their parts fill a third of a first-level cache.
pub(super) const NEAR: usize = 1024;

/// Butterflies on vectors: `fft_butterflies!("feature,..")`; see the file.
macro_rules! fft_butterflies {
    ($features:literal) => {
        /// Real and imaginary parts of as many numbers as a vector has lanes.
        #[derive(Clone, Copy)]
        struct Complex(Vector, Vector);

        /// One number in every lane.
        #[inline]
        #[target_feature(enable = $features)]
        fn everywhere(w: (f64, f64)) -> Complex {
            Complex(all(w.0), all(w.1))
        }

        /// `(u + v w, u - v w)`.
        #[inline]
        #[target_feature(enable = $features)]
        fn split(u: Complex, v: Complex, w: Complex) -> [Complex; 2] {
            let t = Complex(sub(mul(v.0, w.0), mul(v.1, w.1)), add(mul(v.0, w.1), mul(v.1, w.0)));
            [Complex(add(u.0, t.0), add(u.1, t.1)), Complex(sub(u.0, t.0), sub(u.1, t.1))]
        }

        /// `(u + v, (u - v) conj(w))`.
        #[inline]
        #[target_feature(enable = $features)]
        fn join(u: Complex, v: Complex, w: Complex) -> [Complex; 2] {
            let d = Complex(sub(u.0, v.0), sub(u.1, v.1));
            let t = Complex(add(mul(d.0, w.0), mul(d.1, w.1)), sub(mul(d.1, w.0), mul(d.0, w.1)));
            [Complex(add(u.0, v.0), add(u.1, v.1)), t]
        }

        /// Two forward layers; `w` holds the roots of the block and of its halves.
        #[inline]
        #[target_feature(enable = $features)]
        fn split_four([x0, x1, x2, x3]: [Complex; 4], w: [Complex; 3]) -> [Complex; 4] {
            let ([x0, x2], [x1, x3]) = (split(x0, x2, w[0]), split(x1, x3, w[0]));
            let ([x0, x1], [x2, x3]) = (split(x0, x1, w[1]), split(x2, x3, w[2]));
            [x0, x1, x2, x3]
        }

        /// Two inverse layers.
        #[inline]
        #[target_feature(enable = $features)]
        fn join_four([x0, x1, x2, x3]: [Complex; 4], w: [Complex; 3]) -> [Complex; 4] {
            let ([x0, x1], [x2, x3]) = (join(x0, x1, w[1]), join(x2, x3, w[2]));
            let ([x0, x2], [x1, x3]) = (join(x0, x2, w[0]), join(x1, x3, w[0]));
            [x0, x1, x2, x3]
        }
    };
}
pub(super) use fft_butterflies;

/// The layers above the last four: `fft_loops!("feature,..", Proof)`; see the file.
macro_rules! fft_loops {
    ($features:literal, $proof:ty) => {
        pub(super) fn forward_layers(_proof: $proof, roots: &Roots, re: &mut [f64], im: &mut [f64]) {
            #[target_feature(enable = $features)]
            fn lanes(roots: &Roots, re: &mut [f64], im: &mut [f64]) {
                let n = re.len();
                let mut blocks = 1;
                if n.trailing_zeros() % 2 == 1 {
                    split_halves(roots, re, im);
                    blocks = 2;
                }
                while n / blocks > NEAR {
                    split_blocks(roots, blocks, blocks, re, im);
                    blocks *= 4;
                }
                let near = re.chunks_exact_mut(n / blocks).zip(im.chunks_exact_mut(n / blocks));
                for (k, (re, im)) in (blocks..).zip(near) {
                    let mut count = 1;
                    while re.len() / count > GROUP {
                        split_blocks(roots, k * count, count, re, im);
                        count *= 4;
                    }
                    split_leaves(roots, k * count, re, im);
                }
            }
            if re.len() < GROUP {
                return super::fft::forward_layers(roots, re, im);
            }
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(roots, re, im) }
        }

        pub(super) fn inverse_layers(_proof: $proof, roots: &Roots, re: &mut [f64], im: &mut [f64]) {
            #[target_feature(enable = $features)]
            fn lanes(roots: &Roots, re: &mut [f64], im: &mut [f64]) {
                let n = re.len();
                let odd = n.trailing_zeros() % 2 == 1;
                let mut blocks = if odd { 2 } else { 1 };
                while n / blocks > NEAR {
                    blocks *= 4;
                }
                let near = re.chunks_exact_mut(n / blocks).zip(im.chunks_exact_mut(n / blocks));
                for (k, (re, im)) in (blocks..).zip(near) {
                    let mut count = re.len() / GROUP;
                    join_leaves(roots, k * count, re, im);
                    while count > 1 {
                        count /= 4;
                        join_blocks(roots, k * count, count, re, im);
                    }
                }
                while blocks > 2 {
                    blocks /= 4;
                    join_blocks(roots, blocks, blocks, re, im);
                }
                if odd {
                    join_halves(roots, re, im);
                }
            }
            if re.len() < GROUP {
                return super::fft::inverse_layers(roots, re, im);
            }
            // SAFETY: the proof is only built after the processor reported these features.
            unsafe { lanes(roots, re, im) }
        }

        fft_passes!($features, split_halves, split, split_blocks, split_four);
        fft_passes!($features, join_halves, join, join_blocks, join_four);

        /// Four equal parts, in vectors.
        #[inline]
        fn quarters(x: &mut [f64]) -> [&mut [Lanes]; 4] {
            let (x, _) = x.as_chunks_mut();
            let len = x.len() / 4;
            let (x0, x) = x.split_at_mut(len);
            let (x1, x) = x.split_at_mut(len);
            let (x2, x) = x.split_at_mut(len);
            [x0, x1, x2, &mut x[..len]]
        }
    };
}
pub(super) use fft_loops;

/// The passes of one direction: one layer of the only block, and two layers of several.
macro_rules! fft_passes {
    ($features:literal, $halves:ident, $two:ident, $blocks:ident, $four:ident) => {
        /// The layer with one block.
        #[target_feature(enable = $features)]
        fn $halves(roots: &Roots, re: &mut [f64], im: &mut [f64]) {
            let w = everywhere(roots.of(1));
            let half = re.len() / 2;
            let ((ur, vr), (ui, vi)) = (re.split_at_mut(half), im.split_at_mut(half));
            let u = ur.as_chunks_mut().0.iter_mut().zip(ui.as_chunks_mut().0);
            let v = vr.as_chunks_mut().0.iter_mut().zip(vi.as_chunks_mut().0);
            for ((ur, ui), (vr, vi)) in u.zip(v) {
                let [u, v] = $two(Complex(load(ur), load(ui)), Complex(load(vr), load(vi)), w);
                store(ur, u.0);
                store(ui, u.1);
                store(vr, v.0);
                store(vi, v.1);
            }
        }

        /// Two layers of `count` blocks, block `k` of the upper layer and those after it.
        #[target_feature(enable = $features)]
        fn $blocks(roots: &Roots, k: usize, count: usize, re: &mut [f64], im: &mut [f64]) {
            let size = re.len() / count;
            let blocks = re.chunks_exact_mut(size).zip(im.chunks_exact_mut(size));
            for (w, (re, im)) in roots.of_two_layers(k, count).zip(blocks) {
                let w = [everywhere(w[0]), everywhere(w[1]), everywhere(w[2])];
                let ([r0, r1, r2, r3], [i0, i1, i2, i3]) = (quarters(re), quarters(im));
                let (parts0, parts1) = (r0.iter_mut().zip(i0), r1.iter_mut().zip(i1));
                let (parts2, parts3) = (r2.iter_mut().zip(i2), r3.iter_mut().zip(i3));
                for (((r0, i0), (r1, i1)), ((r2, i2), (r3, i3))) in parts0.zip(parts1).zip(parts2.zip(parts3)) {
                    let x = [
                        Complex(load(r0), load(i0)),
                        Complex(load(r1), load(i1)),
                        Complex(load(r2), load(i2)),
                        Complex(load(r3), load(i3)),
                    ];
                    let [x0, x1, x2, x3] = $four(x, w);
                    store(r0, x0.0);
                    store(i0, x0.1);
                    store(r1, x1.0);
                    store(i1, x1.1);
                    store(r2, x2.0);
                    store(i2, x2.1);
                    store(r3, x3.0);
                    store(i3, x3.1);
                }
            }
        }
    };
}
pub(super) use fft_passes;
