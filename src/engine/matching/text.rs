//! Names split into tokens that can be compared quickly.

use std::borrow::Cow;

/// The most tokens of one text that take part; names are shorter, descriptions are cut.
pub(super) const MAX_TOKENS: usize = 160;

/// What a token looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Letters only.
    Word,
    /// Digits, perhaps with a decimal point.
    Number,
    /// Letters and digits, fewer than four: `v2`, `cs3`.
    Code,
    /// Letters and digits, four or more: likely a maker's model number.
    Model,
}

/// A piece of a folded text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub hash: u64,
    pub start: u32,
    pub end: u32,
    pub shape: Shape,
    /// A part of a longer token joined by signs: `2930ci` in `dvd-2930ci`.
    pub part: bool,
    /// A full stop follows directly: likely an abbreviation.
    pub dotted: bool,
}

/// FNV-1a, 64 bits: tokens are compared by hash.
pub(super) fn hash(text: &str) -> u64 {
    hash_chain(0xcbf2_9ce4_8422_2325, text)
}

/// Continues a hash with more text.
pub(super) fn hash_chain(start: u64, text: &str) -> u64 {
    text.bytes().fold(start, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Scripts written without spaces: every two neighbours make a token.
fn is_unspaced(c: char) -> bool {
    matches!(c as u32, 0x0E00..=0x0EFF | 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF)
}

/// Tokens of a folded text, skipping the byte ranges in `skip` (sorted).
pub(super) fn tokens(text: &str, skip: &[(usize, usize)]) -> Vec<Token> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut skips = skip.iter().peekable();
    while at < text.len() && out.len() < MAX_TOKENS {
        while skips.next_if(|s| s.1 <= at).is_some() {}
        if let Some(s) = skips.peek()
            && s.0 <= at
        {
            at = s.1;
            continue;
        }
        let limit = skips.peek().map_or(text.len(), |s| s.0);
        let rest = &text[at..limit];
        let Some(first) = rest.chars().next() else {
            break;
        };
        if !first.is_alphanumeric() {
            at += first.len_utf8();
            continue;
        }
        if is_unspaced(first) {
            let mut chars = rest.char_indices().skip(1);
            let end = match chars.next() {
                Some((i, c)) if is_unspaced(c) => i + c.len_utf8(),
                _ => first.len_utf8(),
            };
            out.push(token(text, at, at + end, false));
            at += first.len_utf8();
            continue;
        }
        at = chunk(text, at, limit, &mut out);
    }
    out
}

/// Reads one chunk of letters, digits and joining signs from `start`; returns its end.
fn chunk(text: &str, start: usize, limit: usize, out: &mut Vec<Token>) -> usize {
    let bytes = text.as_bytes();
    let mut end = start;
    let mut parts: Vec<(usize, usize)> = Vec::new();
    let mut part = start;
    while end < limit {
        let c = text[end..].chars().next().unwrap_or(' ');
        if c.is_alphanumeric() && !is_unspaced(c) {
            end += c.len_utf8();
            continue;
        }
        let next = text[end + c.len_utf8()..limit].chars().next();
        let joins = matches!(c, '-' | '/' | '.' | ',' | '\'' | '_' | '+')
            && next.is_some_and(|n| n.is_alphanumeric() && !is_unspaced(n))
            && parts.len() < 8;
        let digits = end > start
            && bytes[end - 1].is_ascii_digit()
            && next.is_some_and(|n| n.is_ascii_digit());
        if matches!(c, '.' | ',') && digits {
            end += 1; // a decimal point
            continue;
        }
        if !joins {
            break;
        }
        parts.push((part, end));
        end += c.len_utf8();
        part = end;
    }
    parts.push((part, end));
    let has_digit = |s: &str| s.bytes().any(|b| b.is_ascii_digit());
    let whole = &text[start..end];
    let channels = channels(whole).filter(|_| parts.len() == 1);
    if let Some(at) = channels {
        parts = vec![(start, start + at), (start + at, end)];
    }
    // `98/me/2000/xp` is a list.
    let list = whole.matches('/').count() > 1;
    let several = list || channels.is_some() || is_counted(text, &parts);
    if parts.len() > 1
        && !several
        && has_digit(whole)
        && whole.chars().any(char::is_alphabetic)
        && whole.len() <= 24
    {
        out.push(token(text, start, end, false));
        for (a, b) in parts {
            out.push(token(text, a, b, true));
        }
    } else {
        for (a, b) in parts {
            out.push(token(text, a, b, false));
        }
    }
    if bytes.get(end) == Some(&b'.')
        && let Some(last) = out.last_mut()
    {
        last.dotted = true;
    }
    end
}

/// A count and what is counted: `12-cup`, `3-user`, `7.1-channel`.
fn is_counted(text: &str, parts: &[(usize, usize)]) -> bool {
    let [(a, b), (c, d)] = parts else {
        return false;
    };
    let (count, counted) = (&text[*a..*b], &text[*c..*d]);
    let digits = count.bytes().take_while(u8::is_ascii_digit).count();
    let number = digits <= 2 && count.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    number && counted.len() >= 3 && counted.chars().all(char::is_alphabetic)
}

/// Where the letters of `7.1ch` begin: no model number has a decimal point.
fn channels(s: &str) -> Option<usize> {
    let at = s.find(char::is_alphabetic)?;
    let (number, rest) = s.split_at(at);
    (number.contains('.') && number.len() <= 4 && rest.chars().all(char::is_alphabetic))
        .then_some(at)
}

/// The number in a version: `v8`, `v3.5`.
fn version(s: &str) -> Option<&str> {
    let number = s.strip_prefix('v')?;
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &number[digits..];
    let decimal = rest.is_empty() || (rest.len() <= 3 && rest.starts_with('.'));
    ((1..=2).contains(&digits) && decimal && rest.bytes().skip(1).all(|b| b.is_ascii_digit()))
        .then_some(number)
}

/// Roman numerals that are seldom a word or a letter; the others are.
fn roman(s: &str) -> Option<&'static str> {
    Some(match s {
        "ii" => "2",
        "iii" => "3",
        "iv" => "4",
        "vi" => "6",
        "vii" => "7",
        "viii" => "8",
        "ix" => "9",
        _ => return None,
    })
}

/// The year that `'08` stands for.
fn short_year(text: &str, start: usize, s: &str) -> Option<String> {
    let before = text[..start].strip_suffix('\'')?;
    let apart = before
        .chars()
        .next_back()
        .is_none_or(|c| !c.is_alphanumeric());
    let digits = s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit());
    (apart && digits).then(|| format!("{}{s}", if s < "70" { "20" } else { "19" }))
}

fn token(text: &str, start: usize, end: usize, part: bool) -> Token {
    let s = &text[start..end];
    if let Some(number) = roman(s) {
        return Token {
            hash: hash(number),
            start: start as u32,
            end: end as u32,
            shape: Shape::Number,
            part,
            dotted: false,
        };
    }
    let letters = s.chars().filter(|c| c.is_alphabetic()).count();
    let digits = s.bytes().filter(u8::is_ascii_digit).count();
    let shape = match (letters, digits) {
        (_, 0) => Shape::Word,
        // Article numbers; years and sizes are shorter.
        (0, d) if d >= 5 && !s.contains(['.', ',']) => Shape::Model,
        (0, _) => Shape::Number,
        (l, d) if l + d >= 4 && version(s).is_none() => Shape::Model,
        _ => Shape::Code,
    };
    let hash = match shape {
        Shape::Number => match short_year(text, start, s) {
            Some(year) => hash(&year),
            None => hash(&canonical_number(s)),
        },
        // v8 is the number 8 wherever it is compared.
        Shape::Code if let Some(number) = version(s) => hash(&canonical_number(number)),
        Shape::Word => hash(s),
        // Signs inside a model number vary: dvd-2930ci, dvd2930ci.
        _ => s
            .split(|c: char| !c.is_alphanumeric())
            .fold(hash(""), hash_chain),
    };
    Token {
        hash,
        start: start as u32,
        end: end as u32,
        shape,
        part,
        dotted: false,
    }
}

/// `3.0` and `03` are 3, `4,5` is 4.5, and `1,000` is 1000.
fn canonical_number(s: &str) -> Cow<'_, str> {
    let s = s.trim_start_matches('0');
    let Some(at) = s.find(['.', ',']) else {
        return Cow::Borrowed(s);
    };
    let (whole, rest) = (&s[..at], &s[at + 1..]);
    let comma = s[at..].starts_with(',');
    if comma && !whole.is_empty() && rest.len() == 3 && rest.bytes().all(|b| b.is_ascii_digit()) {
        return Cow::Owned(format!("{whole}{rest}"));
    }
    let rest = rest.trim_end_matches(['0', '.', ',']);
    if rest.is_empty() {
        Cow::Borrowed(whole)
    } else if comma {
        Cow::Owned(format!("{whole}.{rest}"))
    } else {
        Cow::Borrowed(&s[..at + 1 + rest.len()])
    }
}

/// Longer words are compared by their beginnings alone: looking for slips takes time with the
/// square of the length.
const MAX_SLIPPED: usize = 32;

/// How alike two words are that are not equal, from 0 to 1: a word and its beginning,
/// one with a slip, one inside a compound.
pub(super) fn word_likeness(a: &str, a_dotted: bool, b: &str, b_dotted: bool) -> f32 {
    let ((s, s_dotted), l) = if a.len() <= b.len() {
        ((a, a_dotted), b)
    } else {
        ((b, b_dotted), a)
    };
    if is_contraction(s, l) {
        return CONTRACTION;
    }
    // In letters: those of most scripts take several bytes.
    let (short, long) = (letters(s), letters(l));
    if short < 3 {
        return if s_dotted && short > 0 && l.starts_with(s) {
            0.4
        } else {
            0.0
        };
    }
    if l.starts_with(s) {
        let share = short as f32 / long as f32;
        return if s_dotted {
            0.7 + 0.3 * share
        } else {
            0.45 + 0.55 * share
        };
    }
    let common = s.chars().zip(l.chars()).take_while(|(x, y)| x == y).count();
    // Inflection: the same stem with another ending.
    if common >= 4 && common * 4 >= short.max(long) * 3 {
        return 0.8;
    }
    if short >= 5 {
        let allowed = if short >= 8 { 2 } else { 1 };
        let ends = || s.chars().next_back() == l.chars().next_back();
        let near = long.abs_diff(short) <= allowed && long <= MAX_SLIPPED;
        if near && (common > 0 || ends()) {
            let distance = slips(s, l);
            if distance <= allowed {
                return 1.0 - 0.2 * distance as f32;
            }
        }
        if l.contains(s) {
            return 0.5 + 0.3 * short as f32 / long as f32;
        }
    }
    0.0
}

/// The first letter and some of the later consonants: `blk`, `black`; `ms`, `microsoft`. No
/// word without a vowel is contracted: `xl` is not `xxl`.
fn is_contraction(short: &str, long: &str) -> bool {
    let (s, l) = (short.as_bytes(), long.as_bytes());
    let vowel = |b: &u8| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u');
    let lengths = (2..=5).contains(&s.len()) && l.len() >= 2 * s.len() - 1;
    if !lengths || s.iter().any(vowel) || !l.iter().any(vowel) {
        return false;
    }
    let mut rest = l.iter();
    s[0] == l[0] && s.iter().all(|b| rest.any(|c| c == b))
}

/// How far a contraction counts as found.
const CONTRACTION: f32 = 0.6;

fn letters(word: &str) -> usize {
    if word.is_ascii() {
        word.len()
    } else {
        word.chars().count()
    }
}

/// Letters left out, added, changed or swapped with their neighbour.
fn slips(a: &str, b: &str) -> usize {
    if a.is_ascii() && b.is_ascii() {
        return strsim::generic_damerau_levenshtein(a.as_bytes(), b.as_bytes());
    }
    strsim::damerau_levenshtein(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(String, Shape, bool)> {
        tokens(text, &[])
            .iter()
            .map(|t| {
                (
                    text[t.start as usize..t.end as usize].to_owned(),
                    t.shape,
                    t.part,
                )
            })
            .collect()
    }

    #[test]
    fn model_numbers_stay_whole_and_give_their_parts() {
        assert_eq!(
            texts("denon dvd-2930ci 3.5 cs3"),
            [
                ("denon".to_owned(), Shape::Word, false),
                ("dvd-2930ci".to_owned(), Shape::Model, false),
                ("dvd".to_owned(), Shape::Word, true),
                ("2930ci".to_owned(), Shape::Model, true),
                ("3.5".to_owned(), Shape::Number, false),
                ("cs3".to_owned(), Shape::Code, false),
            ]
        );
        let hash_of = |s: &str| tokens(s, &[])[0].hash;
        assert_eq!(hash_of("dvd-2930ci"), hash_of("dvd2930ci"));
        assert_eq!(hash_of("3.0"), hash_of("3"));
        assert_eq!(hash_of("4,50"), hash_of("4.5"));
        assert_eq!(hash_of("1,000"), hash_of("1000"));
        assert_ne!(hash_of("0,5"), hash_of("5"));
    }

    #[test]
    fn numbers_are_one_number_however_they_are_written() {
        let last = |s: &str| {
            let all = tokens(s, &[]);
            (all.last().map(|t| t.hash), all.len())
        };
        for (a, b) in [
            ("nero v8", "nero 8"),
            ("nero v3.5", "nero 3.5"),
            ("age iii", "age 3"),
            ("quicken '08", "quicken 2008"),
            ("windows '98", "windows 1998"),
            ("cup 12-cup", "12 cup cup"),
        ] {
            assert_eq!(last(a).0, last(b).0, "{a}, {b}");
        }
        assert_eq!(last("7.1ch").1, 2);
        assert_eq!(last("98/me/2000").1, 3);
        for (a, b) in [
            ("canon v350", "canon 350"),
            ("o'08", "2008"),
            ("802.11g", "802.11 g"),
        ] {
            assert_ne!(last(a).0, last(b).0, "{a}, {b}");
        }
    }

    #[test]
    fn scripts_without_spaces_give_pairs() {
        assert_eq!(texts("牛乳パック").len(), 5);
    }

    #[test]
    fn abbreviations_slips_and_endings_are_alike() {
        assert!(word_likeness("voc", true, "vocni", false) > 0.8);
        assert!(word_likeness("jogobela", false, "jogobella", false) > 0.7);
        assert!(word_likeness("cokolada", false, "cokolade", false) > 0.7);
        assert!(word_likeness("vanilla", false, "chocolate", false) < 0.1);
        for (a, b) in [("blk", "black"), ("ms", "microsoft"), ("sndk", "sandisk")] {
            assert_eq!(word_likeness(a, false, b, false), CONTRACTION, "{a}, {b}");
        }
        assert_eq!(word_likeness("xl", false, "xxl", false), 0.0);
        // Letters of two bytes are letters.
        assert!(word_likeness("шоколад", false, "шоколада", false) > 0.7);
        assert!(word_likeness("клубничныи", false, "клубничьныи", false) > 0.7);
        for (a, b) in [("сок", "сом"), ("роза", "коза"), ("τυρι", "τσαι")] {
            assert!(word_likeness(a, false, b, false) < 0.1, "{a}, {b}");
        }
    }
}
