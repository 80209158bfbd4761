use super::*;

/// Words without structure.
fn words(len: usize, mut state: u64) -> Vec<u32> {
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn kept_words_are_those_below_in_order() {
    let words = words(300, 1);
    for isa in Isa::available() {
        for len in (0..70).chain([256, 300]) {
            for q in [2u32, 3, 5, 255, 257, (1 << 29) + 11, (1 << 30) - 35] {
                let mask = u32::MAX >> q.leading_zeros();
                let expected: Vec<u32> = words[..len].iter().map(|w| w & mask).filter(|w| *w < q).collect();
                let mut out = vec![0; len];
                let kept = keep_below_u32(isa, q, &words[..len], &mut out);
                assert_eq!(out[..kept], expected, "{} {len} {q}", isa.name());
            }
            let draws = words[..len / 2 * 2].as_chunks::<2>().0;
            for q in [2u64, 3, (1 << 30) + 3, (1 << 31) - 1, (1 << 32) + 15, (1 << 50) + 1, (1 << 61) - 1] {
                let mask = u64::MAX >> q.leading_zeros();
                let expected: Vec<u64> = draws.iter().map(|d| super::word(d) & mask).filter(|w| *w < q).collect();
                let mut out = vec![0; draws.len()];
                let kept = keep_below_u64(isa, q, draws, &mut out);
                assert_eq!(out[..kept], expected, "{} {len} {q}", isa.name());
            }
        }
    }
}

#[test]
fn fields_that_are_not_three_are_kept_in_order() {
    let mut words = words(200, 3);
    words.extend([0, u32::MAX, u32::MAX, 0x5555_5555, 0xaaaa_aaaa, 0xc000_0003]);
    for isa in Isa::available() {
        for len in (0..20).chain([200, words.len()]) {
            let words = &words[words.len() - len..];
            let fields = words.iter().flat_map(|word| (0..16).map(move |i| (word >> (2 * i) & 3) as i8));
            let expected: Vec<i8> = fields.filter(|field| *field != 3).map(|field| field - 1).collect();
            let mut out = vec![9; FIELDS * len];
            let kept = keep_ternary(isa, words, &mut out);
            assert_eq!(out[..kept], expected, "{} {len}", isa.name());
        }
    }
}

/// Bit by bit, and entry by entry.
#[test]
fn errors_are_those_of_the_definition() {
    let tails = [1u64 << 62, 1 << 50, 12345, 5];
    let mut words = words(600, 2);
    // On both sides of every entry, of either sign.
    words.extend(tails.iter().flat_map(|t| [*t, t - 1, t + 1, t | 1 << 63]).flat_map(|t| [t as u32, (t >> 32) as u32]));
    words.extend([0, 0, u32::MAX, u32::MAX]);
    let draws = words.as_chunks::<2>().0;
    let ones = |w: u64, from: u32| (from..from + 21).map(|bit| (w >> bit & 1) as i8).sum::<i8>();
    let binomial: Vec<i8> = draws.iter().map(super::word).map(|w| ones(w, 0) - ones(w, 21)).collect();
    let magnitude = |w: u64| tails.iter().filter(|t| w << 1 >> 1 < **t).count() as i8;
    let gaussian: Vec<i8> =
        draws.iter().map(super::word).map(|w| if w >> 63 == 1 { -magnitude(w) } else { magnitude(w) }).collect();
    for isa in Isa::available() {
        for len in (0..70).chain([draws.len()]) {
            let mut out = vec![99; len];
            centred_binomial(isa, &draws[..len], &mut out);
            assert_eq!(out, binomial[..len], "{} {len}", isa.name());
            rounded_gaussian(isa, &tails, &draws[draws.len() - len..], &mut out);
            assert_eq!(out, gaussian[draws.len() - len..], "{} {len}", isa.name());
        }
    }
}
