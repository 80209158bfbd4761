//! Order is checked, and so is what a pass leaves behind.

use graph::GraphBuilder;

use super::*;

#[derive(Debug)]
struct Fake {
    name: &'static str,
    requires: &'static [Property],
    ensures: &'static [Property],
}

impl Pass<Graph> for Fake {
    fn name(&self) -> &'static str {
        self.name
    }
    fn requires(&self) -> &'static [Property] {
        self.requires
    }
    fn ensures(&self) -> &'static [Property] {
        self.ensures
    }
    fn run(&self, _: &mut Graph) -> Result<PassReport, PassError> {
        let mut report = PassReport::default();
        report.rewrote("site", self.name);
        Ok(report)
    }
}

fn first() -> Box<dyn Pass<Graph>> {
    Box::new(Fake { name: "first", requires: &[], ensures: &[Property::ConstantsFolded] })
}

fn second() -> Box<dyn Pass<Graph>> {
    Box::new(Fake { name: "second", requires: &[Property::ConstantsFolded], ensures: &[] })
}

#[test]
fn runs_in_order_and_collects_reports() {
    let g = GraphBuilder::new("g");
    let x = g.input("x", &[1]);
    let mut graph = g.finish(&[x * x]).unwrap();
    let pipeline = Pipeline::new(vec![first(), second()]).unwrap();
    let names: Vec<_> = pipeline.names().collect();
    let reports = pipeline.run(&mut graph).unwrap();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(reports[1].1.rewritten, [("site".into(), "second".into())]);
}

#[test]
fn a_requirement_that_comes_too_late_is_refused() {
    let error = Pipeline::new(vec![second(), first()]).unwrap_err().to_string();
    assert_eq!(error, "pass second requires ConstantsFolded, which no earlier pass ensures");
}
