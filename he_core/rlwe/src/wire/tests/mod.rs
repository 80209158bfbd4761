//! The wire format as a user of it sees it: through an object with one field of every sort.

use he_params::{
    CkksParams, CkksParamsLiteral, ErrorDistribution, GaloisElement, Level, ModulusChain, RequiredSecurity, Scale,
    SecretDistribution, SecurityTable,
};
use he_ring::sampling::Seed;
use he_ring::{Coeff, Domain, Eval, Isa, Ring, RnsTensor};

use super::{Kind, ParamsDigest, Reader, WireError, WireObject, Writer};

mod frozen;
mod refusals;
mod round_trip;

const MAX_NAME: u16 = 8;
const MAX_VALUES: usize = 3;

struct Context {
    params: CkksParams,
    ring: Ring,
}

/// N = 4; primes of 14, 7, 31 (words of 64 bits from here) and, special, 61 bits; rows of 7 and 61 bits end in padding.
fn context() -> Context {
    let q = ModulusChain::Primes(vec![12289, 97, 1_073_741_833]);
    let p = ModulusChain::Primes(vec![2_305_843_009_213_693_921]);
    let literal = CkksParamsLiteral {
        primes_per_digit: 2,
        secret: SecretDistribution::HammingWeight(3),
        error: ErrorDistribution::RoundedGaussian,
        table: SecurityTable::HeStandard2018,
        security: RequiredSecurity::Insecure,
        ..CkksParamsLiteral::new(2, q, p, 7.5)
    };
    let params = CkksParams::try_from(literal).unwrap();
    let primes: Vec<u64> = params.q().iter().chain(params.p()).copied().collect();
    Context { ring: Ring::new(2, &primes, Isa::Scalar).unwrap(), params }
}

/// Residues by a formula that the recipe of the frozen files knows too; the first one of each limb is the largest there is.
fn tensor<D: Domain>(ring: &Ring, rows: usize, limbs: &[usize]) -> RnsTensor<D> {
    let mut tensor = ring.zero(rows, limbs).unwrap();
    for (position, index) in limbs.iter().enumerate() {
        let q = ring.primes()[*index];
        for row in 0..rows {
            let word = |i: usize| match (row, i) {
                (0, 0) => q - 1,
                _ => (row as u64 * 1_000_003 + i as u64 * 7919 + 12345).wrapping_mul(0x9e37_79b9_7f4a_7c15) % q,
            };
            tensor.set_row_from_u64(position, row, (0..ring.n()).map(word)).unwrap();
        }
    }
    tensor
}

/// Two components of some values, of which the wire keeps the first; a special polynomial; and every small field.
#[derive(Debug, PartialEq)]
struct Sample {
    level: Level,
    scale: Scale,
    element: GaloisElement,
    seed: Seed,
    name: String,
    first: RnsTensor<Eval>,
    special: RnsTensor<Coeff>,
}

impl Sample {
    fn new(context: &Context) -> Sample {
        let both = tensor::<Eval>(&context.ring, 4, &[0, 1, 2]);
        Sample {
            level: Level::new(2),
            scale: Scale::new(181.02).unwrap(),
            element: GaloisElement::new(3, context.params.shape()).unwrap(),
            seed: Seed::new(std::array::from_fn(|i| i as u8)),
            name: "Möwe".into(),
            first: both.view().select(0, 2, 2).unwrap().to_tensor(),
            special: tensor(&context.ring, 1, &[3]),
        }
    }
}

impl WireObject for Sample {
    const KIND: Kind = Kind::SeededCiphertextTensor;
    type Context = Context;

    fn params_digest(context: &Context) -> ParamsDigest {
        ParamsDigest::of(&context.params)
    }

    fn write_body(&self, context: &Context, body: &mut Writer) -> Result<(), WireError> {
        body.count("values", self.first.rows())?;
        body.level(self.level);
        body.scale(self.scale);
        body.galois_element(self.element);
        body.seed(&self.seed);
        body.text("name", &self.name, MAX_NAME)?;
        body.tensor(&context.ring, &self.first)?;
        body.tensor(&context.ring, &self.special)
    }

    fn read_body(context: &Context, body: &mut Reader<'_>) -> Result<Self, WireError> {
        let values = body.count("values", 1..=MAX_VALUES)?;
        let level = body.level("level", &context.params)?;
        let limbs: Vec<usize> = (0..level.prime_count()).collect();
        Ok(Sample {
            level,
            scale: body.scale("scale")?,
            element: body.galois_element("element", context.params.shape())?,
            seed: body.seed("seed")?,
            name: body.text("name", MAX_NAME)?.into(),
            first: body.tensor(&context.ring, values, &limbs)?,
            special: body.tensor(&context.ring, 1, &[3])?,
        })
    }
}
