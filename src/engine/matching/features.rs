//! What speaks for and against two records being one product, as numbers.
//!
//! Zero always means "says nothing", so that a missing field changes nothing.

use super::codes::{self, Relation};
use super::cover::{Cover, covers};
use super::licence;
use super::markers;
use super::prepare::{NameToken, Prepared};
use super::text::{self, Shape};
use super::words;
use crate::engine::quantity::Unit;

macro_rules! features {
    ($($name:ident $prior:literal $text:literal),* $(,)?) => {
        /// One kind of evidence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub(super) enum Feature { $($name),* }
        /// How many kinds there are.
        pub(super) const COUNT: usize = [$(Feature::$name),*].len();
        /// What each kind is called for people.
        pub(super) const NAMES: [&str; COUNT] = [$($text),*];
        /// What each kind is thought to weigh before any example is seen; its sign is
        /// kept by fitting.
        pub(super) const PRIORS: [f32; COUNT] = [$($prior),*];
    };
}

features! {
    Covered 1.0 "the shorter name is in the other",
    CoveredFirmly 1.0 "almost every word of one name is in the other",
    Overlap 2.0 "words in common",
    OverlapFirmly 1.0 "most words in common",
    Shared 1.0 "rare words in common",
    Grams 1.0 "letters in common",
    FullCovered 1.0 "the name is in the other's whole text",
    FullBoth 1.5 "both names are in the other's whole text",
    Description 1.0 "descriptions agree",
    Model 3.0 "the model number agrees",
    ModelExtends 1.5 "the model number agrees but for its ending",
    ModelInText 1.5 "the model number is in the other's description",
    ModelMissing -0.2 "a model number only one names",
    CodeSame 1.5 "a short model code agrees",
    ModelConflict -1.5 "other model number",
    ModelNear -2.0 "a model number of the same line",
    ModelEnding -1.5 "model numbers end otherwise",
    CodeConflict -1.5 "other version or code",
    Mpn 2.5 "the part number agrees",
    MpnConflict -1.0 "other part number",
    Number 0.5 "numbers agree",
    NumberConflict -1.2 "other numbers",
    NumberExtra -0.3 "a number only one names",
    Measure 0.5 "sizes agree",
    MeasureConflict -2.0 "other size",
    PackConflict -1.5 "other pack",
    Licence 0.5 "the licence is for as many and as long",
    LicenceConflict -3.0 "a licence for more or for longer",
    Percent 1.0 "per cent values agree",
    PercentConflict -2.0 "another per cent value",
    Brand 0.5 "the brand agrees",
    BrandConflict -1.5 "other brand",
    BrandParts -0.4 "the brand agrees in part",
    Head 0.2 "first words agree",
    HeadConflict -1.7 "other first words",
    RareLeft -0.6 "each has a rare word of its own",
    BothDiffer -0.4 "each names something the other does not",
    PriceFar -0.8 "prices are far apart",
    PriceNear 0.5 "prices are close",
    Colour 0.3 "colours agree",
    ColourConflict -2.0 "other colour",
    Accessory -2.5 "one is an accessory",
    Edition 0.2 "editions agree",
    EditionConflict -4.0 "other edition",
    Marker -0.8 "a short mark only one has",
    Boxed -0.8 "more in the box",
}

/// The evidence of one pair.
pub(super) type Values = [f32; COUNT];

/// The weight of words in common from which on more add nothing.
const SHARED: f32 = 2.5;
/// What another model number is worth where a short code agrees: a shop's own article
/// number beside the name of the model.
const BESIDE_CODE: f32 = 0.3;

/// Compares two records.
pub(super) fn compare(a: &Prepared, b: &Prepared) -> Values {
    let mut v = [0.0; COUNT];
    let mut set = |f: Feature, value: f32| v[f as usize] = value;

    let (ca, cb) = covers(a, b);
    let most = ca.share.max(cb.share);
    set(Feature::Covered, most);
    set(Feature::CoveredFirmly, ((most - 0.75) * 4.0).max(0.0));
    let matched: f32 = ca.share * a.total + cb.share * b.total;
    let overlap = if a.total + b.total > 0.0 {
        matched / (a.total + b.total)
    } else {
        0.0
    };
    set(Feature::Overlap, overlap);
    // Agreement on rare words says more than on common ones, however short the names.
    let shared = (ca.share * a.total).min(cb.share * b.total);
    set(Feature::Shared, (shared / SHARED).min(1.0));
    set(Feature::OverlapFirmly, ((overlap - 0.6) * 2.5).max(0.0));
    set(Feature::Grams, dice(&a.grams, &b.grams));
    set(Feature::FullCovered, ca.full.max(cb.full));
    set(Feature::FullBoth, ca.full.min(cb.full));
    if a.has_description && b.has_description {
        set(Feature::Description, cosine(a, b));
    }
    let left = |c: &Cover, p: &Prepared| {
        p.name
            .iter()
            .zip(&c.found)
            .map(|(t, f)| t.weight * (1.0 - f))
            .sum::<f32>()
    };
    let (la, lb) = (left(&ca, a), left(&cb, b));
    set(Feature::BothDiffer, la.min(lb).min(2.0));
    let rarest = |c: &Cover, p: &Prepared| {
        p.name
            .iter()
            .zip(&c.found)
            .filter(|(t, _)| t.token.shape == Shape::Word)
            .map(|(t, f)| t.weight * (1.0 - f))
            .fold(0.0_f32, f32::max)
    };
    set(Feature::RareLeft, rarest(&ca, a).min(rarest(&cb, b)));

    models(a, b, &ca, &cb, &mut set);
    numbers(a, b, &mut set);
    measures(a, b, &mut set);
    match a.licence.relation(&b.licence) {
        licence::Relation::Same => set(Feature::Licence, 1.0),
        licence::Relation::Other => set(Feature::LicenceConflict, 1.0),
        licence::Relation::Unknown => {}
    }
    brands(a, b, &ca, &cb, &mut set);
    if let (Some(p), Some(q)) = (a.ln_price, b.ln_price) {
        let ratio = (p - q).abs();
        set(Feature::PriceFar, (ratio - 0.2).clamp(0.0, 1.5));
        set(Feature::PriceNear, (1.0 - ratio * 5.0).max(0.0));
    }
    variants(a, b, &ca, &cb, &mut set);
    markers::compare(a, b, &ca, &cb, &mut set);
    if v[Feature::CodeSame as usize] >= 0.5 && v[Feature::CodeConflict as usize] == 0.0 {
        v[Feature::ModelConflict as usize] *= BESIDE_CODE;
    }
    if v[Feature::Accessory as usize] == 1.0 {
        // The number of the product it is for.
        v[Feature::Model as usize] *= 0.3;
        v[Feature::ModelExtends as usize] *= 0.3;
    }
    v
}

fn dice(a: &[u32], b: &[u32]) -> f32 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let (mut i, mut j, mut both) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                both += 1;
                i += 1;
                j += 1;
            }
        }
    }
    2.0 * both as f32 / (a.len() + b.len()) as f32
}

fn cosine(a: &Prepared, b: &Prepared) -> f32 {
    let (mut i, mut j, mut dot) = (0, 0, 0.0);
    while i < a.all.len() && j < b.all.len() {
        match a.all[i].0.cmp(&b.all[j].0) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                dot += a.all[i].1 * b.all[j].1;
                i += 1;
                j += 1;
            }
        }
    }
    dot / (a.norm * b.norm).max(f32::MIN_POSITIVE)
}

fn models(a: &Prepared, b: &Prepared, ca: &Cover, cb: &Cover, set: &mut impl FnMut(Feature, f32)) {
    let mpn_in = |p: &Prepared, q: &Prepared| {
        p.mpn
            .as_deref()
            .is_some_and(|m| m.len() >= 4 && q.names(text::hash(m)))
    };
    match (&a.mpn, &b.mpn) {
        (Some(m), Some(n)) => {
            let near =
                m.len().min(n.len()) >= 4 && (m.contains(n.as_str()) || n.contains(m.as_str()));
            if m == n {
                set(Feature::Mpn, 1.0);
            } else if near {
                set(Feature::Mpn, 0.5);
            } else {
                set(Feature::MpnConflict, 1.0);
            }
        }
        _ if mpn_in(a, b) || mpn_in(b, a) => set(Feature::Mpn, 1.0),
        _ => {}
    }
    model_numbers(a, b, set);
    // Left-over codes with the same letters and other digits: cs3, cs4.
    let mut code = 0.0_f32;
    for (t, f) in a.name.iter().zip(&ca.found) {
        if *f > 0.0 || t.token.shape != Shape::Code {
            continue;
        }
        for (u, g) in b.name.iter().zip(&cb.found) {
            if *g == 0.0 && u.token.shape == Shape::Code {
                let same = same_letters(a.code(t), b.code(u));
                code = code.max(if same { 1.0 } else { 0.3 });
            }
        }
    }
    set(Feature::CodeConflict, code);
    // d90, g10, 40d: too short to be a model number anywhere, rare enough here.
    let same = a
        .name
        .iter()
        .filter(|t| t.token.shape == Shape::Code && !codes::is_generic(a.code(t)))
        .filter(|t| {
            let same = |u: &NameToken| u.token.hash == t.token.hash && u.token.shape == Shape::Code;
            b.name.iter().any(same)
        })
        .map(|t| t.weight)
        .fold(0.0, f32::max);
    set(Feature::CodeSame, same);
}

fn model_numbers(a: &Prepared, b: &Prepared, set: &mut impl FnMut(Feature, f32)) {
    let mut best = (Relation::Unrelated, 0.0_f32);
    let mut found_a = [Relation::Unrelated; 9];
    let mut found_b = [Relation::Unrelated; 9];
    for (i, m) in a.models.iter().enumerate().take(9) {
        for (j, n) in b.models.iter().enumerate().take(9) {
            let r = codes::relation(&m.code, &n.code);
            found_a[i] = found_a[i].max(r);
            found_b[j] = found_b[j].max(r);
            let weight = m.weight.max(n.weight);
            if r > best.0 || (r == best.0 && weight > best.1) {
                best = (r, weight);
            }
        }
    }
    // xha1s, xh a1s
    let joined = |p: &Prepared, q: &Prepared| {
        let model = p
            .models
            .iter()
            .find(|m| q.joins.iter().any(|j| j.0 == m.hash));
        model.map_or(0.0, |m| m.weight)
    };
    let split = joined(a, b).max(joined(b, a));
    if best.0 < Relation::Extends && split > 0.0 {
        best = (Relation::Same, split);
    }
    match best.0 {
        Relation::Same => set(Feature::Model, best.1),
        Relation::Extends => set(Feature::ModelExtends, best.1),
        _ => {}
    }
    // A family number may agree while the full numbers differ.
    let left = |r: Relation| {
        let any = |p: &Prepared, found: &[Relation; 9]| found[..p.models.len().min(9)].contains(&r);
        any(a, &found_a) && any(b, &found_b)
    };
    let ending = left(Relation::OtherEnding);
    if ending {
        set(Feature::ModelEnding, 1.0);
    }
    if left(Relation::Near) {
        set(Feature::ModelNear, 1.0);
    }
    if best.0 >= Relation::Extends {
        return;
    }
    let in_text = |p: &Prepared, q: &Prepared| p.models.iter().any(|m| q.mentions(m.hash));
    if in_text(a, b) || in_text(b, a) {
        set(Feature::ModelInText, 1.0);
    } else if !ending
        && best.0 == Relation::Unrelated
        && !a.models.is_empty()
        && !b.models.is_empty()
    {
        set(Feature::ModelConflict, 1.0);
    }
}

fn same_letters(a: &str, b: &str) -> bool {
    let letters = |s: &str| -> String { s.chars().filter(|c| c.is_alphabetic()).collect() };
    letters(a) == letters(b)
}

fn numbers(a: &Prepared, b: &Prepared, set: &mut impl FnMut(Feature, f32)) {
    let known = |p: &Prepared, hash: u64| {
        p.names(hash)
            || p.measures
                .iter()
                .any(|m| text::hash(&m.written.normalize().to_string()) == hash)
    };
    let shared = a.numbers.iter().filter(|n| b.numbers.contains(n)).count();
    // A version is written 3, v3 or 3s.
    let codes = |p: &Prepared, q: &Prepared| {
        let code = |t: &&NameToken| t.token.shape == Shape::Code && !q.names(t.token.hash);
        p.name.iter().filter(code).count()
    };
    let left_a = a.numbers.iter().filter(|n| !known(b, **n)).count();
    let left_b = b.numbers.iter().filter(|n| !known(a, **n)).count();
    if shared > 0 && left_a == 0 && left_b == 0 {
        set(Feature::Number, 1.0);
    }
    if left_a > 0 && left_b > 0 {
        set(Feature::NumberConflict, 1.0);
    } else if (left_a > 0 && codes(b, a) > 0) || (left_b > 0 && codes(a, b) > 0) {
        set(Feature::NumberConflict, 0.5);
    } else if left_a + left_b > 0 {
        set(Feature::NumberExtra, 1.0);
    }
}

fn measures(a: &Prepared, b: &Prepared, set: &mut impl FnMut(Feature, f32)) {
    const UNITS: [Unit; 12] = [
        Unit::Gram,
        Unit::Millilitre,
        Unit::Piece,
        Unit::Metre,
        Unit::SquareMetre,
        Unit::Gigabyte,
        Unit::Watt,
        Unit::WattHour,
        Unit::MilliampereHour,
        Unit::Volt,
        Unit::Megahertz,
        Unit::Megapixel,
    ];
    if let (Some(p), Some(q)) = (a.quantity, b.quantity)
        && p.unit == q.unit
        && p.unit.is_content()
    {
        if close(p.amount, q.amount) {
            set(Feature::Measure, 1.0);
        } else {
            let one = |x: &crate::engine::quantity::Quantity| {
                x.amount.checked_div(x.pieces.into()).unwrap_or(x.amount)
            };
            // The same article in another pack, or another size of it.
            let pack =
                close(one(&p), one(&q)) || close(p.amount, one(&q)) || close(one(&p), q.amount);
            set(
                if pack {
                    Feature::PackConflict
                } else {
                    Feature::MeasureConflict
                },
                1.0,
            );
        }
        return;
    }
    let mut agree = 0.0_f32;
    let mut conflict = 0.0_f32;
    for unit in UNITS {
        let mut any = (false, false);
        let mut equal = false;
        for m in a.measures.iter().filter(|m| m.unit == unit) {
            any.0 = true;
            equal |= b
                .measures
                .iter()
                .any(|n| n.unit == unit && close(m.amount, n.amount));
        }
        any.1 = b.measures.iter().any(|n| n.unit == unit);
        if any == (true, true) {
            if equal {
                agree = 1.0;
            } else {
                conflict = 1.0;
            }
        }
    }
    set(Feature::Measure, agree);
    set(Feature::MeasureConflict, conflict);
}

/// Equal within one per cent: 16 oz is also written 454 g.
fn close(a: rust_decimal::Decimal, b: rust_decimal::Decimal) -> bool {
    let (small, large) = if a <= b { (a, b) } else { (b, a) };
    large
        .checked_sub(small)
        .and_then(|d| d.checked_mul(rust_decimal::Decimal::ONE_HUNDRED))
        .is_some_and(|d| d <= large)
}

fn brands(a: &Prepared, b: &Prepared, ca: &Cover, cb: &Cover, set: &mut impl FnMut(Feature, f32)) {
    let named = |p: &Prepared, q: &Prepared| {
        p.brand.iter().any(|h| q.mentions(*h))
            || (p.brand_initials.len() >= 2 && q.names(text::hash(&p.brand_initials)))
    };
    if !a.brand.is_empty() && !b.brand.is_empty() {
        let same = a.brand.iter().any(|h| b.brand.contains(h))
            || written_together(a, b)
            || written_together(b, a)
            || initials(a, b)
            || initials(b, a);
        let own = |p: &Prepared, q: &Prepared| p.brand.iter().any(|h| !q.mentions(*h));
        if same {
            set(Feature::Brand, 1.0);
            if own(a, b) && own(b, a) {
                set(Feature::BrandParts, 1.0);
            }
        } else if named(a, b) || named(b, a) {
            set(Feature::Brand, 0.5);
        } else {
            set(Feature::BrandConflict, 1.0);
        }
    } else if !a.brand.is_empty() || !b.brand.is_empty() {
        if named(a, b) || named(b, a) {
            set(Feature::Brand, 0.5);
        } else {
            set(Feature::BrandConflict, 0.3);
        }
    }
    // Most names begin with the maker.
    let head = |c: &Cover, p: &Prepared| (!p.name.is_empty()).then(|| c.found[0]);
    if let (Some(x), Some(y)) = (head(ca, a), head(cb, b)) {
        let known = |p: &Prepared, q: &Prepared| q.mentions(p.name[0].token.hash);
        if x.max(y) < 0.7 && (known(a, b) || known(b, a)) {
            // The maker stands elsewhere.
        } else if x.max(y) >= 0.7 {
            set(Feature::Head, (x + y) / 2.0);
        } else {
            set(Feature::HeadConflict, 1.0 - x.max(y));
        }
    }
}

/// `bosch` in `boschprofessional`; two letters are in many a name.
fn written_together(short: &Prepared, long: &Prepared) -> bool {
    short.brand_text.len() >= 3 && long.brand_text.contains(&short.brand_text)
}

/// `hp` for Hewlett Packard.
fn initials(short: &Prepared, long: &Prepared) -> bool {
    short.brand_text.len() >= 2 && short.brand_text == long.brand_initials
}

fn variants(
    a: &Prepared,
    b: &Prepared,
    ca: &Cover,
    cb: &Cover,
    set: &mut impl FnMut(Feature, f32),
) {
    // Colours are also said in descriptions and by endings of model numbers.
    let said = |p: &Prepared| p.all_colours | p.code_colours;
    let common = said(a) & said(b) != 0;
    let both = |x: u32, y: u32| x != 0 && y != 0;
    if a.colours & b.colours != 0 {
        set(Feature::Colour, 1.0);
    } else if both(a.colours, b.colours) {
        set(Feature::ColourConflict, if common { 0.3 } else { 1.0 });
    } else if !common
        && (both(a.colours, said(b))
            || both(said(a), b.colours)
            || both(a.code_colours, b.code_colours))
    {
        set(Feature::ColourConflict, 0.7);
    }
    let (only_a, only_b) = (a.editions & !b.editions, b.editions & !a.editions);
    if a.editions & b.editions != 0 && only_a == 0 && only_b == 0 {
        set(Feature::Edition, 1.0);
    }
    let told = |only: u64| only & words::TOLD_EDITIONS != 0;
    let kinds = [
        words::PLATFORMS,
        words::LANGUAGES,
        !(words::PLATFORMS | words::LANGUAGES),
    ];
    if kinds.iter().any(|k| only_a & k != 0 && only_b & k != 0) {
        set(Feature::EditionConflict, 1.0);
    } else if told(only_a) || told(only_b) {
        set(Feature::EditionConflict, 0.8);
    } else if only_a != 0 || only_b != 0 {
        set(Feature::EditionConflict, 0.2);
    }
    // A kind of accessory only one side names anywhere.
    let extra = |p: &Prepared, q: &Prepared, c: &Cover| {
        q.accessories.is_empty()
            && p.name.iter().zip(&c.found).any(|(t, f)| {
                *f < 0.5 && p.accessories.contains(&t.token.hash) && !q.mentions(t.token.hash)
            })
    };
    let (xa, xb) = (extra(a, b, ca), extra(b, a, cb));
    if xa || xb {
        let certain = (xa && a.is_for && !b.is_for) || (xb && b.is_for && !a.is_for);
        set(Feature::Accessory, if certain { 1.0 } else { 0.6 });
    }
}
