//! Every preset is what its table says.

use crate::presets::{names, preset};
use crate::*;

#[test]
fn each_preset_holds_in_the_table_it_names_and_in_no_stricter_one() {
    for name in names() {
        let literal = preset(name).unwrap();
        let report = CkksParams::try_from(literal.clone()).unwrap().security_report();
        let in_2024 = SecurityTable::Guidelines2024.granted(LogN::new(literal.log_n).unwrap(), report.log_qp);
        match (literal.table, literal.security) {
            (SecurityTable::Guidelines2024, RequiredSecurity::AtLeast(_)) => assert!(in_2024.is_some(), "{name}"),
            (SecurityTable::HeStandard2018, _) => assert!(in_2024.is_none() && report.bits >= 128, "{name}"),
            (_, RequiredSecurity::Insecure) => {
                assert!(report.bits == 0 && report.to_string().starts_with("INSECURE"), "{name}: {report}");
            }
        }
    }
}

#[test]
fn the_documented_table_is_true() {
    let documented: Vec<Vec<&str>> = include_str!("../presets.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `"))
        .map(|line| line.split('|').map(|cell| cell.trim_matches([' ', '`'])).collect())
        .collect();
    assert_eq!(documented.len(), names().count());
    for (row, name) in documented.iter().zip(names()) {
        let params = CkksParams::try_from(preset(name).unwrap()).unwrap();
        let report = params.security_report();
        assert_eq!(row[0], name);
        assert_eq!(row[1], params.log_n().get().to_string());
        assert_eq!(row[4], format!("{:.0}", report.log_qp.ceil()), "{name}");
        assert_eq!(row[5], format!("2^{:.0}", params.scale().log2()), "{name}");
        let security = match (report.bits, report.table) {
            (0, _) => "none: insecure".to_owned(),
            (bits, SecurityTable::Guidelines2024) => format!("{bits} (2024 table)"),
            (bits, SecurityTable::HeStandard2018) => format!("{bits} (2018 table)"),
        };
        assert_eq!(row[6], security, "{name}");
    }
}
