//! A crate of every kind of input the rules know.

#[path = "generated/table.rs"]
mod table;
mod written;

/// Everything in one line.
pub fn line() -> String {
    let sum: u8 = table::TABLE.iter().sum();
    let loud = cfg!(feature = "loud");
    let version = env!("CARGO_PKG_VERSION");
    let words = include_str!("words.txt").trim();
    format!("{words} {sum} {} {} {loud} {version}", written::SEVEN, answer::answer!())
}

#[cfg(test)]
mod tests {
    #[test]
    fn sees_every_input() {
        assert_eq!(super::line(), "hello bazel 6 7 42 true 1.2.3");
    }

    #[test]
    fn finds_its_data_where_both_variables_say() {
        assert_eq!(std::env::var("WORDS_AT_RUN_TIME").as_deref(), Ok(env!("WORDS_PATH")));
        assert!(std::fs::read_to_string(env!("WORDS_PATH")).is_ok());
    }

    #[test]
    fn debug_assertions_and_overflow_checks_are_on() {
        assert!(cfg!(debug_assertions));
        let most = std::hint::black_box(u8::MAX);
        assert!(std::panic::catch_unwind(|| most + std::hint::black_box(1)).is_err());
    }
}
