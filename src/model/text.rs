//! Foreign text made safe to show: names, titles, reasons given by sellers.

/// Removes what could steer a terminal or mislead the eye: C0 and C1 controls,
/// bidirectional overrides (U+202A to U+202E, U+2066 to U+2069), zero-width and tag
/// characters; folds runs of white space to one space; cuts at `max` characters.
/// At most four combining marks follow one base character.
#[must_use]
pub fn clean(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max * 4));
    let mut length = 0;
    let mut marks = 0;
    let mut pending_space = false;
    for c in text.chars() {
        if c.is_whitespace() {
            pending_space = length > 0;
            continue;
        }
        if is_hidden(c) {
            continue;
        }
        if is_combining(c) {
            marks += 1;
            if marks > 4 {
                continue;
            }
        } else {
            marks = 0;
        }
        if pending_space {
            if length + 1 >= max {
                break;
            }
            out.push(' ');
            length += 1;
            pending_space = false;
        }
        if length == max {
            break;
        }
        out.push(c);
        length += 1;
    }
    out
}

/// Whether a character must never reach a terminal or page from foreign text.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c as u32,
            0x00AD
                | 0x061C
                | 0x115F..=0x1160
                | 0x180E
                | 0x200B..=0x200F
                | 0x2028..=0x202E
                | 0x2060..=0x206F
                | 0x3164
                | 0xFEFF
                | 0xFFA0
                | 0xFFF9..=0xFFFC
                | 0xE0000..=0xE0FFF
        )
}

const fn is_combining(c: char) -> bool {
    matches!(
        c as u32,
        0x0300..=0x036F | 0x0483..=0x0489 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_bidi_are_removed() {
        assert_eq!(
            clean("Shoe \x1b[31mred\x1b[0m\r\n now", 80),
            "Shoe [31mred[0m now"
        );
        assert_eq!(clean("abc\u{202e}def\u{200b}\u{9b}31m", 80), "abcdef31m");
    }

    #[test]
    fn length_and_marks_are_bounded() {
        assert_eq!(clean(&"x".repeat(500), 10).chars().count(), 10);
        let zalgo = format!("e{}", "\u{301}".repeat(50));
        assert_eq!(clean(&zalgo, 80).chars().count(), 5);
    }
}
