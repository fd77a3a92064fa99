//! Text to money: the number formats and currencies of the world.
//!
//! [`read`] gives the price of a short text, [`figures`] every amount in it with its
//! meaning: a list price, an instalment and "free shipping over 50" are amounts, but not
//! the price. What is ambiguous (`$`, `1.234`) is decided by [`Hints`] or left open.

pub mod context;
pub mod currency;
pub mod number;

use crate::model::Currency;
use currency::Mark;
use rust_decimal::Decimal;

/// What is known besides the text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// A text near the price (`Price in USD:`), a sign or a code.
    pub currency: Option<&'a str>,
    /// A locale such as `de-AT`.
    pub locale: Option<&'a str>,
    /// The decimal separator, if known.
    pub decimal_separator: Option<char>,
}

/// What an amount means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Kind {
    Price,
    /// Crossed out or recommended.
    List,
    /// The least of several prices.
    From,
    UpTo,
    /// Without value added tax.
    Net,
    /// One of several payments.
    Instalment,
    /// For each month or year.
    Periodic,
    /// For each kilogram, litre, metre.
    Unit,
    Shipping,
    /// An order value that something else depends on.
    Threshold,
    Discount,
    Percent,
    /// "Free".
    Free,
}

impl Kind {
    /// The word used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::List => "list_price",
            Self::From => "from",
            Self::UpTo => "up_to",
            Self::Net => "net",
            Self::Instalment => "instalment",
            Self::Periodic => "periodic",
            Self::Unit => "unit_price",
            Self::Shipping => "shipping",
            Self::Threshold => "threshold",
            Self::Discount => "discount",
            Self::Percent => "percent",
            Self::Free => "free",
        }
    }

    /// Whether the amount is a price a person would read off this text.
    const fn is_price_like(self) -> bool {
        !matches!(self, Self::Percent | Self::Threshold | Self::Instalment)
    }
}

/// One amount in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The amount.
    pub amount: Decimal,
    /// Its currency, if the text or the hints decide it.
    pub currency: Option<Currency>,
    /// The currency as written.
    pub symbol: Option<String>,
    /// Whether the currency is written beside the amount.
    pub has_mark: bool,
    /// The other end of a range: `10 – 20 €`.
    pub high: Option<Decimal>,
    /// What it means.
    pub kind: Kind,
    /// Where it begins, in characters.
    pub start: usize,
    /// Where it ends, in characters.
    pub end: usize,
}

/// What a text says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The amount; `None` where the text has none.
    pub amount: Option<Decimal>,
    /// The currency, if decided.
    pub currency: Option<Currency>,
    /// The currency as written in the text, or else in the hint.
    pub symbol: Option<String>,
    /// What the amount means; `None` without an amount.
    pub kind: Option<Kind>,
}

/// Texts longer than this are cut: a price is short.
const MAX_TEXT: usize = 4000;

/// Reads the price in a text.
#[must_use]
pub fn read(text: &str, hints: &Hints) -> Reading {
    let found = figures(text, hints);
    let hint_marks = HintMarks::of(hints);
    if found.is_empty() || context::is_free(text) {
        let chars = number::normalise(text);
        let mark = best_mark(&currency::marks(&chars), &chars, None);
        let (currency, symbol) = hint_marks.resolve(mark.as_ref(), &chars, &[], hints);
        let free = context::is_free(text);
        return Reading {
            amount: free.then_some(Decimal::ZERO),
            currency,
            symbol,
            kind: free.then_some(Kind::Free),
        };
    }
    // The first amount with a currency beside it; else the first that stands alone.
    let chosen = found
        .iter()
        .find(|f| f.has_mark && f.kind.is_price_like())
        .or_else(|| found.iter().find(|f| f.kind.is_price_like()));
    match chosen {
        Some(figure) => Reading {
            amount: Some(figure.amount),
            currency: figure.currency,
            symbol: figure.symbol.clone(),
            kind: Some(figure.kind),
        },
        None => Reading {
            amount: None,
            currency: found[0].currency,
            symbol: found[0].symbol.clone(),
            kind: Some(found[0].kind),
        },
    }
}

/// Every amount in a text, in order, with its meaning.
#[must_use]
pub fn figures(text: &str, hints: &Hints) -> Vec<Figure> {
    let mut chars = number::normalise(text);
    chars.truncate(MAX_TEXT);
    if !chars.iter().any(char::is_ascii_digit) {
        return Vec::new();
    }
    let marks = currency::marks(&chars);
    let hint_marks = HintMarks::of(hints);
    let numbers = amounts(&chars, &marks, hints, &hint_marks);
    let lower: Vec<char> = chars
        .iter()
        .map(|c| c.to_lowercase().next().unwrap_or(*c))
        .collect();
    let mut out: Vec<Figure> = Vec::with_capacity(numbers.len());
    for (i, n) in numbers.iter().enumerate() {
        let before_from = if i == 0 { 0 } else { numbers[i - 1].end };
        let before: String = lower[before_from.max(n.start.saturating_sub(48))..n.start]
            .iter()
            .collect();
        let after: String = lower[n.end..lower.len().min(n.end + 32)].iter().collect();
        let kind = kind_of(n, &before, &after, out.last());
        // The 100 of `3.98 €/100 g`.
        let is_quantity = out
            .last()
            .is_some_and(|f| f.kind == Kind::Unit && n.start - f.end <= 6);
        if is_quantity && n.mark.is_none() {
            continue;
        }
        let own_mark = n.mark.or_else(|| best_mark(&marks, &chars, Some(n)));
        let (currency, symbol) = hint_marks.resolve(own_mark.as_ref(), &chars, &marks, hints);
        if let Some(low) = out.last_mut()
            && i > 0
            && is_range(&before, low, n)
        {
            low.high = Some(n.amount);
            low.has_mark |= n.mark.is_some();
            if low.kind == Kind::Price {
                low.kind = Kind::From;
            }
            low.end = n.end;
            continue;
        }
        out.push(Figure {
            amount: n.amount,
            currency,
            symbol,
            has_mark: n.mark.is_some(),
            high: None,
            kind,
            start: n.start,
            end: n.end,
        });
    }
    out
}

/// A number with the currency beside it.
struct Amount {
    amount: Decimal,
    mark: Option<Mark>,
    /// `3 x 9.99`: how often.
    times: bool,
    percent: bool,
    negative: bool,
    /// Including its currency.
    start: usize,
    end: usize,
}

fn amounts(chars: &[char], marks: &[Mark], hints: &Hints, hint_marks: &HintMarks) -> Vec<Amount> {
    let mut out: Vec<Amount> = Vec::new();
    let mut from = 0;
    let mut pending_times = false;
    while let Some(mut span) = number::next(chars, from) {
        from = span.end;
        let left = mark_before(chars, marks, span.start);
        let right = mark_after(chars, marks, span.end);
        let mut cents = None;
        if left.is_some() && right.is_none() {
            if let Some(end) = spaced_cents(chars, span.end) {
                cents = Some((span.end, end));
                span.end = end;
            }
        } else if let Some(mark) = right.filter(|m| m.start <= span.end + 1)
            && let Some(end) = cents_after_mark(chars, span, mark)
        {
            cents = Some((span.end, end));
        }
        let mark = nearest(left, right, &out, span, chars);
        let style = number::Style {
            decimal: hints
                .decimal_separator
                .or_else(|| hints.locale.and_then(currency::decimal_separator)),
            places: mark
                .or(hint_marks.mark)
                .filter(Mark::is_certain)
                .and_then(|m| m.codes[0].parse::<Currency>().ok())
                .map(|c| c.exponent()),
        };
        let value = match cents {
            Some((units_end, end)) => {
                let mut joined: Vec<char> = chars[span.start..units_end].to_vec();
                joined.push('.');
                joined.extend(chars[units_end..end].iter().filter(|c| c.is_ascii_digit()));
                from = end;
                number::value(&joined, style)
            }
            None => number::value(&chars[span.start..span.end], style),
        };
        let end = cents.map_or(span.end, |c| c.1);
        let Some(amount) = value else { continue };
        let glued = is_glued(chars, marks, span.start, end);
        if glued == Glue::Times {
            pending_times = true;
            continue;
        }
        if glued == Glue::Code || (glued == Glue::Word && mark.is_none()) {
            continue;
        }
        let percent = chars[end..]
            .iter()
            .take(2)
            .find(|c| **c != ' ')
            .is_some_and(|c| *c == '%')
            || (span.start > 0 && chars[span.start - 1] == '%');
        let start = mark.map_or(span.start, |m| m.start.min(span.start));
        let end = mark.map_or(end, |m| m.end.max(end));
        let negative = start > 0
            && matches!(chars[start - 1], '-' | '−')
            && (start < 2 || matches!(chars[start - 2], ' ' | '('))
            && !(start >= 3 && chars[start - 3].is_alphanumeric());
        out.push(Amount {
            amount,
            mark,
            times: std::mem::take(&mut pending_times),
            percent,
            negative,
            start,
            end,
        });
    }
    out
}

/// `$119. 95`: a space slipped in before the cents.
fn spaced_cents(chars: &[char], end: usize) -> Option<usize> {
    let digit = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    let fits = matches!(chars.get(end), Some('.' | ','))
        && chars.get(end + 1) == Some(&' ')
        && digit(end + 2)
        && digit(end + 3)
        && !chars
            .get(end + 4)
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | ','));
    fits.then_some(end + 4)
}

/// `35€ 99`: the sign stands where the decimal point would.
fn cents_after_mark(chars: &[char], span: number::Span, mark: Mark) -> Option<usize> {
    let units_only = chars[span.start..span.end]
        .iter()
        .all(|c| c.is_ascii_digit() || *c == ' ');
    let at = mark.end + usize::from(chars.get(mark.end) == Some(&' '));
    let digit = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    let rest: Vec<char> = chars
        .get(at + 2..)
        .unwrap_or_default()
        .iter()
        .copied()
        .take(3)
        .collect();
    let ends = match rest.as_slice() {
        [] => true,
        [c, ..] if c.is_alphanumeric() || matches!(c, '.' | ',' | '%' | '\'') => false,
        [' ', c, ..] => !matches!(c, '%' | '€' | '$' | '£' | 'x' | '×') && !c.is_ascii_digit(),
        _ => true,
    };
    (units_only && mark.start == span.end && digit(at) && digit(at + 1) && ends).then_some(at + 2)
}

fn is_gap(c: char) -> bool {
    c == ' ' || c == '\t' || c == '\n' || matches!(c, ':' | '\u{200e}' | '\u{200f}' | '\u{200b}')
}

fn mark_before(chars: &[char], marks: &[Mark], start: usize) -> Option<Mark> {
    let mark = *marks.iter().rev().find(|m| m.end <= start)?;
    let gap = &chars[mark.end..start];
    (gap.len() <= 3
        && gap
            .iter()
            .all(|c| is_gap(*c) || matches!(c, '.' | '-' | '−')))
    .then_some(mark)
}

fn mark_after(chars: &[char], marks: &[Mark], end: usize) -> Option<Mark> {
    let mark = *marks.iter().find(|m| m.start >= end)?;
    let gap = &chars[end..mark.start];
    let fits = |c: &char| is_gap(*c) || matches!(c, '.' | ',' | '-' | '–' | '—' | '*');
    (gap.len() <= 5 && gap.iter().all(fits)).then_some(mark)
}

/// The mark that belongs to a number with marks on both sides. One that the last number
/// took already is gone; else the certain one, else the one without a space, else the
/// left one.
fn nearest(
    left: Option<Mark>,
    right: Option<Mark>,
    earlier: &[Amount],
    span: number::Span,
    chars: &[char],
) -> Option<Mark> {
    let left = left.filter(|l| earlier.last().is_none_or(|e| e.end <= l.start));
    let (Some(l), Some(r)) = (left, right) else {
        return left.or(right);
    };
    if l.is_dollar() && r.is_certain() || r.is_dollar() && l.is_certain() {
        // The sign of the next amount is no sign of this one: `$5 €6`.
        let next_takes_it = chars[r.end..]
            .iter()
            .find(|c| **c != ' ')
            .is_some_and(char::is_ascii_digit);
        if !next_takes_it {
            return Some(if l.is_certain() { l } else { r });
        }
    }
    let gap_left = span.start - l.end;
    let gap_right = r.start - span.end;
    Some(if gap_right < gap_left { r } else { l })
}

#[derive(PartialEq, Eq)]
enum Glue {
    None,
    /// Part of a word, a unit or a code: `MX924`, `128GB`.
    Word,
    /// Inside a code such as `MzI5Ljk5`.
    Code,
    /// `12 x`: a count of payments or pieces.
    Times,
}

fn is_glued(chars: &[char], marks: &[Mark], start: usize, end: usize) -> Glue {
    let in_mark = |i: usize| marks.iter().any(|m| (m.start..m.end).contains(&i));
    if start > 1 && chars[start - 1] == ':' && chars[start - 2].is_ascii_digit() {
        return Glue::Code; // a time of day
    }
    let word = chars[..start]
        .iter()
        .rev()
        .take(24)
        .take_while(|c| c.is_alphanumeric());
    if word.clone().any(char::is_ascii_digit)
        && word.clone().any(|c| c.is_alphabetic())
        && start > 0
        && !in_mark(start - 1)
    {
        return Glue::Code;
    }
    if start > 0
        && (chars[start - 1].is_alphabetic() || matches!(chars[start - 1], '_' | '#'))
        && !in_mark(start - 1)
    {
        return Glue::Word;
    }
    let next = chars[end..].iter().position(|c| *c != ' ').map(|i| end + i);
    if let Some(at) = next
        && matches!(chars[at], 'x' | 'X' | '×')
        && chars.get(at + 1).is_none_or(|c| !c.is_alphabetic())
        && chars[at + 1..].iter().take(12).any(char::is_ascii_digit)
    {
        return Glue::Times;
    }
    match chars.get(end) {
        // Han, kana and Hangul words stand without spaces: `1000円`, `500個`.
        Some(c) if c.is_alphabetic() && (*c as u32) < 0x2E80 && !in_mark(end) => Glue::Word,
        Some(':') if chars.get(end + 1).is_some_and(char::is_ascii_digit) => Glue::Word,
        _ => Glue::None,
    }
}

fn kind_of(n: &Amount, before: &str, after: &str, previous: Option<&Figure>) -> Kind {
    if n.percent {
        return Kind::Percent;
    }
    if n.times {
        return Kind::Instalment;
    }
    if n.negative {
        return Kind::Discount;
    }
    match context::kind(before, after) {
        // "10% off 20 €" talks about the percentage.
        Kind::Discount
            if previous.is_some_and(|p| p.kind == Kind::Percent) && before.trim().len() < 4 =>
        {
            Kind::Price
        }
        kind => kind,
    }
}

/// Whether `n` is the other end of a range that `low` begins.
fn is_range(before: &str, low: &Figure, n: &Amount) -> bool {
    let joint = before.trim();
    let joined = matches!(
        joint,
        "-" | "–"
            | "—"
            | "~"
            | "～"
            | "to"
            | "bis"
            | "à"
            | "a"
            | "до"
            | "do"
            | "tot"
            | "til"
            | "till"
            | "и"
            | "al"
            | "até"
            | "至"
    );
    joined
        && low.high.is_none()
        && low.amount < n.amount
        && !n.percent
        && matches!(low.kind, Kind::Price | Kind::From)
}

/// The mark that names the currency of a text: beside the number, then the first certain
/// one, then the first.
fn best_mark(marks: &[Mark], chars: &[char], near: Option<&Amount>) -> Option<Mark> {
    let words_only = |m: &&Mark| {
        near.is_none()
            || chars[m.start..m.end]
                .iter()
                .any(|c| !c.is_ascii_lowercase())
    };
    marks
        .iter()
        .filter(words_only)
        .find(|m| m.is_certain())
        .or_else(|| marks.first())
        .copied()
}

/// The currency named by the hint.
struct HintMarks {
    chars: Vec<char>,
    mark: Option<Mark>,
}

impl HintMarks {
    fn of(hints: &Hints) -> Self {
        let chars: Vec<char> = hints
            .currency
            .map(|h| number::normalise(h).into_iter().take(MAX_TEXT).collect())
            .unwrap_or_default();
        let marks = currency::marks(&chars);
        let mark = best_mark(&marks, &chars, None);
        Self { chars, mark }
    }

    /// The currency and how it is written, from the number's own mark, the other marks
    /// in the text and the hints.
    fn resolve(
        &self,
        own: Option<&Mark>,
        chars: &[char],
        others: &[Mark],
        hints: &Hints,
    ) -> (Option<Currency>, Option<String>) {
        let written = |m: &Mark, chars: &[char]| chars[m.start..m.end].iter().collect::<String>();
        let (mark, symbol) = match (own, &self.mark) {
            (Some(mark), _) => (*mark, written(mark, chars)),
            (None, Some(mark)) => (*mark, written(mark, &self.chars)),
            (None, None) => return (None, None),
        };
        let one = |m: &Mark| {
            m.is_certain()
                .then(|| m.codes[0].parse::<Currency>().ok())
                .flatten()
        };
        let allowed = |c: &Currency| mark.codes.contains(&c.code());
        let currency = one(&mark)
            .or_else(|| others.iter().filter_map(one).find(allowed))
            .or_else(|| self.mark.as_ref().and_then(one).filter(allowed))
            .or_else(|| hints.locale.and_then(currency::of_locale).filter(allowed));
        (currency, Some(symbol))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn brief(text: &str) -> (Option<String>, Option<String>, &'static str) {
        let r = read(text, &Hints::default());
        (
            r.amount.map(|a| a.normalize().to_string()),
            r.symbol,
            r.kind.map_or("none", Kind::as_str),
        )
    }

    fn typed(text: &str) -> Vec<(String, &'static str)> {
        figures(text, &Hints::default())
            .iter()
            .map(|f| (f.amount.to_string(), f.kind.as_str()))
            .collect()
    }

    #[test]
    fn one_price() {
        for (text, amount, symbol) in [
            ("1.299,00 €", "1299", "€"),
            ("CHF 1'298.50", "1298.5", "CHF"),
            ("₹1,23,456.00", "123456", "₹"),
            ("1408,-- EUR", "1408", "EUR"),
            ("12,- Kč", "12", "Kč"),
            ("35€ 99", "35.99", "€"),
            ("$119. 95", "119.95", "$"),
            ("kr 1.249,-", "1249", "kr"),
            ("1 249:- kr", "1249", "kr"),
            ("R$ 1.234,56", "1234.56", "R$"),
            ("US$ 5", "5", "US$"),
            ("٢٥٠ ر.س", "250", "ر.س"),
            ("۱۲۰٬۰۰۰ تومان", "120000", "تومان"),
            ("1,980円", "1980", "円"),
            ("Rp150.000", "150000", "Rp"),
        ] {
            assert_eq!(
                brief(text),
                (Some(amount.into()), Some(symbol.into()), "price"),
                "{text}"
            );
        }
    }

    #[test]
    fn no_amount_where_there_is_none() {
        for text in [
            "",
            "AQUAFINESSE",
            "Call for price",
            "MX924 IX",
            "€",
            "-20%",
            "12:30",
            "Free shipping over $50",
            "12 x 9.99 €",
        ] {
            assert_eq!(read(text, &Hints::default()).amount, None, "{text}");
        }
    }

    #[test]
    fn amounts_are_typed() {
        assert_eq!(typed("9,99 €/Monat"), [("9.99".into(), "periodic")]);
        assert_eq!(typed("12 x 9.99"), [("9.99".into(), "instalment")]);
        assert_eq!(
            typed("Free shipping over $50"),
            [("50".into(), "threshold")]
        );
        assert_eq!(
            typed("Was $20.00 Now $15.00"),
            [("20.00".into(), "list_price"), ("15.00".into(), "price")]
        );
        assert_eq!(
            typed("19,90 € (3,98 €/100 g)"),
            [("19.90".into(), "price"), ("3.98".into(), "unit_price")]
        );
        assert_eq!(typed("from 9.99"), [("9.99".into(), "from")]);
        assert_eq!(
            typed("-20% 16,00 €"),
            [("20".into(), "percent"), ("16.00".into(), "price")]
        );
        assert_eq!(typed("Versandkosten 4,90 €"), [("4.90".into(), "shipping")]);
    }

    #[test]
    fn ranges_have_two_ends() {
        let all = figures("10,00 – 20,00 €", &Hints::default());
        assert_eq!(all.len(), 1);
        assert_eq!(
            (all[0].kind, all[0].high),
            (Kind::From, Some(Decimal::new(2000, 2)))
        );
        assert_eq!(all[0].currency, Some(Currency::EUR));
    }

    #[test]
    fn ambiguous_signs_wait_for_a_hint() {
        let with = |hint, locale| {
            let hints = Hints {
                currency: hint,
                locale,
                decimal_separator: None,
            };
            read("$ 5", &hints).currency.map(|c| c.code())
        };
        assert_eq!(with(None, None), None);
        assert_eq!(with(Some("Price in USD:"), None), Some("USD"));
        assert_eq!(with(None, Some("en-CA")), Some("CAD"));
        assert_eq!(with(Some("EUR"), Some("de-DE")), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,60}", hint in "\\PC{0,12}") {
            let _ = read(&text, &Hints { currency: Some(&hint), ..Hints::default() });
        }

        #[test]
        fn an_amount_needs_a_digit(text in "[^\\p{Nd}]{0,40}") {
            let r = read(&text, &Hints::default());
            prop_assert!(r.amount.is_none() || r.kind == Some(Kind::Free));
        }
    }
}
