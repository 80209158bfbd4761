//! Round trips, and files that lie.

use he_params::ModulusChain;
use proptest::prelude::*;

use super::*;
use crate::Group;

fn params() -> CkksParamsLiteral {
    CkksParamsLiteral::new(12, ModulusChain::Bits(vec![30, 30]), ModulusChain::Bits(vec![30]), 25.3)
}

/// Every operation once.
fn program() -> HeProgram {
    let q = CkksParams::try_from(params()).unwrap().q().to_vec();
    let mut b = HeProgramBuilder::new("all", q);
    let x = b.input("x", vec![2, 1], Level::new(1), Scale::from_log2(25.3).unwrap()).unwrap();
    let block = WeightBlock::new(1, 1, vec![-7]).unwrap();
    let groups = (0..2).map(|i| Group { inputs: vec![i], outputs: vec![i], block: 0 }).collect::<Vec<_>>();
    let map = LinearMap::new(2, vec![block], groups, vec![0.1, -1e-300], Scale::from_log2(3.7).unwrap()).unwrap();
    let map = Arc::new(map);
    let y = b.linear(Arc::clone(&map), x, vec![1, 2], "dense").unwrap();
    let y = b.push(Op::Gather { indices: Arc::new(vec![1, 0]), shape: vec![2] }, &[y], "swap").unwrap();
    let y = b.linear(map, y, vec![2], "dense again").unwrap();
    let z = b.push(Op::Negate, &[y], "minus").unwrap();
    let z = b.push(Op::Add, &[z, y], "add").unwrap();
    let z = b.push(Op::Sub, &[z, y], "sub").unwrap();
    let z = b.push(Op::AddConstant { values: Arc::new(vec![0.1, 2.0]) }, &[z], "shift").unwrap();
    let z = b.push(Op::Square, &[z], "square").unwrap();
    let z = b.push(Op::Relinearize, &[z], "square").unwrap();
    let z = b.push(Op::Rescale, &[z], "square").unwrap();
    let w = b.push(Op::Mul, &[x, x], "mul").unwrap();
    let w = b.push(Op::DropLevel { to: Level::BOTTOM }, &[w], "mul").unwrap();
    let scale = Scale::from_log2(25.3).unwrap();
    let function = ClientFunction::LeakyRelu { alpha: 0.1 };
    let leaky = Refresh { function, groups: None, shape: vec![2], level: Level::new(1), scale };
    let v = b.push(Op::Refresh { refresh: Arc::new(leaky) }, &[z], "leaky").unwrap();
    let groups = Some(vec![RefreshGroup { inputs: vec![1, 0], outputs: vec![0] }]);
    let max = Refresh { function: ClientFunction::Max, groups, shape: vec![1], level: Level::BOTTOM, scale };
    let v = b.push(Op::Refresh { refresh: Arc::new(max) }, &[v], "max").unwrap();
    b.output("z", z);
    b.output("w", w);
    b.output("v", v);
    b.finish().unwrap()
}

/// A square, relinearized and rescaled by one division.
fn fused() -> HeProgram {
    let q = CkksParams::try_from(params()).unwrap().q().to_vec();
    let mut b = HeProgramBuilder::new("fused", q);
    let x = b.input("x", vec![2], Level::new(1), Scale::from_log2(25.3).unwrap()).unwrap();
    let x = b.push(Op::Square, &[x], "square").unwrap();
    let x = b.push(Op::RelinearizeRescale, &[x], "square").unwrap();
    b.output("x", x);
    b.finish().unwrap()
}

#[test]
fn a_program_comes_back_as_it_was() {
    let program = program();
    let bytes = to_bytes(&program, &params()).unwrap();
    let (read, read_params) = from_bytes(&bytes).unwrap();
    assert_eq!(read, program);
    assert_eq!(read_params.literal(), &params());
    // The shared map stands once.
    assert_eq!(String::from_utf8(bytes).unwrap().matches("weight_scale").count(), 1);
}

#[test]
fn only_programs_with_the_new_operation_need_the_new_version() {
    let (old, new) = (program(), fused());
    let bytes = to_bytes(&new, &params()).unwrap();
    assert!(bytes.starts_with(br#"{"henge_program":2,"#));
    assert!(String::from_utf8_lossy(&bytes).contains(r#""op":"relinearize_rescale""#));
    assert_eq!(from_bytes(&bytes).unwrap().0, new);
    assert!(to_bytes(&old, &params()).unwrap().starts_with(br#"{"henge_program":1,"#));
}

#[test]
fn lies_are_refused() {
    let text = String::from_utf8(to_bytes(&program(), &params()).unwrap()).unwrap();
    let q0 = CkksParams::try_from(params()).unwrap().q()[0];
    let cases = [
        (r#""henge_program":1"#, r#""henge_program":3"#.to_owned(), "version 3, this reads versions 1 to 2"),
        (r#""name":"all""#, r#""name":"all","extra":1"#.to_owned(), "unknown field `extra`"),
        (r#""map":0"#, r#""map":5"#.to_owned(), "names linear map 5, the file has 1"),
        (r#""shape":[2,1]"#, r#""shape":[4294967296,4294967296]"#.to_owned(), "elements of a value, at most 16777216"),
        (r#""shape":[2,1]"#, r#""shape":[3]"#.to_owned(), "the map has 2 elements, the operand 3"),
        (r#""shape":[1,2]"#, r#""shape":[5]"#.to_owned(), "the shape has 5 elements"),
        (r#""operands":[0,0]"#, r#""operands":[0,99]"#.to_owned(), "%99 is used by node 11 before it is defined"),
        (r#""weights":[-7]"#, r#""weights":[-7,1]"#.to_owned(), "a block of 1 x 1 weights has 2"),
        (r#"["w",12]"#, r#"["w",15]"#.to_owned(), "%15 is used by"),
        (r#"{"leaky_relu":{"alpha":0.1}}"#, r#"{"leaky_relu":{"beta":0.1}}"#.to_owned(), "unknown field `beta`"),
        (r#"[[[1,0],[0]]]"#, r#"[[[1,2],[0]]]"#.to_owned(), "index 2 past the operand's 2 elements"),
        (r#"[[[1,0],[0]]]"#, r#"[[[1,0],[1]]]"#.to_owned(), "index 1 past the operand's 1 elements"),
        (r#""level":1"#, r#""level":2"#.to_owned(), "at level 2, the chain has 2 primes"),
        (&format!(r#""q":[{q0}"#), r#""q":[97"#.to_owned(), "are not the first of the parameters' 2"),
        (r#""log_n":12"#, r#""log_n":11"#.to_owned(), "parameters: "),
    ];
    for (old, new, message) in cases {
        let broken = text.replacen(old, &new, 1);
        assert_ne!(broken, text, "{old}");
        let error = from_bytes(broken.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(message), "{old} -> {new}: {error}");
    }
    assert!(from_bytes(&text.as_bytes()[..text.len() - 3]).unwrap_err().to_string().contains("not a program file"));
}

proptest! {
    #[test]
    fn damaged_files_never_panic(at in 0usize..4000, byte in any::<u8>()) {
        let mut bytes = to_bytes(&program(), &params()).unwrap();
        let len = bytes.len();
        bytes[at % len] = byte;
        let _ = from_bytes(&bytes);
    }
}
