//! A random order for the elements of a tile.

/// Random bytes from the operating system, as numbers.
fn random_u64() -> Result<u64, getrandom::Error> {
    getrandom::u64()
}

/// A uniformly random order of `0..len` (Fisher and Yates): element i of the shuffled tile is element `order[i]` of the tile.
///
/// # Errors
/// When the operating system gives no random bytes.
pub(crate) fn order(len: usize) -> Result<Vec<usize>, getrandom::Error> {
    let mut order: Vec<usize> = (0..len).collect();
    for last in (1..len).rev() {
        let j = below(last as u64 + 1)? as usize;
        order.swap(last, j);
    }
    Ok(order)
}

/// A uniform number below `bound`, without the bias of a remainder.
fn below(bound: u64) -> Result<u64, getrandom::Error> {
    let zone = u64::MAX - u64::MAX % bound;
    loop {
        let x = random_u64()?;
        if x < zone {
            return Ok(x % bound);
        }
    }
}

/// The order that undoes `order`.
pub(crate) fn inverse(order: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; order.len()];
    for (i, &j) in order.iter().enumerate() {
        if let Some(slot) = inverse.get_mut(j) {
            *slot = i;
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_and_its_inverse_undo_each_other() {
        for len in [0, 1, 2, 100] {
            let order = order(len).unwrap();
            let inverse = inverse(&order);
            assert!((0..len).all(|i| inverse[order[i]] == i && order[inverse[i]] == i));
        }
    }

    #[test]
    fn every_order_of_three_comes_about_equally_often() {
        let mut seen = std::collections::HashMap::new();
        (0..6000).for_each(|_| *seen.entry(order(3).unwrap()).or_insert(0) += 1);
        assert_eq!(seen.len(), 6);
        // Mean 1000, standard deviation 29: seven of them.
        assert!(seen.values().all(|n| (800..1200).contains(n)), "{seen:?}");
    }
}
