//! What the project asks of a run, and whether the run reached it. A bar that is missed is said and fails nothing.

use std::fmt;

use serde::Serialize;

/// Which side of a number is good.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// As large as this, or larger.
    AtLeast(f64),
    /// As small as this, or smaller.
    AtMost(f64),
}

impl Bound {
    fn holds(self, found: f64) -> bool {
        match self {
            Bound::AtLeast(least) => found >= least,
            Bound::AtMost(most) => found <= most,
        }
    }
}

/// A figure held against what was asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bar {
    /// What is measured.
    pub what: String,
    /// Its unit.
    pub unit: &'static str,
    /// What is asked for.
    pub bound: Bound,
    /// What was found.
    pub found: f64,
    /// Whether that is enough.
    pub met: bool,
    /// What is wished for beyond it.
    pub moonshot: Option<Bound>,
    /// Whether that is reached.
    pub moonshot_met: Option<bool>,
}

impl Bar {
    /// Holds `found` against `bound`. What is no number is not met.
    pub fn new(what: &str, unit: &'static str, bound: Bound, found: f64) -> Bar {
        Bar { what: what.to_owned(), unit, bound, found, met: bound.holds(found), moonshot: None, moonshot_met: None }
    }

    /// The same with something to wish for.
    #[must_use]
    pub fn moonshot(self, bound: Bound) -> Bar {
        Bar { moonshot: Some(bound), moonshot_met: Some(bound.holds(self.found)), ..self }
    }

    /// What is asked for, in words.
    pub fn asked(&self) -> String {
        match self.bound {
            Bound::AtLeast(least) => format!("at least {} {}", number(least), self.unit),
            Bound::AtMost(most) => format!("at most {} {}", number(most), self.unit),
        }
    }

    /// The moonshot and whether it is reached, in words; `None` where there is none.
    pub fn moonshot_text(&self) -> Option<String> {
        let (Bound::AtLeast(wished) | Bound::AtMost(wished)) = self.moonshot?;
        Some(format!("moonshot {} {}", number(wished), if self.moonshot_met? { "met" } else { "missed" }))
    }

    /// What was found, in words.
    pub fn found_text(&self) -> String {
        format!("{} {}", number(self.found), self.unit)
    }
}

/// Four digits, and all those before the point.
fn number(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        return format!("{value}");
    }
    let before = value.abs().log10().floor();
    let digits = (3.0 - before).clamp(0.0, 9.0) as usize;
    format!("{value:.digits$}")
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.met { "met" } else { "MISSED" };
        let moonshot = self.moonshot_text().map_or(String::new(), |text| format!("; {text}"));
        write!(f, "{verdict}: {}, {} ({} asked for{moonshot})", self.what, self.found_text(), self.asked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_met_on_the_right_side() {
        let speed = |found| Bar::new("speed", "images/s", Bound::AtLeast(8000.0), found);
        assert_eq!([8000.0, 7999.9, f64::NAN].map(|found| speed(found).met), [true, false, false]);
        let size = |found| Bar::new("size", "MB", Bound::AtMost(7.0), found).moonshot(Bound::AtMost(5.5));
        assert_eq!([7.0, 7.01, f64::NAN].map(|found| size(found).met), [true, false, false]);
        assert_eq!([5.5, 6.0].map(|found| size(found).moonshot_met), [Some(true), Some(false)]);
        assert_eq!((speed(9000.0).moonshot_met, speed(9000.0).moonshot_text()), (None, None));
    }

    #[test]
    fn bars_in_words() {
        let bar =
            Bar::new("travels for an image", "MB", Bound::AtMost(0.016), 0.013_456).moonshot(Bound::AtMost(0.012));
        let expected = "met: travels for an image, 0.01346 MB (at most 0.01600 MB asked for; moonshot 0.01200 missed)";
        assert_eq!(bar.to_string(), expected);
        let bar = Bar::new("an image", "ms", Bound::AtMost(27.0), 1234.56);
        assert_eq!(bar.to_string(), "MISSED: an image, 1235 ms (at most 27 ms asked for)");
    }
}
