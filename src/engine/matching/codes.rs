//! How two model numbers relate. Makers build them alike: letters for the line, digits
//! for the model, an ending for colour or region (`dvpns57pb`, `YP-S3JAB/XAA`).

/// From equal to unrelated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Relation {
    /// Nothing in common.
    Unrelated,
    /// The same line, another model: `hf10`, `hf100`.
    Near,
    /// The same model with another ending: `gld4355wh`, `gld4355rf`.
    OtherEnding,
    /// One says more than the other: `htx710`, `htx710t`.
    Extends,
    /// The same number.
    Same,
}

impl Relation {
    /// How far the token counts as found.
    pub(super) const fn likeness(self) -> f32 {
        match self {
            Self::Same => 1.0,
            Self::Extends => 0.8,
            Self::OtherEnding => 0.5,
            Self::Near | Self::Unrelated => 0.0,
        }
    }
}

/// A model number in its parts: letters before the longest run of digits, the digits,
/// and what follows.
struct Parts<'a> {
    before: &'a str,
    digits: &'a str,
    after: &'a str,
}

fn parts(code: &str) -> Option<Parts<'_>> {
    let bytes = code.as_bytes();
    let mut best = (0, 0);
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        if run > best.1 {
            best = (at, run);
        }
        at += run.max(1);
    }
    (best.1 > 0).then(|| Parts {
        before: &code[..best.0],
        digits: &code[best.0..best.0 + best.1],
        after: &code[best.0 + best.1..],
    })
}

/// Compares two folded codes without signs.
pub(super) fn relation(a: &str, b: &str) -> Relation {
    if a == b {
        return Relation::Same;
    }
    let (Some(x), Some(y)) = (parts(a), parts(b)) else {
        return Relation::Unrelated;
    };
    let line = x.before.ends_with(y.before) || y.before.ends_with(x.before);
    if x.digits == y.digits && (x.digits.len() >= 2 || a.len().min(b.len()) >= 4) {
        // `724` alone is no model: without letters it takes five digits.
        let named = !x.before.is_empty() && !y.before.is_empty();
        let told = named || x.digits.len() >= 4;
        if line && told {
            return ending(x.after, y.after);
        }
        if a.len().min(b.len()) >= 6 && one_letter_more(a, b) {
            return Relation::Extends;
        }
    }
    let common = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let near = (x.before == y.before && x.before.len() >= 2)
        || (common >= 3 && common * 2 >= a.len().min(b.len()));
    if near {
        Relation::Near
    } else {
        Relation::Unrelated
    }
}

/// What a code shares with its variants: without its ending, and its longest run of
/// digits (`htx710t`: `htx710`, `710`).
pub(super) fn cores(code: &str) -> impl Iterator<Item = &str> {
    parts(code).into_iter().flat_map(move |p| {
        let body = p.before.len() + p.digits.len();
        let line = (p.digits.len() >= 2 && !p.after.is_empty()).then(|| &code[..body]);
        let bare = (p.digits.len() >= 3).then_some(p.digits);
        line.into_iter().chain(bare)
    })
}

/// A letter left out or doubled: `scd382`, `scdc382`. Another letter is another model.
fn one_letter_more(a: &str, b: &str) -> bool {
    let (s, l) = if a.len() < b.len() {
        (a.as_bytes(), b.as_bytes())
    } else {
        (b.as_bytes(), a.as_bytes())
    };
    if l.len() != s.len() + 1 {
        return false;
    }
    let same = s.iter().zip(l).take_while(|(x, y)| x == y).count();
    !l[same].is_ascii_digit() && s[same..] == l[same + 1..]
}

/// Names of standards and qualities that look like model numbers.
pub(super) fn is_generic(code: &str) -> bool {
    let digits = code.bytes().take_while(u8::is_ascii_digit).count();
    let tail = &code[digits..];
    // A count and what is counted: 3-user, 24-inch, 12-stream.
    let counted =
        (1..=2).contains(&digits) && tail.len() >= 4 && tail.chars().all(char::is_alphabetic);
    counted
        || (digits > 0
            && matches!(
                tail,
                "p" | "i"
                    | "k"
                    | "hz"
                    | "x"
                    | "ch"
                    | "th"
                    | "nd"
                    | "rd"
                    | "st"
                    | "d"
                    | "bit"
                    | "fps"
                    | "dpi"
                    | "rpm"
                    | "ms"
                    | "er"
                    | "s"
            ))
        || code.starts_with("80211")
        || code.starts_with("802.")
        || [
            "ddr", "cat", "usb", "mp3", "mp4", "mpeg", "h26", "ipx", "ip6", "wifi", "hdmi", "sata",
            "spf", "pcie", "us", "eu", "vitamin", "omega", "co",
        ]
        .iter()
        .any(|p| {
            code.strip_prefix(p)
                .is_some_and(|r| r.len() <= 2 && r.bytes().all(|b| b.is_ascii_digit() || b == b'e'))
        })
}

fn ending(a: &str, b: &str) -> Relation {
    if a == b {
        return Relation::Same;
    }
    let (head_a, tail_a) = tail(a);
    let (head_b, tail_b) = tail(b);
    if head_a == head_b
        && let (Some(x), Some(y)) = (colour(tail_a), colour(tail_b))
    {
        return if x == y {
            Relation::Same
        } else {
            Relation::OtherEnding
        };
    }
    if a.starts_with(b) || b.starts_with(a) {
        return Relation::Extends;
    }
    // wh1000xm4, wh1000xm5: another generation.
    let digits = |s: &str| -> String { s.chars().filter(char::is_ascii_digit).collect() };
    if digits(a) != digits(b) {
        return Relation::Near;
    }
    Relation::OtherEnding
}

/// Splits off the letters at the end.
fn tail(ending: &str) -> (&str, &str) {
    let at = ending
        .rfind(|c: char| c.is_ascii_digit())
        .map_or(0, |i| i + 1);
    ending.split_at(at)
}

/// The colour an ending stands for, numbered as in `words::colour`.
fn colour(ending: &str) -> Option<u8> {
    Some(match ending {
        "b" | "bk" | "bl" | "blk" | "bb" | "black" => 0,
        "w" | "wh" | "wht" | "whi" | "ww" | "white" => 1,
        "r" | "rd" | "red" => 2,
        "l" | "li" | "blu" | "blue" => 3,
        "gn" | "grn" | "green" => 4,
        "p" | "pk" | "pnk" | "pink" => 6,
        "s" | "si" | "sl" | "sil" | "slv" | "silver" => 7,
        "gr" | "gry" | "gray" | "grey" => 8,
        "ss" | "sst" => 15,
        _ => return None,
    })
}

/// The colour the ending of a whole code stands for, if it has digits before.
pub(super) fn colour_of(code: &str) -> Option<u8> {
    let parts = parts(code)?;
    (parts.digits.len() >= 2)
        .then(|| colour(parts.after))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_models_and_endings_are_told_apart() {
        for (a, b, expected) in [
            ("dvd2930ci", "2930ci", Relation::Same),
            ("mdrex55bk", "ex55blk", Relation::Same),
            ("canonsd750", "sd750", Relation::Same),
            ("htx710", "htx710t", Relation::Extends),
            ("dvpfx820p", "dvpfx820w", Relation::OtherEnding),
            ("gld4355wh", "gld4355rf", Relation::OtherEnding),
            ("hf10", "hf100", Relation::Near),
            ("dmctz4", "dmctz5", Relation::Near),
            ("wh1000xm4", "wh1000xm5", Relation::Near),
            ("gs724tp", "fs726tp", Relation::Unrelated),
            ("wrt54g", "xbox360", Relation::Unrelated),
            ("é9", "9é", Relation::Unrelated),
        ] {
            assert_eq!(relation(a, b), expected, "{a} {b}");
            assert_eq!(relation(b, a), expected, "{b} {a}");
        }
    }
}
