//! Small signs that tell variants apart where all else agrees: a short mark that one name
//! has and the other lacks (`VR`, `5G`, `XL`), a per cent value, more in the box.
//!
//! Each seller describes a product in words of his own, so where names differ in more than
//! the sign it is likely part of the description: `LCD TV`, `LCD`.

use super::cover::Cover;
use super::features::Feature;
use super::prepare::{NameToken, Prepared};
use super::text::Shape;
use super::words;

/// Letters of the longest word that is a mark rather than a description.
const MARK: usize = 3;
/// The weight of the other words that only one name may have: about one word in all.
const REST: f32 = 0.7;

pub(super) fn compare(
    a: &Prepared,
    b: &Prepared,
    ca: &Cover,
    cb: &Cover,
    set: &mut impl FnMut(Feature, f32),
) {
    percents(a, b, set);
    // A model number that only one side gives could be anyone's.
    if a.models.is_empty() != b.models.is_empty() {
        set(Feature::ModelMissing, 1.0);
    }
    let (la, lb) = (left(a, b, ca), left(b, a, cb));
    if la.rest + lb.rest <= REST {
        match (la.marked, lb.marked) {
            (true, true) => set(Feature::Marker, 1.0),
            (true, false) | (false, true) => set(Feature::Marker, 0.5),
            _ => {}
        }
        if la.boxed != lb.boxed {
            set(Feature::Boxed, 1.0);
        }
    }
}

/// What one name has and the other record lacks.
#[derive(Default)]
struct Left {
    marked: bool,
    boxed: bool,
    /// The weight of everything else.
    rest: f32,
}

fn left(a: &Prepared, b: &Prepared, cover: &Cover) -> Left {
    let mut out = Left::default();
    let first_boxed = (a.boxed..a.name.len())
        .find(|i| !words::is_particle(a.word(&a.name[*i].token)))
        .unwrap_or(usize::MAX);
    for (i, (t, found)) in a.name.iter().zip(&cover.found).enumerate() {
        if *found == 1.0 || b.mentions(t.token.hash) {
            continue;
        }
        if *found == 0.0 && i == first_boxed {
            out.boxed = true;
        } else if *found == 0.0 && is_mark(a, t, b) {
            out.marked |= !is_joined(a, i, b);
        } else {
            out.rest += t.weight * (1.0 - found);
        }
    }
    out
}

fn is_mark(a: &Prepared, t: &NameToken, b: &Prepared) -> bool {
    let word = a.word(&t.token);
    match t.token.shape {
        Shape::Word if words::colour(word).is_some() => b.colours != 0,
        Shape::Word => {
            word.len() <= MARK && word.is_ascii() && !t.token.dotted && !words::is_particle(word)
        }
        Shape::Code | Shape::Number => true,
        Shape::Model => false,
    }
}

/// `5600 G` in the other's `5600G`.
fn is_joined(a: &Prepared, i: usize, b: &Prepared) -> bool {
    let code = |i: usize| a.name.get(i).map_or("", |t| a.code(t));
    let beside = |x: usize, y: usize| b.has_run(&[code(x), code(y)].concat());
    (i > 0 && beside(i - 1, i)) || (i + 1 < a.name.len() && beside(i, i + 1))
}

fn percents(a: &Prepared, b: &Prepared, set: &mut impl FnMut(Feature, f32)) {
    let common = |x: &[u32], y: &[u32]| x.iter().any(|p| y.contains(p));
    if !a.percents.is_empty() && !b.percents.is_empty() {
        if common(&a.percents, &b.percents) {
            set(Feature::Percent, 1.0);
        } else {
            set(Feature::PercentConflict, 1.0);
        }
    } else if !a.all_percents.is_empty() && !b.all_percents.is_empty() {
        if common(&a.all_percents, &b.all_percents) {
            set(Feature::Percent, 1.0);
        } else if a.all_percents.len() == 1 && b.all_percents.len() == 1 {
            set(Feature::PercentConflict, 0.7);
        }
    }
}
