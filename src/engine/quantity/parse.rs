//! From lexemes to amounts, and from amounts to the quantity of the pack.

use super::lexer::{Kind, Lexeme};
use super::units::{self, Written};
use super::{Measure, Quantity, Unit};
use rust_decimal::Decimal;

/// What a stretch of a title says about amounts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mention {
    /// `count` times `each` base units: `6 x 0.33 l`, `500 g`.
    Amount {
        each: Decimal,
        written: Decimal,
        unit: Unit,
        factor: Decimal,
        count: u32,
    },
    /// `12er`, `6-pack`, `pack of 4`: so many articles sold together.
    Pack(u32),
    /// `3/1`, `6+2 gratis`: so many pieces inside.
    Inside(u32),
    /// Wash loads.
    Loads(u32),
    /// A fitting size, a range, a format, a share per something: no content.
    Size {
        each: Decimal,
        written: Decimal,
        unit: Unit,
    },
}

#[derive(Clone, Copy, Debug)]
struct Found {
    mention: Mention,
    first: usize,
    /// One past the last lexeme.
    end: usize,
}

pub(super) fn measures(lexemes: &[Lexeme<'_>]) -> Vec<Measure> {
    scan(lexemes)
        .into_iter()
        .filter_map(|f| match f.mention {
            Mention::Amount {
                each,
                written,
                unit,
                ..
            }
            | Mention::Size {
                each,
                written,
                unit,
            } => Some(Measure {
                amount: each,
                unit,
                written,
                start: lexemes[f.first].start,
                end: lexemes[f.end - 1].end,
            }),
            _ => None,
        })
        .collect()
}

pub(super) fn quantity(lexemes: &[Lexeme<'_>]) -> Option<Quantity> {
    let found = scan(lexemes);
    let bag = lexemes.iter().any(|l| l.word().is_some_and(units::is_bag));
    let is_body = |m: &Mention| {
        // Milligrams are a dose, and litres on a bag its size.
        match m {
            Mention::Amount {
                unit: Unit::Gram,
                factor,
                ..
            } => *factor > Decimal::new(1, 3),
            Mention::Amount {
                unit: Unit::Millilitre,
                factor,
                ..
            } => !bag || *factor < Decimal::ONE_THOUSAND,
            _ => false,
        }
    };
    let pack = found.iter().find_map(|f| match f.mention {
        // `+ 2 glasses` come on top.
        Mention::Pack(_) if f.first > 0 && lexemes[f.first - 1].is_sign('+') => None,
        Mention::Pack(n) => Some(n),
        _ => None,
    });
    let inside = found.iter().find_map(|f| match f.mention {
        Mention::Inside(n) => Some(n),
        _ => None,
    });
    let counted = found.iter().find_map(|f| match f.mention {
        Mention::Amount {
            each,
            unit: Unit::Piece,
            count,
            ..
        } => u32::try_from(each).ok()?.checked_mul(count),
        // 30x8mg: so many doses.
        Mention::Amount {
            unit: Unit::Gram,
            factor,
            count,
            ..
        } if factor <= Decimal::new(1, 3) && count > 1 => Some(count),
        _ => None,
    });
    let pieces = inside.or(counted);
    // Beside a capacity, a small mass is a network generation: 5G 128 GB.
    let storage = found.iter().any(|f| {
        matches!(
            f.mention,
            Mention::Amount {
                unit: Unit::Gigabyte,
                ..
            }
        )
    });
    if let Some(at) = found.iter().position(|f| is_body(&f.mention) && !storage) {
        return body(lexemes, &found, at, pack, pieces);
    }
    let pieces_of = |n: u32| {
        (n > 0).then_some(Quantity {
            amount: Decimal::from(n),
            unit: Unit::Piece,
            pieces: n,
        })
    };
    match (pack, pieces) {
        (Some(p), Some(n)) => return pieces_of(p.checked_mul(n)?),
        (Some(n), None) | (None, Some(n)) if n > 1 || pieces == Some(1) => {
            // `1/1` says nothing, `1 kom` does.
            let said = found
                .iter()
                .any(|f| !matches!(f.mention, Mention::Inside(1)));
            return if said { pieces_of(n) } else { None };
        }
        _ => {}
    }
    if let Some(n) = found.iter().find_map(|f| match f.mention {
        Mention::Loads(n) => Some(n),
        _ => None,
    }) {
        return pieces_of(n);
    }
    // Cloth and tape are sold by the metre; centimetres and inches are sizes.
    let by = |wanted: Unit| {
        found.iter().find_map(|f| match f.mention {
            Mention::Amount {
                each,
                unit,
                factor,
                count,
                ..
            } if unit == wanted && (unit != Unit::Metre || factor >= Decimal::new(3, 1)) => {
                Some(Quantity {
                    amount: each.checked_mul(Decimal::from(count))?,
                    unit,
                    pieces: count,
                })
            }
            _ => None,
        })
    };
    by(Unit::Gigabyte)
        .or_else(|| by(Unit::SquareMetre))
        .or_else(|| by(Unit::Metre))
        .filter(|q| q.amount > Decimal::ZERO && q.pieces > 0)
}

/// The quantity where `found[at]` is the first mass or volume.
fn body(
    lexemes: &[Lexeme<'_>],
    found: &[Found],
    at: usize,
    pack: Option<u32>,
    pieces: Option<u32>,
) -> Option<Quantity> {
    let Mention::Amount {
        each, unit, count, ..
    } = found[at].mention
    else {
        return None;
    };
    let mut amount = each.checked_mul(Decimal::from(count))?;
    let mut parts = count;
    // `250 ml + 250 ml`: a set; with a word for "free": one larger pack.
    let mut last = found[at];
    for next in &found[at + 1..] {
        let joined = next.first == last.end + 1 && lexemes[last.end].is_sign('+');
        match next.mention {
            Mention::Amount {
                each,
                unit: u,
                count,
                ..
            } if joined && u == unit => {
                amount = amount.checked_add(each.checked_mul(Decimal::from(count))?)?;
                let free = lexemes
                    .get(next.end)
                    .and_then(Lexeme::word)
                    .is_some_and(units::is_free);
                if !free {
                    parts = parts.checked_add(count)?;
                }
                last = *next;
            }
            _ => break,
        }
    }
    // 144 g (3 x 48 g)
    let spelled = found[at + 1..].iter().find_map(|f| match f.mention {
        Mention::Amount {
            each,
            unit: u,
            count,
            ..
        } if u == unit && count > 1 && each.checked_mul(Decimal::from(count)) == Some(amount) => {
            Some(count)
        }
        _ => None,
    });
    let pieces = match (parts, pack, pieces.or(spelled)) {
        (1, Some(pack), _) => {
            amount = amount.checked_mul(Decimal::from(pack))?;
            pack
        }
        (1, None, Some(n)) => n,
        (n, ..) => n,
    };
    (amount > Decimal::ZERO && pieces > 0).then_some(Quantity {
        amount,
        unit,
        pieces,
    })
}

fn scan(lexemes: &[Lexeme<'_>]) -> Vec<Found> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < lexemes.len() {
        let found = pack_of(lexemes, at).or_else(|| number(lexemes, at));
        match found {
            Some(f) => {
                at = f.end;
                out.push(f);
            }
            None => at += 1,
        }
    }
    out
}

/// `pack of 4`, `set of 3`, `pack 12`.
fn pack_of(lexemes: &[Lexeme<'_>], at: usize) -> Option<Found> {
    let word = lexemes[at].word().filter(|w| units::is_pack(w))?;
    let found = |count, end| Found {
        mention: Mention::Pack(count),
        first: at,
        end,
    };
    let next = lexemes.get(at + 1)?;
    if let Some(of) = next.word() {
        let count = lexemes.get(at + 2)?.count()?;
        return matches!(of, "of" | "de" | "da" | "di" | "a" | "od" | "van" | "mit")
            .then(|| found(count, at + 3));
    }
    let count = next
        .count()
        .filter(|_| !next.glued && matches!(word, "pack" | "multipack"))?;
    let plain =
        unit_at(lexemes, at + 2).is_none() && !lexemes.get(at + 2).is_some_and(Lexeme::is_times);
    plain.then(|| found(count, at + 2))
}

/// Whatever starts with the number at `at`.
fn number(lexemes: &[Lexeme<'_>], at: usize) -> Option<Found> {
    let here = &lexemes[at];
    if !matches!(here.kind, Kind::Number { .. }) {
        return None;
    }
    let found = |mention, end| {
        Some(Found {
            mention,
            first: at,
            end,
        })
    };
    let letters = |i: usize| {
        let before = &lexemes[i];
        before.word().is_some_and(|w| w.chars().count() < 3) && !before.is_times()
    };
    // r308kw, r-308kw
    let glued_letters = here.glued
        && at > 0
        && (letters(at - 1)
            || (at > 1
                && lexemes[at - 1].is_sign('-')
                && lexemes[at - 1].glued
                && letters(at - 2)));
    let range = at > 0
        && here.glued
        && lexemes[at - 1].is_sign('-')
        && at > 1
        && matches!(lexemes[at - 2].kind, Kind::Number { .. });

    if let Some(mixed) = mixed_inches(lexemes, at) {
        return Some(mixed);
    }
    // 4x6x1,5 l
    let mut numbers = vec![at];
    let mut next = at + 1;
    while lexemes.get(next).is_some_and(Lexeme::is_times)
        && matches!(
            lexemes.get(next + 1).map(|l| l.kind),
            Some(Kind::Number { .. })
        )
        && numbers.len() < 4
    {
        numbers.push(next + 1);
        next += 2;
    }
    let unit = unit_at(lexemes, next).or_else(|| counted_word(lexemes, next));
    if let Some((unit, after)) = unit {
        let last = &lexemes[*numbers.last()?];
        if numbers.len() == 1 && is_generation(lexemes, at) {
            return None;
        }
        if unit.unit == Unit::Piece
            && let Some(count) = last.after_comma()
        {
            // `size 6,96 pcs`: nobody sells parts of pieces.
            let count = Decimal::from(count);
            let mention = Mention::Amount {
                each: count,
                written: count,
                unit: Unit::Piece,
                factor: Decimal::ONE,
                count: 1,
            };
            return found(mention, after);
        }
        let written = last.number(Some(unit.unit), unit.factor)?;
        let each = written.checked_mul(unit.factor)?.normalize();
        if glued_letters && !matches!(unit.unit, Unit::Gram | Unit::Millilitre) {
            return None; // a model number such as gx20v
        }
        let counts: Option<Vec<u32>> = numbers[..numbers.len() - 1]
            .iter()
            .map(|n| lexemes[*n].count())
            .collect();
        let count = counts.and_then(|c| c.iter().try_fold(1_u32, |a, n| a.checked_mul(*n)));
        let size = Mention::Size {
            each,
            written,
            unit: unit.unit,
        };
        let Some(count) = count else {
            return found(size, after);
        };
        let length = matches!(unit.unit, Unit::Metre);
        if range || each.is_zero() || (length && numbers.len() > 1) || per(lexemes, at) {
            return found(size, after);
        }
        let amount = |count| Mention::Amount {
            each,
            written,
            unit: unit.unit,
            factor: unit.factor,
            count,
        };
        // 0,33l x 6, 10g x 10g, and formats: 6cm x 0.5m
        if lexemes.get(after).is_some_and(Lexeme::is_times)
            && let Some(factor) = lexemes.get(after + 1)
            && matches!(factor.kind, Kind::Number { .. })
        {
            let other = unit_at(lexemes, after + 2);
            if length {
                // Tape: 66 m x 50 mm.
                let tape = unit.factor == Decimal::ONE
                    && other.is_some_and(|(u, _)| u.unit == Unit::Metre && u.factor < Decimal::ONE);
                return found(if tape { amount(count) } else { size }, after);
            }
            if let Some(n) = factor.count().and_then(|n| n.checked_mul(count)) {
                return match other {
                    Some((u, end)) if u.unit == unit.unit || u.unit == Unit::Piece => {
                        if unit.unit == Unit::Piece && u.unit != Unit::Piece {
                            found(amount(count), after)
                        } else {
                            found(amount(n), end)
                        }
                    }
                    Some((u, end)) if unit.unit == Unit::Piece => {
                        // 6 kom x 30 g
                        let pieces = u32::try_from(each).ok()?.checked_mul(count)?;
                        let written = factor.number(Some(u.unit), u.factor)?;
                        found(
                            Mention::Amount {
                                each: written.checked_mul(u.factor)?.normalize(),
                                written,
                                unit: u.unit,
                                factor: u.factor,
                                count: pieces,
                            },
                            end,
                        )
                    }
                    Some(_) => found(amount(count), after),
                    None => found(amount(n), after + 2),
                };
            }
        }
        // 6 Stück à 30 g
        if unit.unit == Unit::Piece
            && lexemes
                .get(after)
                .and_then(Lexeme::word)
                .is_some_and(|w| matches!(w, "a" | "je" | "of"))
            && let Some(inner) = lexemes.get(after + 1)
            && let Some((u, end)) = unit_at(lexemes, after + 2)
            && let Some(written) = inner.number(Some(u.unit), u.factor)
        {
            let pieces = u32::try_from(each).ok()?.checked_mul(count)?;
            let each = written.checked_mul(u.factor)?.normalize();
            let mention = Mention::Amount {
                each,
                written,
                unit: u.unit,
                factor: u.factor,
                count: pieces,
            };
            return found(mention, end);
        }
        return found(amount(count), after);
    }
    if glued_letters {
        return None;
    }
    let count = here.count()?;
    let after = lexemes.get(at + 1)?;
    let word_at = |i: usize| lexemes.get(i).and_then(Lexeme::word);
    // 12er, 12er-Pack, 3-teilig
    if after.glued && matches!(after.word(), Some("er" | "ers")) {
        let mut end = at + 2;
        if lexemes.get(end).is_some_and(|l| l.is_sign('-')) && word_at(end + 1).is_some() {
            end += 1;
        }
        if word_at(end).is_some_and(units::is_pack) {
            end += 1;
        }
        return found(Mention::Pack(count), end);
    }
    let dash = usize::from(after.is_sign('-'));
    if let Some(word) = word_at(at + 1 + dash) {
        if units::is_pack(word) {
            return found(Mention::Pack(count), at + 2 + dash);
        }
        if units::is_wash_load(word) {
            return found(Mention::Loads(count), at + 2 + dash);
        }
    }
    // 3/1
    if after.glued && after.is_sign('/') {
        let one = lexemes.get(at + 2)?;
        if let Some((unit, end)) = unit_at(lexemes, at + 3)
            && one.glued
        {
            return fraction(here, one, unit).and_then(|m| found(m, end));
        }
        if one.glued
            && one.end - one.start == 1
            && one.count() == Some(1)
            && !here.glued_to_sign(lexemes, at)
        {
            return found(Mention::Inside(count), at + 3);
        }
        return None;
    }
    // 6+2 gratis
    if after.is_sign('+')
        && let Some(extra) = lexemes.get(at + 2)
        && let Some(n) = extra.count()
        && unit_at(lexemes, at + 3).is_none_or(|(u, _)| u.unit == Unit::Piece)
    {
        let gift = word_at(at + 3).is_some_and(units::is_free);
        let bare = !here.glued || (at > 0 && lexemes[at - 1].is_sign('.'));
        let tight = after.glued && extra.glued && bare;
        let piece = unit_at(lexemes, at + 3).map(|(_, end)| end);
        if gift || piece.is_some() || tight {
            let end = piece.unwrap_or(at + 3 + usize::from(gift));
            return found(Mention::Inside(count.checked_add(n)?), end);
        }
    }
    None
}

/// `660/300 g` is the net and the drained weight, `1/2 l` a half; `1/1 kg` is one.
fn fraction(first: &Lexeme<'_>, second: &Lexeme<'_>, unit: Written) -> Option<Mention> {
    let (a, b) = (
        first.number(Some(unit.unit), unit.factor)?,
        second.number(Some(unit.unit), unit.factor)?,
    );
    if !matches!(unit.unit, Unit::Gram | Unit::Millilitre) || a.is_zero() || b.is_zero() {
        return None;
    }
    let half = a == Decimal::ONE && b <= Decimal::from(4);
    let written = if half { a.checked_div(b)? } else { a };
    (half || a > b).then_some(Mention::Amount {
        each: written.checked_mul(unit.factor)?.normalize(),
        written,
        unit: unit.unit,
        factor: unit.factor,
        count: 1,
    })
}

/// `18-1/2 in`, `2 5/8"`: inches and feet are said in halves down to sixteenths.
fn mixed_inches(lexemes: &[Lexeme<'_>], at: usize) -> Option<Found> {
    let dash = usize::from(lexemes.get(at + 1)?.is_sign('-'));
    let [over, slash, under] = lexemes.get(at + 1 + dash..at + 4 + dash)? else {
        return None;
    };
    let parts = (slash.is_sign('/') && slash.glued && under.glued)
        .then(|| Some((over.count()?, under.count()?)))??;
    let (unit, end) = unit_at(lexemes, at + 4 + dash)?;
    let fraction = matches!(parts.1, 2 | 4 | 8 | 16) && parts.0 < parts.1;
    if !fraction || unit.unit != Unit::Metre || unit.factor < Decimal::new(254, 4) {
        return None;
    }
    let part = Decimal::from(parts.0).checked_div(parts.1.into())?;
    let written = Decimal::from(lexemes[at].count()?).checked_add(part)?;
    Some(Found {
        mention: Mention::Size {
            each: written.checked_mul(unit.factor)?.normalize(),
            written,
            unit: unit.unit,
        },
        first: at,
        end,
    })
}

/// `5g` in the name of a telephone: a generation of networks and no mass. Spices are sold by
/// the gram too, so the rest of the title must speak of electronics or hold a model number.
fn is_generation(lexemes: &[Lexeme<'_>], at: usize) -> bool {
    let beside = |i: Option<usize>| i.and_then(|i| lexemes.get(i));
    let glued_g = beside(Some(at + 1)).is_some_and(|l| l.glued && l.word() == Some("g"));
    let few = lexemes[at].count().is_some_and(|n| (2..=6).contains(&n));
    let times = |i: Option<usize>| beside(i).is_some_and(Lexeme::is_times);
    if !glued_g || !few || times(at.checked_sub(1)) || times(Some(at + 2)) {
        return false;
    }
    lexemes.iter().enumerate().any(|(i, l)| {
        let number = |l: &Lexeme<'_>| matches!(l.kind, Kind::Number { .. });
        let model = || {
            let next = &lexemes.get(i + 1);
            l.word()
                .is_some_and(|w| w.len() <= 3 && !l.glued && !l.is_times())
                && next.is_some_and(|n| n.glued && number(n))
        };
        l.word().is_some_and(units::is_electronic) || model()
    })
}

/// A word between the number and what it counts: `20 eff. tablets`, `240 tea bags`.
fn counted_word(lexemes: &[Lexeme<'_>], at: usize) -> Option<(Written, usize)> {
    let between = lexemes.get(at)?;
    let word = between
        .word()
        .filter(|w| w.chars().count() >= 3 && !units::is_pack(w))?;
    if between.is_times() || units::unit(word).is_some() || units::is_wash_load(word) {
        return None;
    }
    let dot = usize::from(
        lexemes
            .get(at + 1)
            .is_some_and(|l| l.glued && l.is_sign('.')),
    );
    lexemes
        .get(at + 1 + dot)?
        .word()
        .filter(|w| w.chars().count() >= 3)?;
    unit_at(lexemes, at + 1 + dot).filter(|(u, _)| u.unit == Unit::Piece)
}

impl Lexeme<'_> {
    /// `2/3/1` and `-3/1` are no counts.
    fn glued_to_sign(&self, lexemes: &[Lexeme<'_>], at: usize) -> bool {
        self.glued && at > 0 && (lexemes[at - 1].is_sign('/') || lexemes[at - 1].is_sign('-'))
    }
}

/// `/100 g`, `per 100 g`: what a price or a nutrient refers to.
fn per(lexemes: &[Lexeme<'_>], at: usize) -> bool {
    at > 0 && matches!(lexemes[at - 1].word(), Some("per" | "pro"))
}

/// The unit that starts at `at` and one past its end: `kg`, `fl. oz`, `m²`, `lPET`.
fn unit_at(lexemes: &[Lexeme<'_>], at: usize) -> Option<(Written, usize)> {
    let here = lexemes.get(at)?;
    let word = match here.kind {
        Kind::Word(w) => w,
        Kind::Sign('"') => "\"",
        Kind::Sign('\'') => "'",
        // 27-inch
        Kind::Sign('-') if here.glued => {
            let (unit, end) = unit_at(lexemes, at + 1)?;
            let spelled = lexemes[at + 1]
                .word()
                .is_some_and(|w| w.chars().count() > 1);
            return (lexemes[at + 1].glued && spelled).then_some((unit, end));
        }
        _ => return None,
    };
    if matches!(word, "fl" | "fluid") {
        let dot = usize::from(lexemes.get(at + 1).is_some_and(|l| l.is_sign('.')));
        return match lexemes.get(at + 1 + dot)?.word()? {
            "oz" | "ounce" | "ounces" => Some((units::unit("floz")?, at + 2 + dot)),
            _ => None,
        };
    }
    if matches!(word, "sq" | "square") {
        let metre = lexemes.get(at + 1)?.word()?;
        return matches!(metre, "m" | "metres" | "meters").then_some((units::unit("m2")?, at + 2));
    }
    if matches!(word, "m" | "м")
        && let Some(two) = lexemes.get(at + 1)
        && two.glued
        && two.count() == Some(2)
    {
        return Some((units::unit("m2")?, at + 2));
    }
    // 3G+ is an age, 50g+10g a sum.
    if word == "g"
        && lexemes
            .get(at + 1)
            .is_some_and(|l| l.glued && l.is_sign('+'))
        && !matches!(
            lexemes.get(at + 2).map(|l| l.kind),
            Some(Kind::Number { .. })
        )
    {
        return None;
    }
    let glued_digit = lexemes
        .get(at + 1)
        .is_some_and(|l| l.glued && matches!(l.kind, Kind::Number { .. }));
    if glued_digit && !lexemes[at].is_times() && word.len() < 3 {
        // 10g10 is a model; 10gx10 is not reached here.
        return None;
    }
    // `3,8% m.m.` is milk fat, `1.5 m` a length.
    let abbreviated = lexemes
        .get(at + 1)
        .is_some_and(|l| l.glued && l.is_sign('.'))
        && lexemes
            .get(at + 2)
            .is_some_and(|l| l.glued && l.word().is_some());
    if word == "m" && abbreviated {
        return None;
    }
    units::unit(word)
        .or_else(|| {
            let bare = units::without_packaging(word)?;
            matches!(bare, "l" | "ml" | "cl" | "g" | "kg").then(|| units::unit(bare))?
        })
        .map(|u| (u, at + 1))
}
