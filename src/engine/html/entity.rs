//! Character references (WHATWG HTML, 13.2.5.72 and following).

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};
use std::borrow::Cow;

/// Expands the references in a text.
#[must_use]
pub fn expand_text(text: &str) -> Cow<'_, str> {
    expand(text, false)
}

/// Expands the references in an attribute, where `&copy=1` is not one.
#[must_use]
pub fn expand_attribute(text: &str) -> Cow<'_, str> {
    expand(text, true)
}

fn expand(text: &str, attribute: bool) -> Cow<'_, str> {
    let Some(first) = memchr(text, b'&') else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(at) = memchr(rest, b'&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let used = reference(rest, attribute, &mut out);
        if used == 0 {
            out.push('&');
            rest = &rest[1..];
        } else {
            rest = &rest[used..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn memchr(text: &str, byte: u8) -> Option<usize> {
    text.as_bytes().iter().position(|b| *b == byte)
}

/// Reads the reference at the start of `text` (which is `&…`) and says how many bytes it
/// took; 0 if it is none.
fn reference(text: &str, attribute: bool, out: &mut String) -> usize {
    let bytes = text.as_bytes();
    if bytes.get(1) == Some(&b'#') {
        return numeric(bytes, out);
    }
    let mut best = None;
    let mut end = 1;
    // Names have at most 33 characters; without a semicolon the longest one wins.
    while end < bytes.len().min(34) && (bytes[end].is_ascii_alphanumeric() || bytes[end] == b';') {
        end += 1;
        if let Some(&(first, second)) = NAMED_ENTITIES.get(&text[1..end])
            && first != 0
        {
            best = Some((end, first, second));
        }
        if bytes[end - 1] == b';' {
            break;
        }
    }
    let Some((end, first, second)) = best else {
        return 0;
    };
    let open = bytes[end - 1] != b';';
    let next = bytes.get(end);
    if attribute && open && next.is_some_and(|b| *b == b'=' || b.is_ascii_alphanumeric()) {
        return 0;
    }
    out.extend(char::from_u32(first));
    if second != 0 {
        out.extend(char::from_u32(second));
    }
    end
}

fn numeric(bytes: &[u8], out: &mut String) -> usize {
    let (radix, start) = match bytes.get(2) {
        Some(b'x' | b'X') => (16, 3),
        _ => (10, 2),
    };
    let mut code: u32 = 0;
    let mut end = start;
    while let Some(digit) = bytes.get(end).and_then(|b| char::from(*b).to_digit(radix)) {
        code = code.saturating_mul(radix).saturating_add(digit);
        end += 1;
    }
    if end == start {
        return 0;
    }
    let replaced = match code {
        0x80..=0x9F => C1_REPLACEMENTS[(code - 0x80) as usize],
        0 => None,
        _ => char::from_u32(code),
    };
    out.push(replaced.unwrap_or('\u{fffd}'));
    if bytes.get(end) == Some(&b';') {
        end += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_expanded() {
        assert_eq!(
            expand_text("1&nbsp;299,&#48;0&nbsp;&euro; &amp;c"),
            "1\u{a0}299,00\u{a0}€ &c"
        );
        assert_eq!(expand_text("&#x20AC;5 &#128;5 &pound9"), "€5 €5 £9");
        assert_eq!(
            expand_text("a & b &unknown; &#; &#0;"),
            "a & b &unknown; &#; \u{fffd}"
        );
    }

    #[test]
    fn query_strings_survive_in_attributes() {
        assert_eq!(expand_attribute("?a=1&copy=2&amp;b=3"), "?a=1&copy=2&b=3");
    }
}
