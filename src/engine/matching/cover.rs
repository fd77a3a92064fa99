//! How much of one name is found in another record: the same words, words joined or split,
//! initials, other words for the same, abbreviations and slips.

use super::prepare::{MAX_NAME_TOKENS, NameToken, Prepared};
use super::text::{self, Shape};
use super::{codes, words};

/// How far another word for the same counts as found: `noir`, `black`; `wd`, `western digital`.
const SYNONYM: f32 = 0.9;
/// The longest word that may be initials.
const INITIALS: usize = 4;

/// How well the tokens of one name are found in the other record, 0 to 1 each.
pub(super) struct Cover {
    pub(super) found: [f32; MAX_NAME_TOKENS],
    /// The share of the name found in the other, by weight.
    pub(super) share: f32,
    /// As `share`, the other's whole text taken too.
    pub(super) full: f32,
}

/// The share of `a`'s name found in `b`, 0 to 1.
pub(super) fn coverage(a: &Prepared, b: &Prepared) -> f32 {
    covers(a, b).0.share
}

/// Soft coverage of each name by the other record.
pub(super) fn covers(a: &Prepared, b: &Prepared) -> (Cover, Cover) {
    let mut fa = [0.0_f32; MAX_NAME_TOKENS];
    let mut fb = [0.0_f32; MAX_NAME_TOKENS];
    for (t, f) in a.name.iter().zip(&mut fa) {
        if b.names(t.token.hash) {
            *f = 1.0;
        }
    }
    for (t, f) in b.name.iter().zip(&mut fb) {
        if a.names(t.token.hash) {
            *f = 1.0;
        }
    }
    joined(a, b, &mut fa, &mut fb);
    joined(b, a, &mut fb, &mut fa);
    initialled(a, b, &mut fa, &mut fb);
    initialled(b, a, &mut fb, &mut fa);
    // What is left: abbreviations, endings, slips, compounds; each token used once.
    let mut used = [false; MAX_NAME_TOKENS];
    for (i, t) in a.name.iter().enumerate() {
        if fa[i] > 0.0 || t.token.shape == Shape::Number {
            continue;
        }
        let mut best = (0.0, 0);
        for (j, u) in b.name.iter().enumerate() {
            if fb[j] > 0.0 || used[j] || t.token.shape != u.token.shape {
                continue;
            }
            let likeness = if t.token.shape == Shape::Word {
                if t.role.is_some() && t.role == u.role {
                    SYNONYM
                } else {
                    text::word_likeness(
                        a.word(&t.token),
                        t.token.dotted,
                        b.word(&u.token),
                        u.token.dotted,
                    )
                }
            } else {
                codes::relation(a.code(t), b.code(u)).likeness()
            };
            if likeness > best.0 {
                best = (likeness, j);
            }
        }
        if best.0 > 0.0 {
            fa[i] = best.0;
            fb[best.1] = best.0;
            used[best.1] = true;
        }
    }
    (cover(a, b, fa), cover(b, a, fb))
}

fn cover(a: &Prepared, b: &Prepared, found: [f32; MAX_NAME_TOKENS]) -> Cover {
    let mut share = 0.0;
    let mut full = 0.0;
    for (t, f) in a.name.iter().zip(&found) {
        share += t.weight * f;
        full += t.weight
            * if *f < 1.0 && b.mentions(t.token.hash) {
                1.0
            } else {
                *f
            };
    }
    let total = a.total.max(f32::MIN_POSITIVE);
    Cover {
        found,
        share: (share / total).min(1.0),
        full: (full / total).min(1.0),
    }
}

/// `see thru` in one name, `seethru` in the other.
fn joined(a: &Prepared, b: &Prepared, fa: &mut [f32], fb: &mut [f32]) {
    for (hash, first) in &a.joins {
        if let Some(j) = b.name.iter().position(|t| t.token.hash == *hash) {
            fa[usize::from(*first)] = 1.0;
            fa[usize::from(*first) + 1] = 1.0;
            fb[j] = 1.0;
        }
    }
}

/// `wd` in one name, `western digital` in the other.
fn initialled(short: &Prepared, long: &Prepared, fs: &mut [f32], fl: &mut [f32]) {
    for (i, t) in short.name.iter().enumerate() {
        let word = short.word(&t.token);
        if fs[i] > 0.0
            || t.token.shape != Shape::Word
            || !(2..=INITIALS).contains(&word.len())
            || !word.is_ascii()
            || words::is_particle(word)
        {
            continue;
        }
        let starts = |(u, letter): (&NameToken, u8)| {
            u.token.shape == Shape::Word && long.word(&u.token).as_bytes().first() == Some(&letter)
        };
        let run = long.name.windows(word.len()).position(|run| {
            let first = run[0].token.end - run[0].token.start;
            first > 1 && run.iter().zip(word.bytes()).all(starts)
        });
        if let Some(at) = run {
            fs[i] = SYNONYM;
            for f in &mut fl[at..at + word.len()] {
                *f = f.max(SYNONYM);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::rec;
    use super::super::{Prepared, Vocabulary};
    use super::*;

    #[test]
    fn initials_synonyms_and_versions_are_found() {
        let share = |a: &str, b: &str| {
            let v = Vocabulary::default();
            coverage(&Prepared::new(&rec(a), &v), &Prepared::new(&rec(b), &v))
        };
        for (a, b) in [
            ("wd my book", "western digital my book"),
            ("western digital my book", "my book wd"),
            ("bose speaker noir", "bose speaker black"),
            ("sage accounting upg", "sage accounting upgrade"),
            ("cubase v8", "cubase 8.0"),
            ("quicken '08", "quicken 2008"),
            ("age of empires iii", "age of empires 3"),
            ("oster 12-cup", "oster 12 cup"),
            ("onkyo 7.1ch", "onkyo 7.1-ch"),
        ] {
            assert!(share(a, b) > 0.9, "{a} / {b}: {}", share(a, b));
        }
        assert!(share("wd my book", "water heater my book") < 0.9);
    }
}
