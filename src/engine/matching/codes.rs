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
        let slip = a.len().min(b.len()) >= 6
            && a.len().abs_diff(b.len()) <= 1
            && strsim::generic_damerau_levenshtein(a.as_bytes(), b.as_bytes()) <= 1;
        if slip {
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

fn ending(a: &str, b: &str) -> Relation {
    if a == b {
        return Relation::Same;
    }
    if let (Some(x), Some(y)) = (colour(a), colour(b)) {
        return if x == y {
            Relation::Same
        } else {
            Relation::OtherEnding
        };
    }
    if a.starts_with(b) || b.starts_with(a) {
        return Relation::Extends;
    }
    Relation::OtherEnding
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
            ("gs724tp", "fs726tp", Relation::Unrelated),
            ("wrt54g", "xbox360", Relation::Unrelated),
            ("é9", "9é", Relation::Unrelated),
        ] {
            assert_eq!(relation(a, b), expected, "{a} {b}");
            assert_eq!(relation(b, a), expected, "{b} {a}");
        }
    }
}
