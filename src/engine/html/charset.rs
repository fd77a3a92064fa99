//! Which character set a page is in (WHATWG HTML, 13.2.3, and what shops really send).

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How far into the page a declaration is looked for. Browsers stop after 1024 bytes;
/// shops put scripts before it.
const PRESCAN: usize = 16 << 10;

/// Decodes a page and names its character set. Malformed sequences become U+FFFD.
#[must_use]
pub fn decode(body: &[u8], content_type: Option<&str>) -> (String, &'static str) {
    let encoding = choose(body, content_type);
    let (text, used, _) = encoding.decode(body);
    (text.into_owned(), used.name())
}

fn choose(body: &[u8], content_type: Option<&str>) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(body) {
        return encoding;
    }
    let head = &body[..body.len().min(PRESCAN)];
    let declared = content_type
        .and_then(|h| label_after(h.as_bytes(), b"charset"))
        .or_else(|| declared_in(head));
    let utf8 = Utf8Evidence::of(body);
    match declared {
        // A page whose multi-byte sequences are all right is UTF-8 whatever it says.
        _ if utf8.invalid == 0 && utf8.valid > 0 => UTF_8,
        Some(encoding) if encoding == UTF_8 && utf8.invalid > utf8.valid => declared_in(head)
            .filter(|e| *e != UTF_8)
            .unwrap_or_else(|| by_language(head)),
        Some(encoding) => encoding,
        None if looks_utf16(head, 0) => UTF_16BE,
        None if looks_utf16(head, 1) => UTF_16LE,
        None if utf8.invalid <= utf8.valid / 8 => UTF_8,
        None => by_language(head),
    }
}

/// How many multi-byte sequences are well-formed UTF-8, and how many are not.
struct Utf8Evidence {
    valid: usize,
    invalid: usize,
}

impl Utf8Evidence {
    fn of(body: &[u8]) -> Self {
        let mut evidence = Self {
            valid: 0,
            invalid: 0,
        };
        for chunk in body.utf8_chunks() {
            evidence.valid += chunk.valid().bytes().filter(|b| *b >= 0xC0).count();
            // A sequence cut at the end of the body is no evidence.
            evidence.invalid += usize::from(!chunk.invalid().is_empty());
        }
        evidence
    }
}

fn declared_in(head: &[u8]) -> Option<&'static Encoding> {
    let mut rest = head;
    while let Some(at) = find(rest, b"<meta") {
        rest = &rest[at + 5..];
        let tag = &rest[..find(rest, b">").unwrap_or(rest.len())];
        if let Some(encoding) = label_after(tag, b"charset") {
            // A page that could say so in ASCII is not UTF-16.
            return Some(if encoding == UTF_16BE || encoding == UTF_16LE {
                UTF_8
            } else {
                encoding
            });
        }
    }
    let xml = head.trim_ascii_start().strip_prefix(b"<?xml")?;
    label_after(&xml[..find(xml, b">").unwrap_or(0)], b"encoding")
}

/// The encoding named after `key =` in `text`.
fn label_after(text: &[u8], key: &[u8]) -> Option<&'static Encoding> {
    let at = find(text, key)?;
    let rest = text[at + key.len()..]
        .trim_ascii_start()
        .strip_prefix(b"=")?;
    let rest = rest.trim_ascii_start();
    let rest = rest
        .strip_prefix(b"\"")
        .or(rest.strip_prefix(b"'"))
        .unwrap_or(rest);
    let end = rest
        .iter()
        .position(|b| b" \t\r\n\"';>/".contains(b))
        .unwrap_or(rest.len());
    Encoding::for_label(&rest[..end])
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|w| w.eq_ignore_ascii_case(needle))
}

fn looks_utf16(head: &[u8], zero_at: usize) -> bool {
    let sample = &head[..head.len().min(512)];
    let zeros = sample
        .iter()
        .skip(zero_at)
        .step_by(2)
        .filter(|b| **b == 0)
        .count();
    sample.len() >= 8 && zeros * 10 >= sample.len() * 4
}

/// The usual legacy encoding of the page's language (WHATWG HTML, 13.2.3.2, step 9).
fn by_language(head: &[u8]) -> &'static Encoding {
    let language = find(head, b"lang=").map_or(&[][..], |at| {
        let value = &head[at + 5..head.len().min(at + 9)];
        value
            .strip_prefix(b"\"")
            .or(value.strip_prefix(b"'"))
            .unwrap_or(value)
    });
    let label: &[u8] = match language.get(..2).map(<[u8]>::to_ascii_lowercase).as_deref() {
        Some(b"ru" | b"uk" | b"bg" | b"be" | b"sr" | b"mk" | b"kk") => b"windows-1251",
        Some(b"pl" | b"cs" | b"sk" | b"hu" | b"sl" | b"hr" | b"ro") => b"windows-1250",
        Some(b"el") => b"windows-1253",
        Some(b"tr" | b"az") => b"windows-1254",
        Some(b"he") => b"windows-1255",
        Some(b"ar" | b"fa") => b"windows-1256",
        Some(b"lt" | b"lv" | b"et") => b"windows-1257",
        Some(b"vi") => b"windows-1258",
        Some(b"th") => b"windows-874",
        Some(b"ja") => b"shift_jis",
        Some(b"ko") => b"euc-kr",
        Some(b"zh") => b"gbk",
        _ => b"windows-1252",
    };
    Encoding::for_label(label).unwrap_or(WINDOWS_1252)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(body: &[u8], header: Option<&str>) -> &'static str {
        decode(body, header).1
    }

    #[test]
    fn declarations_in_their_order() {
        let latin = b"<meta charset=iso-8859-2>\xe1";
        assert_eq!(
            name(
                b"\xef\xbb\xbf<meta charset=latin1>",
                Some("text/html; charset=koi8-r")
            ),
            "UTF-8"
        );
        assert_eq!(name(latin, Some("text/html; charset=\"KOI8-R\"")), "KOI8-R");
        assert_eq!(name(latin, Some("text/html")), "ISO-8859-2");
        assert_eq!(
            name(
                b"<meta http-equiv=content-type content='text/html; charset=windows-1251'>\xe1",
                None
            ),
            "windows-1251"
        );
        assert_eq!(
            name(b"<?xml version='1.0' encoding='shift_jis'?>\x82\xa0", None),
            "Shift_JIS"
        );
    }

    #[test]
    fn wrong_labels_survive() {
        assert_eq!(
            decode("<meta charset=latin1>9,99 €".as_bytes(), None).0,
            "<meta charset=latin1>9,99 €"
        );
        let (text, charset) = decode(b"<meta charset=utf-8>Preis f\xfcr 9,99 \x80", None);
        assert_eq!(
            (text.as_str(), charset),
            ("<meta charset=utf-8>Preis für 9,99 €", "windows-1252")
        );
        assert_eq!(
            name(
                b"<html lang=\"ru\"><meta charset=utf-8>\xd6\xe5\xed\xe0",
                None
            ),
            "windows-1251"
        );
        let one_slip = "é".repeat(20).into_bytes();
        assert_eq!(
            name(
                &[&one_slip[..], b"\xff"].concat(),
                Some("text/html; charset=utf-8")
            ),
            "UTF-8"
        );
    }

    #[test]
    fn utf16_without_a_mark() {
        let body: Vec<u8> = "<html><p>12</p>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(decode(&body, None).0, "<html><p>12</p>");
    }
}
