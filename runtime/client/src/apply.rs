//! A function of groups of values, on all threads. Every image is on its own, so that the numbers do not depend on how many threads there are.

use he_ir::{ClientFunction, RefreshGroup};
use rayon::prelude::*;

/// Images of one task.
const IMAGES: usize = 256;

/// As [`ClientFunction::apply_tile`], for groups.
pub(crate) fn apply_groups(
    function: ClientFunction,
    groups: &[RefreshGroup],
    values: &[f64],
    images: usize,
    results: usize,
) -> Option<Vec<f64>> {
    let values: Vec<&[f64]> = values.chunks_exact(images).collect();
    let mut out = vec![0.0; results.checked_mul(images)?];
    let mut rows: Vec<_> = out.chunks_exact_mut(images).map(|row| row.chunks_mut(IMAGES)).collect();
    let next = |_| rows.iter_mut().filter_map(Iterator::next).collect();
    let tasks: Vec<Vec<&mut [f64]>> = (0..images.div_ceil(IMAGES)).map(next).collect();
    let apply = |(task, results)| {
        let values: Vec<&[f64]> = values.iter().filter_map(|row| row.chunks(IMAGES).nth(task)).collect();
        function.apply_rows(groups, &values, results)
    };
    tasks.into_par_iter().enumerate().map(apply).collect::<Option<()>>()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(inputs: Vec<u32>, outputs: Vec<u32>) -> RefreshGroup {
        RefreshGroup { inputs, outputs }
    }

    #[test]
    fn the_bits_are_those_of_one_thread() {
        let all: Vec<u32> = (0..5).collect();
        let windows = || (0..3).rev().map(|i| group(vec![i, i + 1, i + 2], vec![2 - i])).collect();
        let cases: [(ClientFunction, Vec<RefreshGroup>, usize); 4] = [
            (ClientFunction::Max, windows(), 3),
            (ClientFunction::ArgMax, windows(), 3),
            (ClientFunction::Softmax, vec![group(all.clone(), all)], 5),
            (ClientFunction::Divide, vec![group(vec![0, 4], vec![1]), group(vec![3, 1], vec![0])], 2),
        ];
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for images in [1, IMAGES - 1, IMAGES, 2 * IMAGES + 1] {
                let values: Vec<f64> = (0..5 * images).map(|i| (i as f64).sin()).collect();
                for (function, groups, results) in &cases {
                    let whole = function.apply_tile(Some(groups), &values, images, *results).unwrap();
                    let made = pool.install(|| apply_groups(*function, groups, &values, images, *results)).unwrap();
                    let bits = |numbers: Vec<f64>| numbers.into_iter().map(f64::to_bits).collect::<Vec<_>>();
                    assert_eq!(bits(made), bits(whole), "{function:?} of {images} images on {threads} threads");
                }
            }
        }
        let elsewhere = [group(vec![5], vec![0])];
        assert_eq!(apply_groups(ClientFunction::Max, &elsewhere, &[0.0; 10], 2, 1), None);
    }
}
