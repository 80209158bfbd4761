pub(crate) const SEVEN: u8 = 7;
