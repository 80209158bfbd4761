//! Parameters below 128 bits are refused unless the caller accepts them, and then every report begins by saying so.

use he_params::{CkksParams, SecurityBits};

/// The line that a report must begin with, if any.
///
/// # Errors
/// Parameters below 128 bits without `insecure`.
pub(crate) fn admit(params: &CkksParams, insecure: bool) -> anyhow::Result<Option<String>> {
    let report = params.security_report();
    if report.bits >= SecurityBits::Bits128.get() {
        return Ok(None);
    }
    let bits = report.bits;
    let bound = report.bound.map_or("no bound known".to_owned(), |bound| format!("at most {bound} for 128 bits"));
    let facts = format!(
        "{bits} bits of security: N = 2^{}, log2(QP) = {:.1}, {bound} ({})",
        params.log_n().get(),
        report.log_qp,
        report.table
    );
    anyhow::ensure!(insecure, "insecure parameters, {facts}; --insecure accepts them");
    Ok(Some(format!("INSECURE: {facts}")))
}

#[cfg(test)]
mod tests {
    use he_params::{CkksParamsLiteral, ModulusChain, RequiredSecurity};

    use super::*;

    fn params(log_n: u8) -> CkksParams {
        let mut literal =
            CkksParamsLiteral::new(log_n, ModulusChain::Bits(vec![30, 30]), ModulusChain::Bits(vec![30]), 25.0);
        literal.security = RequiredSecurity::Insecure;
        CkksParams::try_from(literal).unwrap()
    }

    #[test]
    fn what_the_table_grants_decides_not_what_the_literal_says() {
        assert_eq!(admit(&params(12), false).unwrap(), None);
        let refused = admit(&params(11), false).unwrap_err().to_string();
        assert!(refused.starts_with("insecure parameters, 0 bits of security: N = 2^11, log2(QP) = 90.0, at most 53"));
        assert!(admit(&params(11), true).unwrap().unwrap().starts_with("INSECURE: 0 bits"));
    }
}
