//! The text form: one line per value, weights as shapes.

use std::fmt;

use crate::program::HeProgram;
use crate::value::CipherType;
use crate::{LinearMap, Op, Packing, Refresh};

impl fmt::Display for CipherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        let log = self.scale.log2();
        write!(f, "cipher[{}] level {} scale 2^{log:.3} x{}", shape.join("x"), self.level, self.component_count)
    }
}

impl fmt::Display for LinearMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{{{} -> {}, {} groups, {} blocks, {} multiply-accumulates, weight scale 2^{:.3}, |w| <= {}}}",
            self.inputs(),
            self.outputs(),
            self.groups().len(),
            self.blocks().len(),
            self.multiply_accumulates(),
            self.weight_scale().log2(),
            self.largest_weight(),
        )
    }
}

impl fmt::Display for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::ClientFunction as F;
        write!(f, "{}", self.function.name())?;
        match self.function {
            F::BoundedRelu { max } => write!(f, " {max}")?,
            F::LeakyRelu { alpha } => write!(f, " {alpha}")?,
            F::Power { exponent } => write!(f, " {exponent}")?,
            _ => {}
        }
        match &self.groups {
            Some(groups) => write!(f, " {{{} groups}}", groups.len()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for HeProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packing = if self.packing() == Packing::Complex { " complex-packed" } else { "" };
        writeln!(f, "program {:?} q {:?}{packing}", self.name(), self.q())?;
        for (id, node) in self.values() {
            write!(f, "{id} = {}", node.op().verb())?;
            for operand in node.operands() {
                write!(f, " {operand}")?;
            }
            match node.op() {
                Op::Input { name } => write!(f, " {name:?}")?,
                Op::Linear { map } => write!(f, " {map}")?,
                Op::AddConstant { values } => write!(f, " {{{} constants}}", values.len())?,
                Op::DropLevel { to } => write!(f, " to {}", to)?,
                Op::Refresh { refresh } => write!(f, " {refresh}")?,
                Op::Gather { indices, .. } => write!(f, " {{{} indices}}", indices.len())?,
                _ => {}
            }
            write!(f, " : {}", node.value())?;
            if !matches!(node.op(), Op::Input { .. }) && !node.source().is_empty() {
                write!(f, "  # {}", node.source())?;
            }
            writeln!(f)?;
        }
        for (name, value) in self.outputs() {
            writeln!(f, "output {name:?} {value}")?;
        }
        Ok(())
    }
}
