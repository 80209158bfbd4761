//! The way of a vectorised transform through memory, written once for every path.
//!
//! Layout: node `k` is the block whose widest layer uses twiddle `k`: the root is 1, the halves of `k` are `2k` and
//! `2k+1`, layer `l` has the nodes `2^l..2^(l+1)`. A pass does two layers (radix 4). Blocks above [`BLOCK_WORDS`] are
//! finished depth first, so that each leaves the first level of cache once. What is left, three to five layers on two or
//! four vectors as the parity of log2 N asks, the layers inside vectors among them, is done in two sweeps over
//! [`SWEEP`] chunks at a time: shorter chains of dependent steps, of which a processor overlaps more.
//! Twiddles: one broadcast a node down to pairs of vectors, then a heap of them for each pair, N words in all.
//! Ranges: words stay lazy; a [`Schedule`] says in which layers they are reduced, from the bounds of path and prime.

use crate::aligned::AlignedWords;
use crate::ntt::bit_reverse;

/// Half of a first-level cache of 32 KiB; the other half is for twiddles.
pub(super) const BLOCK_WORDS: usize = 2048;

/// Chunks of four vectors that a sweep takes.
pub(super) const SWEEP: usize = 8;

/// Twiddles of one direction, each of `PARTS` words, for pairs of vectors that hold `PAIR` words.
#[derive(Clone, Debug)]
pub(super) struct Packed<const PAIR: usize, const PARTS: usize> {
    /// Nodes above the pairs.
    upper: Vec<[u64; PARTS]>,
    /// For each pair and part the nodes below as a heap: word 1 is the pair's own, words `2^j..2^(j+1)` those of inner
    /// layer j in bit-reversed order, which is the order of lanes once the vectors of a pair alternate.
    pairs: AlignedWords<u64>,
}

impl<const PAIR: usize, const PARTS: usize> Packed<PAIR, PARTS> {
    pub(super) fn new(values: &[u64], parts: impl Fn(u64) -> [u64; PARTS]) -> Self {
        let pairs = values.len() / PAIR;
        let upper = values[..pairs].iter().map(|w| parts(*w)).collect();
        let mut packed = Self { upper, pairs: AlignedWords::zero(values.len() * PARTS) };
        let blocks = packed.pairs.as_mut_slice().chunks_exact_mut(PAIR * PARTS);
        for (node, block) in (pairs..2 * pairs).zip(blocks) {
            for word in 1..PAIR {
                let layer = word.ilog2();
                let lane = bit_reverse(word - (1 << layer), layer);
                for (part, value) in parts(values[(node << layer) + lane]).into_iter().enumerate() {
                    block[part * PAIR + word] = value;
                }
            }
        }
        packed
    }

    /// The twiddle of a node above the pairs.
    #[inline(always)]
    pub(super) fn node(&self, node: usize) -> &[u64; PARTS] {
        &self.upper[node]
    }

    /// The twiddles of `count` pairs from a node on.
    #[inline(always)]
    pub(super) fn pairs(&self, node: usize, count: usize) -> &[[[u64; PAIR]; PARTS]] {
        let first = node - self.upper.len();
        &self.pairs.as_slice().as_chunks().0.as_chunks().0[first..first + count]
    }
}

/// How far words of a path grow, in units of q.
pub(super) struct Growth<P, F, I> {
    /// Factors of products stay below.
    pub(super) limit: f64,
    /// The bound of a lazy product whose factor has the given bound.
    pub(super) product: P,
    /// The bound of a word that had the given bound, reduced as each direction does.
    pub(super) forward_reduced: F,
    pub(super) inverse_reduced: I,
}

/// In which layers words are reduced: as late as the bounds allow.
#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    /// Bit `l`: layer `l` reduces its first operands.
    pub(super) forward: u32,
    /// Bit `l`: layer `l` reduces its sums.
    pub(super) inverse: u32,
    /// The bound of what layer `l` of the inverse reads.
    pub(super) inverse_bounds: Vec<f64>,
}

impl Schedule {
    /// For words in `[0, q)` at the start and `layers` layers.
    pub(super) fn new<P, F, I>(layers: u32, growth: &Growth<P, F, I>) -> Self
    where
        P: Fn(f64) -> f64,
        F: Fn(f64) -> f64,
        I: Fn(f64) -> f64,
    {
        let mut schedule = Self { inverse_bounds: vec![0.0; layers as usize], ..Self::default() };
        let Growth { limit, product, forward_reduced, inverse_reduced } = growth;
        let mut bound = 1.0;
        for layer in 0..layers {
            let late = bound + product(bound);
            let reduce = late > *limit;
            schedule.forward |= u32::from(reduce) << layer;
            bound = if reduce { forward_reduced(bound) + product(bound) } else { late };
            debug_assert!(bound <= *limit);
        }
        bound = 1.0;
        for layer in (0..layers).rev() {
            schedule.inverse_bounds[layer as usize] = bound;
            let reduce = 4.0 * bound > *limit;
            schedule.inverse |= u32::from(reduce) << layer;
            let sum = if reduce { inverse_reduced(2.0 * bound) } else { 2.0 * bound };
            debug_assert!(2.0 * bound <= *limit);
            bound = product(2.0 * bound).max(sum);
        }
        schedule
    }

    #[inline(always)]
    pub(super) fn forward(&self, layer: u32) -> bool {
        self.forward >> layer & 1 == 1
    }

    #[inline(always)]
    pub(super) fn inverse(&self, layer: u32) -> bool {
        self.inverse >> layer & 1 == 1
    }
}

/// Writes the passes of a path for a set of instructions. In scope it expects `LANES`, `Vector`, `Path` with `forward`,
/// `inverse` ([`Packed`]), `schedule` and `log_n`, and the arithmetic of the path on registers.
macro_rules! passes {
    ($features:literal) => {
        impl Path {
            /// Vectors of the blocks that are finished in registers: the layers above come in pairs.
            #[inline]
            fn chunk(&self) -> usize {
                if (self.log_n - LANES.ilog2()).is_multiple_of(2) { 4 } else { 2 }
            }
        }

        /// Radix 4 on all blocks of `len` vectors; the first one is `node`.
        #[target_feature(enable = $features)]
        fn forward_pass<const FIRST: bool>(path: &Path, x: &mut [Vector], len: usize, node: usize) {
            let (p, layer) = (Prime::new(path), node.ilog2());
            let reduce = [path.schedule.forward(layer), path.schedule.forward(layer + 1)];
            for (node, block) in (node..).zip(x.chunks_exact_mut(len)) {
                let w = Factor::splat(path.forward.node(node));
                let w = [w, Factor::splat(path.forward.node(2 * node)), Factor::splat(path.forward.node(2 * node + 1))];
                let (low, high) = block.split_at_mut(len / 2);
                let ((a, b), (c, d)) = (low.split_at_mut(len / 4), high.split_at_mut(len / 4));
                for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
                    let words = if FIRST {
                        [enter(p, load(a)), enter(p, load(b)), enter(p, load(c)), enter(p, load(d))]
                    } else {
                        [load(a), load(b), load(c), load(d)]
                    };
                    let words = forward_quad(p, words, w, reduce);
                    store(a, words[0]);
                    store(b, words[1]);
                    store(c, words[2]);
                    store(d, words[3]);
                }
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn forward_quad(p: Prime, [a, b, c, d]: [Lanes; 4], w: [Factor; 3], reduce: [bool; 2]) -> [Lanes; 4] {
            let (a, c) = forward_butterfly(p, a, c, w[0], reduce[0]);
            let (b, d) = forward_butterfly(p, b, d, w[0], reduce[0]);
            forward_pairs(p, [a, b, c, d], [w[1], w[2]], reduce[1])
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn forward_pairs(p: Prime, [a, b, c, d]: [Lanes; 4], w: [Factor; 2], reduce: bool) -> [Lanes; 4] {
            let (a, b) = forward_butterfly(p, a, b, w[0], reduce);
            let (c, d) = forward_butterfly(p, c, d, w[1], reduce);
            [a, b, c, d]
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn inverse_pairs(p: Prime, [a, b, c, d]: [Lanes; 4], w: [Factor; 2], step: Step) -> [Lanes; 4] {
            let (a, b) = inverse_butterfly(p, a, b, w[0], step);
            let (c, d) = inverse_butterfly(p, c, d, w[1], step);
            [a, b, c, d]
        }

        /// The last layers, and words in `[0, q)`.
        #[target_feature(enable = $features)]
        fn forward_tail(path: &Path, x: &mut [Vector], node: usize) {
            let (p, layer, schedule) = (Prime::new(path), node.ilog2(), &path.schedule);
            let quads = path.chunk() == 4;
            let (first, inner) = if quads { (2 * node, layer + 2) } else { (node, layer + 1) };
            let (outer, inner) = ([schedule.forward(layer), schedule.forward(layer + 1)], schedule.forward >> inner);
            let pairs = path.forward.pairs(first, x.len() / 2).as_chunks::<2>().0;
            let sweeps = x.as_chunks_mut::<4>().0.chunks_mut(SWEEP).zip(pairs.chunks(SWEEP));
            for (node, (x, pairs)) in (node..).step_by(SWEEP).zip(sweeps) {
                for ((node, chunk), pairs) in (node..).zip(x.iter_mut()).zip(pairs) {
                    let words = [load(&chunk[0]), load(&chunk[1]), load(&chunk[2]), load(&chunk[3])];
                    let w = [Factor::pair(&pairs[0]), Factor::pair(&pairs[1])];
                    let words = if quads {
                        forward_quad(p, words, [Factor::splat(path.forward.node(node)), w[0], w[1]], outer)
                    } else {
                        forward_pairs(p, words, w, outer[0])
                    };
                    store(&mut chunk[0], words[0]);
                    store(&mut chunk[1], words[1]);
                    store(&mut chunk[2], words[2]);
                    store(&mut chunk[3], words[3]);
                }
                for (chunk, pairs) in x.iter_mut().zip(pairs) {
                    let words = [load(&chunk[0]), load(&chunk[1]), load(&chunk[2]), load(&chunk[3])];
                    let words = forward_inner(p, words, pairs, inner);
                    store(&mut chunk[0], words[0]);
                    store(&mut chunk[1], words[1]);
                    store(&mut chunk[2], words[2]);
                    store(&mut chunk[3], words[3]);
                }
            }
        }

        /// The transform of the block `node`, of which the layers above are done.
        #[target_feature(enable = $features)]
        fn forward_block(path: &Path, x: &mut [Vector], mut node: usize) {
            if LANES * x.len() > BLOCK_WORDS {
                let quarter = x.len() / 4;
                if node == 1 {
                    forward_pass::<true>(path, x, x.len(), node);
                } else {
                    forward_pass::<false>(path, x, x.len(), node);
                }
                return (4 * node..)
                    .zip(x.chunks_exact_mut(quarter))
                    .for_each(|(node, x)| forward_block(path, x, node));
            }
            let mut len = x.len();
            while len > path.chunk() {
                if node == 1 {
                    forward_pass::<true>(path, x, len, node);
                } else {
                    forward_pass::<false>(path, x, len, node);
                }
                (len, node) = (len / 4, 4 * node);
            }
            forward_tail(path, x, node);
        }

        /// The first layers of the inverse, from words in `[0, q)`.
        #[target_feature(enable = $features)]
        fn inverse_head(path: &Path, x: &mut [Vector], node: usize) {
            let (p, layer) = (Prime::new(path), node.ilog2());
            let quads = path.chunk() == 4;
            let (first, below) = if quads { (2 * node, layer + 2) } else { (node, layer + 1) };
            let (outer, middle) = (Step::new(path, layer), Step::new(path, below - 1));
            let inner = [Step::new(path, below), Step::new(path, below + 1), Step::new(path, below + 2)];
            let pairs = path.inverse.pairs(first, x.len() / 2).as_chunks::<2>().0;
            let sweeps = x.as_chunks_mut::<4>().0.chunks_mut(SWEEP).zip(pairs.chunks(SWEEP));
            for (node, (x, pairs)) in (node..).step_by(SWEEP).zip(sweeps) {
                for (chunk, pairs) in x.iter_mut().zip(pairs) {
                    let ab = [enter(p, load(&chunk[0])), enter(p, load(&chunk[1]))];
                    let words = [ab[0], ab[1], enter(p, load(&chunk[2])), enter(p, load(&chunk[3]))];
                    let words = inverse_inner(p, words, pairs, inner);
                    store(&mut chunk[0], words[0]);
                    store(&mut chunk[1], words[1]);
                    store(&mut chunk[2], words[2]);
                    store(&mut chunk[3], words[3]);
                }
                for ((node, chunk), pairs) in (node..).zip(x.iter_mut()).zip(pairs) {
                    let words = [load(&chunk[0]), load(&chunk[1]), load(&chunk[2]), load(&chunk[3])];
                    let mut words = inverse_pairs(p, words, [Factor::pair(&pairs[0]), Factor::pair(&pairs[1])], middle);
                    if quads {
                        let w = Factor::splat(path.inverse.node(node));
                        let (a, c) = inverse_butterfly(p, words[0], words[2], w, outer);
                        let (b, d) = inverse_butterfly(p, words[1], words[3], w, outer);
                        words = [a, b, c, d];
                    }
                    store(&mut chunk[0], words[0]);
                    store(&mut chunk[1], words[1]);
                    store(&mut chunk[2], words[2]);
                    store(&mut chunk[3], words[3]);
                }
            }
        }

        /// Radix 4 on all blocks of `len` vectors; the root carries `N^-1` and ends in `[0, q)`.
        #[target_feature(enable = $features)]
        fn inverse_pass<const LAST: bool>(path: &Path, x: &mut [Vector], len: usize, node: usize) {
            let (p, layer) = (Prime::new(path), node.ilog2());
            let step = [Step::new(path, layer), Step::new(path, layer + 1)];
            let n_inverse = Factor::splat(&path.n_inverse);
            for (node, block) in (node..).zip(x.chunks_exact_mut(len)) {
                let outer = if LAST { &path.n_inverse_twiddle } else { path.inverse.node(node) };
                let outer = Factor::splat(outer);
                let w = [Factor::splat(path.inverse.node(2 * node)), Factor::splat(path.inverse.node(2 * node + 1))];
                let (low, high) = block.split_at_mut(len / 2);
                let ((a, b), (c, d)) = (low.split_at_mut(len / 4), high.split_at_mut(len / 4));
                for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
                    let words = inverse_pairs(p, [load(a), load(b), load(c), load(d)], w, step[1]);
                    let (ac, bd) = if LAST {
                        let w = [n_inverse, outer];
                        (
                            inverse_last(p, words[0], words[2], w, step[0]),
                            inverse_last(p, words[1], words[3], w, step[0]),
                        )
                    } else {
                        let ac = inverse_butterfly(p, words[0], words[2], outer, step[0]);
                        (ac, inverse_butterfly(p, words[1], words[3], outer, step[0]))
                    };
                    store(a, ac.0);
                    store(b, bd.0);
                    store(c, ac.1);
                    store(d, bd.1);
                }
            }
        }

        /// The inverse of the block `node`, ready for the layers above.
        #[target_feature(enable = $features)]
        fn inverse_block(path: &Path, x: &mut [Vector], node: usize) {
            let whole = x.len();
            let (mut len, mut first) = (path.chunk(), node * (whole / path.chunk()));
            if LANES * whole > BLOCK_WORDS {
                (4 * node..).zip(x.chunks_exact_mut(whole / 4)).for_each(|(node, x)| inverse_block(path, x, node));
                (len, first) = (whole / 4, 4 * node);
            } else {
                inverse_head(path, x, first);
            }
            while len < whole {
                (len, first) = (4 * len, first / 4);
                if first == 1 {
                    inverse_pass::<true>(path, x, len, first);
                } else {
                    inverse_pass::<false>(path, x, len, first);
                }
            }
        }

        impl Path {
            /// Words in `[0, q)` in and out.
            pub(super) fn forward(&self, x: &mut [u64]) {
                // SAFETY: the path holds the proof that the processor has these instructions.
                unsafe { forward_block(self, x.as_chunks_mut().0, 1) }
            }

            /// Words in `[0, q)` in and out.
            pub(super) fn inverse(&self, x: &mut [u64]) {
                // SAFETY: the path holds the proof that the processor has these instructions.
                unsafe { inverse_block(self, x.as_chunks_mut().0, 1) }
            }
        }
    };
}

/// Writes the layers inside pairs of vectors of four words; the last forward layer ends in `[0, q)`.
macro_rules! inner_layers_of_4 {
    ($features:literal) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn forward_inner(p: Prime, x: [Lanes; 4], w: &[Pair; 2], reduces: u32) -> [Lanes; 4] {
            let x = lanes::halves(lanes::neighbours(x));
            let x = forward_pairs(p, x, [Factor::inner::<2>(&w[0]), Factor::inner::<2>(&w[1])], reduces & 1 == 1);
            let x = lanes::halves(x);
            let x = forward_pairs(p, x, [Factor::inner::<1>(&w[0]), Factor::inner::<1>(&w[1])], reduces & 2 == 2);
            lanes::neighbours([finish(p, x[0]), finish(p, x[1]), finish(p, x[2]), finish(p, x[3])])
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn inverse_inner(p: Prime, x: [Lanes; 4], w: &[Pair; 2], step: [Step; 3]) -> [Lanes; 4] {
            let x = lanes::neighbours(x);
            let x = inverse_pairs(p, x, [Factor::inner::<1>(&w[0]), Factor::inner::<1>(&w[1])], step[1]);
            let x = lanes::halves(x);
            let x = inverse_pairs(p, x, [Factor::inner::<2>(&w[0]), Factor::inner::<2>(&w[1])], step[0]);
            lanes::neighbours(lanes::halves(x))
        }
    };
}

/// Writes the layers inside pairs of vectors of eight words; the last forward layer ends in `[0, q)`.
macro_rules! inner_layers_of_8 {
    ($features:literal) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn forward_inner(p: Prime, x: [Lanes; 4], w: &[Pair; 2], reduces: u32) -> [Lanes; 4] {
            let x = lanes::alternate(x);
            let x = forward_pairs(p, x, [Factor::inner::<4>(&w[0]), Factor::inner::<4>(&w[1])], reduces & 1 == 1);
            let x = lanes::split_2(x);
            let x = forward_pairs(p, x, [Factor::inner::<2>(&w[0]), Factor::inner::<2>(&w[1])], reduces & 2 == 2);
            let x = lanes::halves(x);
            let x = forward_pairs(p, x, [Factor::inner::<1>(&w[0]), Factor::inner::<1>(&w[1])], reduces & 4 == 4);
            lanes::neighbours([finish(p, x[0]), finish(p, x[1]), finish(p, x[2]), finish(p, x[3])])
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn inverse_inner(p: Prime, x: [Lanes; 4], w: &[Pair; 2], step: [Step; 3]) -> [Lanes; 4] {
            let x = lanes::neighbours(x);
            let x = inverse_pairs(p, x, [Factor::inner::<1>(&w[0]), Factor::inner::<1>(&w[1])], step[2]);
            let x = lanes::halves(x);
            let x = inverse_pairs(p, x, [Factor::inner::<2>(&w[0]), Factor::inner::<2>(&w[1])], step[1]);
            let x = lanes::join_2(x);
            let x = inverse_pairs(p, x, [Factor::inner::<4>(&w[0]), Factor::inner::<4>(&w[1])], step[0]);
            lanes::from_alternate(x)
        }
    };
}

pub(super) use {inner_layers_of_4, inner_layers_of_8, passes};
