//! How things are written for a person.

pub use crate::engine::locale::{Locale, ago, availability, count};
use crate::model::time::Date;
use console::measure_text_width;

/// Reads a day as it is typed.
///
/// # Errors
/// What to write.
pub fn day(text: &str) -> Result<Date, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("`{text}` is not a day; write for example 2030-12-24"))
}

/// How much deeper the rest of a folded line stands than its beginning, in columns.
const HANG: usize = 2;

/// Folds a line at spaces so that it fits into so many columns, the rest indented below.
/// What has no space, such as an address, and what stands in backquotes, such as a command to
/// copy, stays whole.
#[must_use]
pub fn fold(line: &str, columns: usize) -> String {
    if measure_text_width(line) <= columns {
        return line.to_owned();
    }
    let indent = line.len() - line.trim_start_matches(' ').len();
    let rest = " ".repeat(indent + HANG);
    let mut out = " ".repeat(indent);
    let mut used = indent;
    let mut quoted = false;
    // A piece: what must stay together, with the spaces before it.
    for piece in line[indent..].split_inclusive(|c| {
        quoted ^= c == '`';
        c == ' ' && !quoted
    }) {
        let width = measure_text_width(piece.trim_end_matches(' '));
        if used + width > columns && used > indent + HANG {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.push_str(&rest);
            used = rest.len();
        }
        out.push_str(piece);
        used += measure_text_width(piece);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_line_is_folded_at_spaces() {
        let line =
            "  1  119.00 EUR to 125.00 EUR  shop.example  in stock, 3 days, just now  [1a2b3c4d]";
        insta::assert_snapshot!(fold(line, 60), @r"
          1  119.00 EUR to 125.00 EUR  shop.example  in stock, 3
            days, just now  [1a2b3c4d]
        ");
        assert_eq!(fold("short", 60), "short");
    }

    #[test]
    fn addresses_and_commands_to_copy_stay_whole() {
        let line = "  see `emptor shop price add SHOP WANT` or https://shop.example/a/long/path";
        insta::assert_snapshot!(fold(line, 24), @r"
          see
            `emptor shop price add SHOP WANT`
            or
            https://shop.example/a/long/path
        ");
    }

    proptest! {
        #[test]
        fn folding_loses_no_word_and_holds_the_width(
            words in prop::collection::vec("[a-zäλ漢]{1,12}", 1..30),
            indent in 0_usize..8,
            columns in 40_usize..100,
        ) {
            let line = format!("{}{}", " ".repeat(indent), words.join(" "));
            let folded = fold(&line, columns);
            prop_assert_eq!(folded.split_whitespace().collect::<Vec<_>>(), words);
            for part in folded.lines() {
                prop_assert!(measure_text_width(part) <= columns, "{}", part);
            }
        }
    }
}
