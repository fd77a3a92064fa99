//! Text folded for comparison: one spelling for what people write in many ways.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Lower case, compatibility forms unified (Unicode NFKD), marks and soft hyphens
/// removed, letters with strokes and ligatures spelled out, HTML character references
/// of Latin-1 read. Reads at most `max` characters of `text`.
#[must_use]
pub fn fold(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    if text.is_ascii() && !text.contains('&') {
        out.extend(
            text.bytes()
                .take(max)
                .map(|b| b.to_ascii_lowercase() as char),
        );
        return out;
    }
    let text = unescape(text, max);
    for c in text.chars().take(max).nfkd() {
        if is_combining_mark(c) || c == '\u{ad}' {
            continue;
        }
        for c in c.to_lowercase() {
            match c {
                'ß' => out.push_str("ss"),
                'æ' => out.push_str("ae"),
                'œ' => out.push_str("oe"),
                'ø' => out.push('o'),
                'đ' | 'ð' => out.push('d'),
                'ł' => out.push('l'),
                'ı' => out.push('i'),
                'þ' => out.push_str("th"),
                '’' | '‘' | '′' | '`' | '´' => out.push('\''),
                '“' | '”' | '″' | '„' => out.push('"'),
                '‐' | '‑' | '–' | '—' | '−' => out.push('-'),
                '⁄' => out.push('/'),
                c if is_combining_mark(c) => {}
                c => out.push(c),
            }
        }
    }
    out
}

/// Character references that shops leave in names: `&amp;`, `&#40;`, `&quot;`.
fn unescape(text: &str, max: usize) -> std::borrow::Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        if out.len() > max * 4 {
            break;
        }
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(10).position(|b| b == b';');
        let decoded = end.and_then(|end| reference(&rest[1..end]).map(|c| (c, end)));
        if let Some((c, end)) = decoded {
            out.push(c);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out.into()
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|c| !c.is_control());
    }
    match name {
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "nbsp" => Some(' '),
        "reg" | "trade" | "copy" => Some(' '),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_spellings_become_one() {
        assert_eq!(
            fold("Größe ŁÓDŹ Čokolada đak", 80),
            "grosse lodz cokolada dak"
        );
        assert_eq!(
            fold("IPA &#40;Bio&#41; &amp; co &x", 80),
            "ipa (bio) & co &x"
        );
        assert_eq!(fold("ＡＢＣ１２ ﬁne ½", 80), "abc12 fine 1/2");
        assert_eq!(fold("Мёд ΆΛΦΑ", 80), "мед αλφα");
    }

    #[test]
    fn the_length_is_bounded() {
        assert_eq!(fold(&"é".repeat(500), 10).chars().count(), 10);
        assert_eq!(fold(&"e".repeat(500), 10).chars().count(), 10);
    }
}
