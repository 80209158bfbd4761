//! Every linear operation, and compositions of them, against the interpreter.

use graph::affine::AffineMap;
use graph::ops::{AveragePool, Conv, Div, Gemm, ReduceMean, ReduceSum};
use graph::{Expr, GraphBuilder, Tensor, interpret};
use proptest::prelude::*;

use super::{NotLinear, Pattern, compose, is_movement, linearise};

/// Pseudo-random numbers in [-1, 1), the same for the same seed.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn tensor(dims: &[usize], seed: u64) -> Tensor {
    Tensor::new(dims.to_vec(), numbers(dims.iter().product(), seed)).unwrap()
}

/// Builds a chain, linearises every node, composes from either end, and compares all with the interpreter.
fn check(image: &[usize], build: impl for<'b> Fn(&'b GraphBuilder, Expr<'b>) -> Expr<'b>) -> AffineMap {
    let g = GraphBuilder::new("chain");
    let x = g.input("x", image);
    let graph = g.finish(&[build(&g, x)]).unwrap();
    let mut previous = graph.inputs()[0];
    let mut maps = Vec::new();
    for (id, node) in graph.nodes() {
        let linear = linearise(&graph, id).unwrap();
        assert_eq!(linear.data, previous, "{} reads something else", node.name());
        previous = node.output();
        maps.push(linear.map);
    }
    let after = |first: &AffineMap, second: &AffineMap| {
        let composed = compose(first, second).unwrap();
        assert_eq!(composed.multiplications(), Pattern::of(first).then(second).unwrap().multiplications());
        composed
    };
    let forward = maps[1..].iter().fold((*maps[0]).clone(), |done, map| after(&done, map));
    let (last, rest) = maps.split_last().unwrap();
    let backward = rest.iter().rev().fold((**last).clone(), |done, map| after(map, &done));

    let elements: usize = image.iter().product();
    for seed in 1..4 {
        let data = numbers(elements, seed);
        let dims = [&[1], image].concat();
        let expected = interpret::run(&graph, &[Tensor::new(dims, data.clone()).unwrap()]).unwrap().remove(0);
        let mut one_by_one = data.clone();
        for map in &maps {
            one_by_one = map.apply(&one_by_one).unwrap();
        }
        for found in [one_by_one, forward.apply(&data).unwrap(), backward.apply(&data).unwrap()] {
            assert_eq!(found.len(), expected.data().len());
            for (i, (f, e)) in found.iter().zip(expected.data()).enumerate() {
                assert!((f - e).abs() < 1e-9, "element {i}: {f}, interpreter {e}");
            }
        }
    }
    forward
}

#[test]
fn a_convolution_shares_blocks_among_equally_clipped_windows() {
    let map = check(&[1, 28, 28], |g, x| {
        let w = g.constant("w", tensor(&[5, 1, 5, 5], 1));
        let b = g.constant("b", tensor(&[5], 2));
        x.conv_bias(Conv::new(2).stride(2).pad(0, 1), w, b)
    });
    assert_eq!(map.groups().len(), 169);
    assert_eq!(map.outputs(), 845);
    // Inside, clipped at the bottom, at the right, and in the corner.
    let mut sizes: Vec<usize> = map.blocks().iter().map(|block| block.columns()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [16, 20, 20, 25]);
    // 144 windows inside, 12 at each border, one in the corner.
    assert_eq!(map.multiplications(), 5 * (144 * 25 + 24 * 20 + 16));
}

#[test]
fn convolutions_of_every_kind() {
    check(&[4, 6], |g, x| x.conv(Conv::new(1).groups(2), g.constant("w", tensor(&[6, 2, 3], 1))));
    check(&[4, 7, 5], |g, x| {
        let op = Conv { dilations: vec![2, 1], pads: vec![[1, 2], [0, 3]], ..Conv::new(2).groups(4).stride(2) };
        x.conv(op, g.constant("w", tensor(&[4, 1, 3, 2], 1)))
    });
    check(&[2, 3, 4, 3], |g, x| x.conv(Conv::new(3).pad(1, 1), g.constant("w", tensor(&[3, 2, 2, 2, 2], 1))));
}

#[test]
fn pools_count_the_border_or_not() {
    for count in [false, true] {
        let map =
            check(&[2, 5, 5], |_, x| x.average_pool(AveragePool::new(&[3, 3]).stride(2).pad(1, 1).count_border(count)));
        assert_eq!(map.groups().len(), 2 * 9);
    }
}

#[test]
fn matrix_products_from_either_side() {
    check(&[7], |g, x| x.matmul(g.constant("w", tensor(&[7, 3], 1))));
    check(&[4, 7], |g, x| x.matmul(g.constant("w", tensor(&[7, 3], 1))));
    check(&[2, 4, 7], |g, x| x.matmul(g.constant("w", tensor(&[2, 7, 3], 1))));
    check(&[2, 4, 7], |g, x| x.matmul(g.constant("w", tensor(&[1, 1, 7, 3], 1))));
    check(&[7, 3], |g, x| g.constant("w", tensor(&[5, 7], 1)).matmul(x));
    check(&[2, 7, 3], |g, x| g.constant("w", tensor(&[2, 5, 7], 1)).matmul(x));
    for transposed in [false, true] {
        let dims = if transposed { [3, 7] } else { [7, 3] };
        let op = Gemm { alpha: 0.5, beta: 2.0, transposed };
        check(&[7], |g, x| x.gemm(op, g.constant("w", tensor(&dims, 1)), g.constant("b", tensor(&[1, 3], 2))));
    }
}

#[test]
fn element_by_element() {
    check(&[3, 2], |g, x| x + g.constant("c", tensor(&[2], 1)));
    check(&[3, 2], |g, x| x - g.constant("c", tensor(&[1, 3, 1], 1)));
    check(&[3, 2], |g, x| g.constant("c", tensor(&[3, 1], 1)) - x);
    check(&[3, 1], |g, x| x * g.constant("c", tensor(&[3, 4], 1)));
    check(&[3, 2], |_, x| -x);
    check(&[3, 2], |g, x| {
        let parameter = |name, seed, positive: f64| {
            g.constant(name, Tensor::vector(numbers(3, seed).into_iter().map(|v| v + positive).collect()))
        };
        x.batch_norm(
            1e-5,
            [parameter("s", 1, 0.0), parameter("b", 2, 0.0), parameter("m", 3, 0.0), parameter("v", 4, 2.0)],
        )
    });
}

#[test]
fn movements_multiply_nothing() {
    let map = check(&[3, 4, 2], |_, x| x.transpose(&[0, 2, 3, 1]).reshape(&[6, 4]).flatten());
    assert!(is_movement(&map));
    let map = check(&[3, 4], |_, x| x.pad(&[[1, 0], [2, 1]], 0.5));
    assert!(is_movement(&map));
    assert_eq!(map.groups().len(), 12);
}

#[test]
fn composed_convolutions_keep_their_groups() {
    let map = check(&[1, 12, 12], |g, x| {
        let first = x.conv(Conv::new(2).stride(2), g.constant("w", tensor(&[3, 1, 4, 4], 1)));
        first.average_pool(AveragePool::new(&[2, 2]).stride(1)).transpose(&[0, 2, 3, 1])
    });
    // 5x5 positions of the convolution, 4x4 of the pool; three maps read the same 6x6 pixels through one block.
    assert_eq!(map.groups().len(), 16);
    assert_eq!(map.blocks().len(), 1);
    assert_eq!((map.blocks()[0].rows(), map.blocks()[0].columns()), (3, 36));
}

#[test]
fn the_linear_layers_of_cryptonets_become_one_dense_layer() {
    let map = check(&[5, 13, 13], |g, x| {
        let pool = AveragePool::new(&[3, 3]).stride(1).pad(1, 1).count_border(true);
        let h = x.average_pool(pool.clone());
        let h = h.conv(Conv::new(2).stride(2), g.constant("w2", tensor(&[50, 5, 5, 5], 2)));
        let h = h.average_pool(pool).flatten();
        h.gemm(Gemm::default(), g.constant("w3", tensor(&[1250, 100], 3)), g.constant("b3", tensor(&[100], 4)))
    });
    assert_eq!(map.groups().len(), 1);
    assert_eq!(map.multiplications(), 84_500);
}

#[test]
fn what_is_not_linear_says_why() {
    let g = GraphBuilder::new("square");
    let x = g.input("x", &[2]);
    let y = g.input("y", &[2]);
    let graph = g.finish(&[x * x, x * y, g.constant("c", tensor(&[2], 1)) * 2.0]).unwrap();
    let reasons: Vec<NotLinear> = graph.nodes().map(|(id, _)| linearise(&graph, id).unwrap_err()).collect();
    assert_eq!(reasons[0], NotLinear::TwoVary { first: "x".to_owned(), second: "x".to_owned() });
    assert_eq!(reasons[1], NotLinear::TwoVary { first: "x".to_owned(), second: "y".to_owned() });
    assert_eq!(reasons[2], NotLinear::NoneVaries);
    let map = |image: &'static [usize]| check(image, |_, x| x.flatten());
    assert!(compose(&map(&[2]), &map(&[3])).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_convolution_then_pool(
        size in 4usize..8, kernel in 1usize..4, stride in 1usize..3, pads in (0usize..3, 0usize..3),
        pool in 1usize..3, seed in 1u64..1000,
    ) {
        check(&[2, size, size], |g, x| {
            let op = Conv::new(2).stride(stride).pad(pads.0, pads.1);
            let h = x.conv(op, g.constant("w", tensor(&[3, 2, kernel, kernel], seed)));
            h.average_pool(AveragePool::new(&[pool, pool]).stride(1).pad(0, pool - 1))
        });
    }
}

#[test]
fn reductions_and_quotients() {
    check(&[3, 4, 2], |g, x| {
        let half = g.constant("half", tensor(&[4, 1], 7));
        let x = g.apply("div", Div, &[x, half]);
        let x = g.apply("mean", ReduceMean { axes: vec![1, 3], keep: true }, &[x]);
        g.apply("sum", ReduceSum { axes: vec![2], keep: false }, &[x * 3.0])
    });
    let g = GraphBuilder::new("not linear");
    let (x, zero) = (g.input("x", &[2]), g.constant("zero", Tensor::scalar(0.0)));
    let by_zero = g.apply("by_zero", Div, &[x, zero]);
    let of_constant = g.apply("of_constant", Div, &[zero, x]);
    let graph = g.finish(&[by_zero, of_constant]).unwrap();
    for (id, _) in graph.nodes() {
        assert_eq!(linearise(&graph, id).unwrap_err(), NotLinear::Operation { op: "div" });
    }
}
