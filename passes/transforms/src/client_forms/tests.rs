use super::ClientForms;
use crate::testing::check_golden;

#[test]
fn golden() {
    let [before, after, report] = [include_str!("before.txt"), include_str!("after.txt"), include_str!("report.txt")];
    check_golden(&ClientForms, before, after, report);
}
