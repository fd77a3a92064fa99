//! Amounts as people write them.

use rust_decimal::Decimal;
use std::str::FromStr;

/// No shop asks more, in any currency.
const LARGEST: u64 = 1_000_000_000_000;

/// What decides `1.234`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// The decimal separator, where it is known.
    pub decimal: Option<char>,
    /// The decimal places of the currency, where it is known.
    pub places: Option<u32>,
}

/// A number in a text, by its characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first character.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

/// Western digits for those of other scripts, and plain forms of separators. The length
/// stays the same.
#[must_use]
pub fn normalise(text: &str) -> Vec<char> {
    text.chars()
        .map(|c| match c as u32 {
            code @ (0x0660..=0x0669
            | 0x06F0..=0x06F9
            | 0x0966..=0x096F
            | 0x09E6..=0x09EF
            | 0x0BE6..=0x0BEF
            | 0x0E50..=0x0E59
            | 0x0ED0..=0x0ED9
            | 0xFF10..=0xFF19) => {
                let zero = match code {
                    0x06F0..=0x06F9 => 0x06F0,
                    0x0966..=0x096F => 0x0966,
                    0x09E6..=0x09EF => 0x09E6,
                    0x0BE6..=0x0BEF => 0x0BE6,
                    0x0E50..=0x0E59 => 0x0E50,
                    0x0ED0..=0x0ED9 => 0x0ED0,
                    0xFF10.. => 0xFF10,
                    _ => 0x0660,
                };
                char::from(b'0' + (code - zero) as u8)
            }
            0x066C => '\'',
            0x066B | 0xFF0C => ',',
            0xFF0E => '.',
            0x2019 | 0x02BC | 0x00B4 | 0x0060 | 0x2018 => '\'',
            0x00A0 | 0x202F | 0x2009 | 0x2007 | 0x2006 | 0x2005 | 0x2008 | 0x200A => ' ',
            _ => c,
        })
        .collect()
}

/// The next number at or after `from`: digits with separators inside.
#[must_use]
pub fn next(text: &[char], from: usize) -> Option<Span> {
    let digit = |i: usize| text.get(i).is_some_and(char::is_ascii_digit);
    let first = (from..text.len()).find(|i| digit(*i))?;
    // `.75`, but not the full stop of a sentence.
    let mut start = first;
    while start > from
        && matches!(text[start - 1], '.' | ',')
        && (start < from + 2 || !text[start - 2].is_alphanumeric())
    {
        start -= 1;
    }
    let mut end = first;
    loop {
        while digit(end) {
            end += 1;
        }
        let group = |at: usize| digit(at) && digit(at + 1) && digit(at + 2) && !digit(at + 3);
        match text.get(end) {
            Some('.' | ',') if digit(end + 1) => end += 1,
            Some('\'') if group(end + 1) => end += 1,
            // A space groups thousands: one to three digits, then exactly three.
            Some(' ') if group(end + 1) && groups_so_far(&text[first..end]) => end += 1,
            _ => break,
        }
    }
    Some(Span { start, end })
}

/// Whether `text` may be followed by another group of three after a space.
fn groups_so_far(text: &[char]) -> bool {
    let mut groups = text.split(|c| *c == ' ');
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len())
        && first.iter().all(char::is_ascii_digit)
        && first != ['0']
        && groups.all(|g| g.len() == 3 && g.iter().all(char::is_ascii_digit))
}

/// The value of a number found by [`next`]. `None` for dates, versions, phone numbers
/// and amounts out of range.
#[must_use]
pub fn value(text: &[char], style: Style) -> Option<Decimal> {
    let leading = text.iter().take_while(|c| !c.is_ascii_digit()).count();
    let body: Vec<char> = text[leading..]
        .iter()
        .copied()
        .filter(|c| !matches!(c, ' ' | '\''))
        .collect();
    let has_groups = text.iter().any(|c| matches!(c, ' ' | '\''));
    let points: Vec<usize> = (0..body.len())
        .filter(|i| matches!(body[*i], '.' | ','))
        .collect();
    let decimal_at = match points.as_slice() {
        [] if leading > 0 => return parse(&[&['0', '.'], body.as_slice()].concat()),
        [] => None,
        [one] => single_point(&body, *one, has_groups, style),
        many => several_points(&body, many, style)?,
    };
    let plain: Vec<char> = body
        .iter()
        .enumerate()
        .filter_map(|(i, c)| match c {
            '.' | ',' => (Some(i) == decimal_at).then_some('.'),
            c => Some(*c),
        })
        .collect();
    parse(&plain)
}

/// Whether the only point or comma is decimal.
fn single_point(body: &[char], at: usize, has_groups: bool, style: Style) -> Option<usize> {
    let after = body.len() - at - 1;
    let decimal = match after {
        3 => {
            let cannot_group = at > 3 || has_groups || body[0] == '0';
            cannot_group
                || style.decimal == Some(body[at])
                || (style.decimal.is_none() && style.places == Some(3) && body[at] == '.')
        }
        _ => true,
    };
    decimal.then_some(at)
}

/// Which of several points and commas is decimal. `None` if it is no amount.
#[allow(clippy::option_option)]
fn several_points(body: &[char], points: &[usize], style: Style) -> Option<Option<usize>> {
    let last = points[points.len() - 1];
    let earlier = &points[..points.len() - 1];
    let mark = body[last];
    let after = body.len() - last - 1;
    let mixed = earlier.iter().any(|p| body[*p] != mark);
    if mixed {
        // 1,234.56 and 1.234,56: one kind groups, the other comes last and once.
        let groups = earlier.iter().all(|p| body[*p] != mark) && groups_well(body, earlier, last);
        return groups.then_some(Some(last));
    }
    if groups_well(body, points, body.len()) {
        return Some(None);
    }
    // 1.298.00: the same mark for both. A date has years or small parts.
    let is_date = points.len() == 2 && points[0] <= 2 && points[1] - points[0] <= 3 && after != 3;
    if is_date || after > 2 || style.decimal.is_some_and(|d| d != mark) {
        return None;
    }
    groups_well(body, earlier, last).then_some(Some(last))
}

/// Whether the points split the digits before `end` into groups of thousands, or of
/// lakhs and crores: 1 to 3 digits, then two or three each, the last with three.
fn groups_well(body: &[char], points: &[usize], end: usize) -> bool {
    let Some(&first) = points.first() else {
        return true;
    };
    let mut sizes: Vec<usize> = points.windows(2).map(|w| w[1] - w[0] - 1).collect();
    sizes.push(end - points[points.len() - 1] - 1);
    let kind = body[first];
    (1..=3).contains(&first)
        && points.iter().all(|p| body[*p] == kind)
        && sizes.last() == Some(&3)
        && (sizes.iter().all(|s| *s == 3)
            || (kind == ',' && first <= 2 && sizes[..sizes.len() - 1].iter().all(|s| *s == 2)))
}

fn parse(plain: &[char]) -> Option<Decimal> {
    if plain.len() > 24 {
        return None;
    }
    let text: String = plain.iter().collect();
    let amount = Decimal::from_str(text.trim_end_matches('.')).ok()?;
    (amount <= Decimal::from(LARGEST)).then_some(amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, style: Style) -> Option<String> {
        let chars = normalise(text);
        let span = next(&chars, 0)?;
        Some(value(&chars[span.start..span.end], style)?.to_string())
    }

    #[test]
    fn the_worlds_formats() {
        for (text, amount) in [
            ("1.234,56", "1234.56"),
            ("1,234.56", "1234.56"),
            ("1 234,56", "1234.56"),
            ("1\u{202f}234,5", "1234.5"),
            ("1'234.50", "1234.50"),
            ("1’234’567", "1234567"),
            ("12,34,567.80", "1234567.80"),
            ("1.234.567", "1234567"),
            ("1,298.00", "1298.00"),
            ("0.999", "0.999"),
            ("1234.567", "1234.567"),
            ("3.3900", "3.3900"),
            (".75", "0.75"),
            ("۱۲٬۳۴۵٫۶۷", "12345.67"),
            ("١٢٣", "123"),
            ("१,२३,४५६", "123456"),
            ("12,-", "12"),
            ("1408,--", "1408"),
            ("5 12345", "5"),
        ] {
            assert_eq!(
                read(text, Style::default()).as_deref(),
                Some(amount),
                "{text}"
            );
        }
    }

    #[test]
    fn hints_decide_three_digits() {
        let point = Style {
            decimal: Some('.'),
            places: None,
        };
        let comma = Style {
            decimal: Some(','),
            places: None,
        };
        let dinar = Style {
            decimal: None,
            places: Some(3),
        };
        assert_eq!(read("1.234", Style::default()).as_deref(), Some("1234"));
        assert_eq!(read("1.234", point).as_deref(), Some("1.234"));
        assert_eq!(read("1.234", comma).as_deref(), Some("1234"));
        assert_eq!(read("1,234", comma).as_deref(), Some("1.234"));
        assert_eq!(read("1.234", dinar).as_deref(), Some("1.234"));
        assert_eq!(read("1,234", dinar).as_deref(), Some("1234"));
    }

    #[test]
    fn dates_versions_and_absurd_numbers_are_no_amounts() {
        for text in [
            "12.05.2021",
            "1.2.3",
            "10.0.0.1",
            "99999999999999999999",
            "12.5,6.7",
        ] {
            assert_eq!(read(text, Style::default()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn grouping_never_changes_the_amount(units in 0_u64..999_999_999, cents in 0_u8..100, style in 0..5_u8) {
            let (group, point) = [(",", "."), (".", ","), (" ", ","), ("'", "."), ("", ".")][style as usize];
            let digits = units.to_string();
            let mut grouped = String::new();
            for (i, c) in digits.chars().enumerate() {
                if i > 0 && (digits.len() - i) % 3 == 0 {
                    grouped.push_str(group);
                }
                grouped.push(c);
            }
            let text = format!("{grouped}{point}{cents:02}");
            let expected = format!("{units}.{cents:02}");
            prop_assert_eq!(read(&text, Style::default()), Some(expected));
        }
    }
}
