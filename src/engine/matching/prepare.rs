//! Records made ready for scoring: folded, split, weighed once, compared many times.

use super::licence::Licence;
use super::text::{self, Shape, Token};
use super::{Rec, codes, words};
use crate::engine::fold::fold;
use crate::engine::quantity::{self, Measure, Quantity, Unit};
use crate::model::Gtin;
use std::collections::HashMap;

/// Longer texts are cut: names have a few dozen characters, descriptions are prose.
const MAX_NAME: usize = 400;
const MAX_DESCRIPTION: usize = 2000;
/// Tokens of a name that take part in the soft comparison.
pub(super) const MAX_NAME_TOKENS: usize = 40;

/// How common each token is in the texts at hand: rare tokens tell products apart.
///
/// Without texts, a token's shape and length stand in: model numbers weigh most, short
/// words least. No list of stop words of any language is needed.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    records: u32,
    frequency: HashMap<u64, u32, BuildPassThrough>,
}

/// The keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BuildPassThrough;
impl std::hash::BuildHasher for BuildPassThrough {
    type Hasher = PassThrough;
    fn build_hasher(&self) -> PassThrough {
        PassThrough(0)
    }
}
/// Hands the key through as its own hash.
pub(super) struct PassThrough(u64);
impl std::hash::Hasher for PassThrough {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*b);
        }
    }
    fn write_u32(&mut self, n: u32) {
        self.write_u64(n.into());
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// So many records' worth of trust in a token's shape before its frequency counts.
const PRIOR_RECORDS: f32 = 20.0;

impl Vocabulary {
    /// Counts the tokens of one record's name, brand and part number.
    pub fn add(&mut self, rec: &Rec) {
        let mut seen: Vec<u64> = Vec::new();
        for text in rec.names() {
            let folded = fold(text, MAX_NAME);
            seen.extend(text::tokens(&folded, &[]).iter().map(|t| t.hash));
        }
        seen.sort_unstable();
        seen.dedup();
        for hash in seen {
            *self.frequency.entry(hash).or_default() += 1;
        }
        self.records = self.records.saturating_add(1);
    }

    /// Counts the tokens of many records.
    #[must_use]
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Rec>) -> Self {
        let mut out = Self::default();
        for rec in records {
            out.add(rec);
        }
        out
    }

    /// From about 0.1 (says nothing) to 1 (names one product).
    pub(super) fn weight(&self, hash: u64, shape: Shape, length: usize) -> f32 {
        let prior = match shape {
            Shape::Model => 1.0,
            Shape::Code => 0.7,
            Shape::Number => 0.6,
            Shape::Word => match length {
                0..=1 => 0.15,
                2 => 0.3,
                3 => 0.45,
                _ => 0.6,
            },
        };
        if self.records == 0 {
            return prior;
        }
        let n = self.records as f32;
        let df = self.frequency.get(&hash).copied().unwrap_or(0) as f32;
        let idf = ((n + 1.0) / (df + 0.5)).ln() / ((n + 1.0) / 0.5).ln();
        let idf = idf.clamp(0.05, 1.0);
        (n * idf + PRIOR_RECORDS * prior) / (n + PRIOR_RECORDS)
    }
}

/// More common codes name a quality, not a model.
const MIN_MODEL: f32 = 0.45;

/// A token of a name with its weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameToken {
    pub token: Token,
    pub weight: f32,
    /// The number of the colour or edition it names.
    pub role: Option<u8>,
    /// Its letters and digits in [`Prepared::compact`].
    compact: (u32, u32),
}

/// A maker's model number: from the name, or the part number.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub hash: u64,
    pub weight: f32,
    pub code: String,
}

/// A record ready for scoring. About one kilobyte.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(super) folded: String,
    pub(super) name: Vec<NameToken>,
    pub(super) models: Vec<Model>,
    compact: String,
    /// Hashes found in the name besides its tokens: parts and neighbours joined.
    pub(super) extra: Vec<u64>,
    /// Neighbours joined: (hash, place of the first).
    pub(super) joins: Vec<(u64, u8)>,
    /// Every token of name, brand, number and description: (hash, weight), sorted.
    pub(super) all: Vec<(u64, f32)>,
    pub(super) norm: f32,
    pub(super) has_description: bool,
    pub(super) brand: Vec<u64>,
    pub(super) brand_text: String,
    pub(super) brand_initials: String,
    pub(super) mpn: Option<String>,
    /// Letters and digits of name, as sorted hashes of three characters.
    pub(super) grams: Vec<u32>,
    pub(super) numbers: Vec<u64>,
    pub(super) measures: Vec<Measure>,
    pub(super) quantity: Option<Quantity>,
    pub(super) licence: Licence,
    pub(super) colours: u32,
    /// Colours that endings of model numbers stand for.
    pub(super) code_colours: u32,
    /// Colours named anywhere.
    pub(super) all_colours: u32,
    pub(super) editions: u64,
    /// Accessory words (hashes) and whether a preposition stands in the name.
    pub(super) accessories: Vec<u64>,
    pub(super) is_for: bool,
    /// Hundredths of a per cent named: fat, cocoa, alcohol.
    pub(super) percents: Vec<u32>,
    /// Those of the whole text.
    pub(super) all_percents: Vec<u32>,
    /// Where what else is in the box begins in `name`, if anywhere.
    pub(super) boxed: usize,
    pub(super) ln_price: Option<f32>,
    pub(super) gtin: Option<Gtin>,
    pub(super) total: f32,
}

impl Prepared {
    /// Folds, splits and weighs a record.
    #[must_use]
    pub fn new(rec: &Rec, vocabulary: &Vocabulary) -> Self {
        let folded = fold(&rec.name, MAX_NAME);
        let (quantity, mut measures) = quantity::read_folded(&folded);
        measures.truncate(12);
        let licence = Licence::read(&folded);
        let within = |m: &Measure| licence.spans.iter().any(|s| m.start < s.1 && s.0 < m.end);
        measures.retain(|m| !within(m));
        let quantity = quantity.filter(|q| q.unit != Unit::Piece || licence.is_empty());
        let mut skip: Vec<(usize, usize)> = measures.iter().map(|m| (m.start, m.end)).collect();
        skip.extend(&licence.spans);
        skip.extend(requirements(&folded));
        skip.sort_unstable();
        let tokens = text::tokens(&folded, &skip);
        let word = |t: &Token| &folded[t.start as usize..t.end as usize];

        let mut out = Self {
            name: Vec::new(),
            models: Vec::new(),
            compact: String::new(),
            extra: Vec::new(),
            joins: Vec::new(),
            all: Vec::new(),
            norm: 0.0,
            has_description: false,
            brand: Vec::new(),
            brand_text: String::new(),
            brand_initials: String::new(),
            mpn: None,
            grams: Vec::new(),
            numbers: Vec::new(),
            measures,
            quantity,
            licence,
            colours: 0,
            code_colours: 0,
            all_colours: 0,
            editions: 0,
            accessories: Vec::new(),
            is_for: false,
            percents: percents(&folded),
            all_percents: Vec::new(),
            boxed: MAX_NAME_TOKENS,
            ln_price: rec
                .price
                .filter(|p| p.is_finite() && *p > 0.0)
                .map(|p| p.ln() as f32),
            gtin: rec.gtin,
            total: 0.0,
            folded: String::new(),
        };
        let mut all: Vec<(u64, f32)> = Vec::new();
        let mut bundled = false;
        let mut negated = false;
        let mut without = false;
        let mut before = "";
        for t in &tokens {
            let w = word(t);
            let free = words::is_free(w)
                || (t.shape == Shape::Word && without)
                || (words::can_lack(before) && matches!(w, "free" | "frei"));
            if free {
                out.editions |= 1 << words::FREE;
            }
            without = words::is_without(w);
            before = if t.shape == Shape::Word { w } else { "" };
            let weight = vocabulary.weight(t.hash, t.shape, w.len());
            all.push((t.hash, weight));
            if let Some(c) = words::colour(w) {
                out.colours |= 1 << c;
            }
            if let Some(e) = words::edition(w).filter(|_| !negated) {
                out.editions |= 1 << e;
            }
            negated = words::is_not(w);
            // `camera with case` is a camera, `battery-powered drill` a drill.
            let modifies = folded[t.end as usize..].starts_with('-');
            if words::is_accessory(w) && !bundled && !modifies {
                out.accessories.push(t.hash);
            }
            let plus = folded[..t.start as usize].trim_end().ends_with(['+', '&']);
            if (plus || words::is_with(w)) && out.boxed == MAX_NAME_TOKENS {
                out.boxed = out.name.len();
            }
            bundled |= words::is_with(w);
            out.is_for |= words::is_for(w);
            if t.part {
                out.extra.push(t.hash);
            } else if out.name.len() < MAX_NAME_TOKENS
                && out.name.iter().all(|n| n.token.hash != t.hash)
            {
                let start = out.compact.len();
                out.compact
                    .extend(w.chars().filter(|c| c.is_alphanumeric() || *c == '.'));
                let code = &out.compact[start..];
                if t.shape == Shape::Model
                    && weight >= MIN_MODEL
                    && !codes::is_generic(code)
                    && out.models.len() < 8
                {
                    if let Some(c) = codes::colour_of(code) {
                        out.code_colours |= 1 << c;
                    }
                    out.models.push(Model {
                        hash: t.hash,
                        weight,
                        code: code.to_owned(),
                    });
                }
                out.name.push(NameToken {
                    token: *t,
                    weight,
                    role: words::role(w),
                    compact: (start as u32, out.compact.len() as u32),
                });
                if t.shape == Shape::Number {
                    out.numbers.push(t.hash);
                }
            }
        }
        let mut joins = Vec::new();
        let mut editions = out.editions;
        for (i, pair) in out.name.windows(2).enumerate() {
            let (a, b) = (out.code(&pair[0]), out.code(&pair[1]));
            if pair[1].token.shape == Shape::Number
                && let Some(e) = words::edition(&format!("{a}{b}"))
            {
                editions |= 1 << e; // playstation 5
            }
            if a.len() + b.len() >= 4 {
                let joined = text::hash_chain(text::hash(a), b);
                joins.push((joined, i as u8));
            }
        }
        out.joins = joins;
        out.editions = editions;
        out.total = out.name.iter().map(|t| t.weight).sum();
        out.grams = grams(&folded);

        if let Some(brand) = &rec.brand {
            out.read_brand(brand, vocabulary, &mut all);
        }
        if let Some(mpn) = &rec.mpn {
            out.read_number(mpn, vocabulary, &mut all);
        }
        if let Some(description) = &rec.description {
            out.read_description(description, vocabulary, &mut all);
        }
        all.sort_unstable_by_key(|t| t.0);
        all.dedup_by_key(|t| t.0);
        out.all_colours |= out.colours;
        out.all_percents.extend(&out.percents);
        out.norm = all.iter().map(|t| t.1 * t.1).sum::<f32>().sqrt();
        out.all = all;
        out.folded = folded;
        out
    }

    fn read_brand(&mut self, brand: &str, vocabulary: &Vocabulary, all: &mut Vec<(u64, f32)>) {
        let folded = fold(brand, MAX_NAME);
        for t in text::tokens(&folded, &[]) {
            let w = &folded[t.start as usize..t.end as usize];
            all.push((t.hash, vocabulary.weight(t.hash, t.shape, w.len())));
            self.brand_initials.extend(w.chars().next());
            if !words::is_company_form(w) || self.brand.is_empty() {
                self.brand.push(t.hash);
            }
        }
        self.brand_text = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    }

    /// Reads the maker's part number, which is a model number as well.
    fn read_number(&mut self, mpn: &str, vocabulary: &Vocabulary, all: &mut Vec<(u64, f32)>) {
        let folded = fold(mpn, MAX_NAME);
        for t in text::tokens(&folded, &[]) {
            let w = &folded[t.start as usize..t.end as usize];
            all.push((t.hash, vocabulary.weight(t.hash, t.shape, w.len())));
        }
        let compact: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
        self.mpn = (compact.len() >= 3).then_some(compact);
        if let Some(compact) = &self.mpn {
            let hash = text::hash(compact);
            all.push((hash, 1.0));
            self.extra.push(hash);
            if self.models.iter().all(|m| m.code != *compact) {
                self.models.push(Model {
                    hash,
                    weight: 1.0,
                    code: compact.clone(),
                });
            }
        }
    }

    fn read_description(
        &mut self,
        description: &str,
        vocabulary: &Vocabulary,
        all: &mut Vec<(u64, f32)>,
    ) {
        let folded = fold(description, MAX_DESCRIPTION);
        self.all_percents = percents(&folded);
        for t in text::tokens(&folded, &[]) {
            self.has_description = true;
            let w = &folded[t.start as usize..t.end as usize];
            if let Some(c) = words::colour(w) {
                self.all_colours |= 1 << c;
            }
            all.push((t.hash, vocabulary.weight(t.hash, t.shape, w.len())));
        }
    }

    pub(super) fn word(&self, token: &Token) -> &str {
        &self.folded[token.start as usize..token.end as usize]
    }

    /// The token's letters and digits.
    pub(super) fn code(&self, token: &NameToken) -> &str {
        &self.compact[token.compact.0 as usize..token.compact.1 as usize]
    }

    /// Whether the name's letters and digits, signs and spaces left out, hold `run`.
    pub(super) fn has_run(&self, run: &str) -> bool {
        self.compact.contains(run)
    }

    pub(super) fn mentions(&self, hash: u64) -> bool {
        self.all.binary_search_by_key(&hash, |t| t.0).is_ok()
    }

    /// Whether name, brand or part number hold the token.
    pub(super) fn names(&self, hash: u64) -> bool {
        self.name.iter().any(|t| t.token.hash == hash)
            || self.extra.contains(&hash)
            || self.brand.contains(&hash)
    }
}

/// Where a title lists the versions of Windows it runs on: `win 98/me/2000/xp`. One alone
/// may be the product itself.
fn requirements(folded: &str) -> Option<(usize, usize)> {
    let is_version = |w: &str| {
        matches!(
            w,
            "95" | "98"
                | "98se"
                | "me"
                | "nt"
                | "2000"
                | "2003"
                | "xp"
                | "vista"
                | "7"
                | "8"
                | "10"
                | "11"
        )
    };
    let system = |(at, word): &(usize, &str)| {
        let before = folded[..*at].chars().next_back();
        let after = folded[at + word.len()..].chars().next();
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        apart(before) && apart(after)
    };
    let (at, word) = folded
        .match_indices("windows")
        .chain(folded.match_indices("win"))
        .find(system)?;
    let start = at + word.len();
    let (mut end, mut versions) = (start, 0);
    for piece in folded[start..].split_inclusive([' ', '/', ',', '&', '-', '(']) {
        let word = piece.trim_end_matches([' ', '/', ',', '&', '-', '(', ')', ']', '.']);
        if is_version(word) {
            versions += 1;
            end += piece.len();
        } else if word.is_empty() || matches!(word, "and" | "or" | "win" | "windows") {
            end += piece.len();
        } else {
            break;
        }
    }
    (versions > 1).then_some((start, end))
}

/// The per cent values of a text in hundredths, at most eight; 100 % says nothing.
fn percents(folded: &str) -> Vec<u32> {
    let number = |before: &str| {
        let before = before.trim_end();
        let start = before
            .rfind(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')
            .map_or(0, |i| {
                i + before[i..].chars().next().map_or(1, char::len_utf8)
            });
        let value: f32 = before[start..].replace(',', ".").parse().ok()?;
        (0.0..100.0)
            .contains(&value)
            .then_some((value * 100.0).round() as u32)
    };
    let ends = folded.match_indices('%').take(8);
    ends.filter_map(|(at, _)| number(&folded[..at])).collect()
}

/// Sorted, distinct hashes of every three letters or digits in a row.
fn grams(folded: &str) -> Vec<u32> {
    let chars: Vec<char> = folded
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .take(120)
        .collect();
    let mut out: Vec<u32> = chars
        .windows(3)
        .filter(|w| w[1] != ' ')
        .map(|w| {
            let h = (w[0] as u64) << 42 ^ (w[1] as u64) << 21 ^ w[2] as u64;
            (h.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
        })
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_windows_in_a_list_are_no_part_of_the_name() {
        let cut = |s: &str| requirements(s).map(|(a, b)| s[a..b].to_owned());
        assert_eq!(
            cut("sims 2 win 98/me/2000/xp").as_deref(),
            Some(" 98/me/2000/xp")
        );
        assert_eq!(
            cut("chess (win 2000, xp, vista) cd").as_deref(),
            Some(" 2000, xp, vista) ")
        );
        assert_eq!(cut("microsoft windows 7 home"), None);
        assert_eq!(cut("winter 98 95"), None);
    }
}
