//! What Global Trade Item Numbers prove (GS1 General Specifications, sections 1.4, 2.1
//! and 3.3).

use crate::model::Gtin;

/// What two numbers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same trade item.
    Equal,
    /// One is an outer pack of the other.
    OuterPack,
    /// Two trade items.
    Unequal,
}

impl Verdict {
    pub(super) const fn score(self) -> f64 {
        match self {
            Self::Equal => 0.999,
            Self::OuterPack => 0.02,
            Self::Unequal => 0.01,
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Equal => "the same GTIN",
            Self::OuterPack => "an outer pack of the same article",
            Self::Unequal => "two different GTINs",
        }
    }
}

/// Nothing, unless both sides carry a number that is unique in the world.
pub(super) fn decide(a: Option<Gtin>, b: Option<Gtin>) -> Option<Verdict> {
    let (a, b) = (a?, b?);
    if a.is_restricted() || b.is_restricted() {
        return None;
    }
    Some(if a == b {
        Verdict::Equal
    } else if a.indicator() != b.indicator() && a.item_reference() == b.item_reference() {
        Verdict::OuterPack
    } else {
        Verdict::Unequal
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_link_veto_or_say_nothing() {
        let g = |s: &str| Some(s.parse().expect("test GTIN"));
        let a = g("4006381333931");
        assert_eq!(decide(a, g("04006381333931")), Some(Verdict::Equal));
        assert_eq!(decide(a, g("4006381333948")), Some(Verdict::Unequal));
        assert_eq!(decide(a, g("14006381333938")), Some(Verdict::OuterPack));
        assert_eq!(decide(a, None), None);
        let own = g("2000000000008");
        assert_eq!(decide(own, own), None, "restricted numbers prove nothing");
    }
}
