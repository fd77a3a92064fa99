//! Currencies as shops write them, and which countries they belong to.

use crate::model::Currency;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A currency as written in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The first character of the mark.
    pub start: usize,
    /// One past the last character.
    pub end: usize,
    /// The currencies it may stand for: one, or several (`$`, `kr`), or none that ISO
    /// 4217 knows (toman).
    pub codes: &'static [&'static str],
}

impl Mark {
    /// Whether it is a bare dollar sign, which says least of all.
    #[must_use]
    pub fn is_dollar(&self) -> bool {
        self.codes == DOLLARS
    }

    /// Whether it names exactly one currency.
    #[must_use]
    pub const fn is_certain(&self) -> bool {
        self.codes.len() == 1
    }
}

const DOLLARS: &[&str] = &[
    "USD", "CAD", "AUD", "NZD", "MXN", "ARS", "CLP", "COP", "UYU", "SGD", "HKD", "TWD", "BSD",
    "BBD", "BZD", "BMD", "BND", "DOP", "FJD", "GYD", "JMD", "LRD", "NAD", "SBD", "SRD", "TTD",
    "XCD", "KYD", "BOB", "NIO",
];
const POUNDS: &[&str] = &[
    "GBP", "EGP", "LBP", "SYP", "GIP", "FKP", "SHP", "SSP", "SDG",
];
const KRONER: &[&str] = &["SEK", "NOK", "DKK", "ISK"];
const RUPEES: &[&str] = &["INR", "PKR", "LKR", "NPR", "MUR", "SCR"];
const YUAN: &[&str] = &["JPY", "CNY"];
const ROUBLES: &[&str] = &["RUB", "BYN"];
const RIALS: &[&str] = &["SAR", "QAR", "OMR", "YER", "IRR"];
const DINARS: &[&str] = &[
    "KWD", "BHD", "IQD", "JOD", "DZD", "TND", "LYD", "RSD", "MKD",
];
const DIRHAMS: &[&str] = &["AED", "MAD"];
const FRANCS: &[&str] = &["CHF", "XOF", "XAF"];
const LEI: &[&str] = &["RON", "MDL"];
const PESOS: &[&str] = &["MXN", "ARS", "CLP", "COP", "UYU", "PHP", "DOP", "CUP"];

/// How a mark must stand to count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Anywhere, apart from other letters.
    Free,
    /// Next to a number: the letters alone mean too many things.
    Beside,
}
use Place::{Beside, Free};

/// A written form, what it may stand for, and where it counts.
type Form = (&'static str, &'static [&'static str], Place);

/// Written forms. Longer ones come first where one begins another.
#[rustfmt::skip]
const MARKS: &[Form] = &[
    // Dollars and other signs with a country.
    ("US$", &["USD"], Free), ("U$S", &["USD"], Free), ("USD$", &["USD"], Free),
    ("CDN$", &["CAD"], Free), ("CAD$", &["CAD"], Free), ("CA$", &["CAD"], Free), ("C$", &["CAD"], Free),
    ("AUD$", &["AUD"], Free), ("AU$", &["AUD"], Free), ("A$", &["AUD"], Free),
    ("NZD$", &["NZD"], Free), ("NZ$", &["NZD"], Free), ("HKD$", &["HKD"], Free), ("HK$", &["HKD"], Free),
    ("NT$", &["TWD"], Free), ("TW$", &["TWD"], Free),
    ("S$", &["SGD"], Free), ("R$", &["BRL"], Free), ("RD$", &["DOP"], Free), ("MXN$", &["MXN"], Free),
    ("MX$", &["MXN"], Free), ("Mex$", &["MXN"], Free), ("AR$", &["ARS"], Free), ("CLP$", &["CLP"], Free),
    ("COL$", &["COP"], Free), ("COP$", &["COP"], Free), ("$U", &["UYU"], Beside), ("TT$", &["TTD"], Free),
    ("J$", &["JMD"], Free), ("BZ$", &["BZD"], Free), ("Bds$", &["BBD"], Free), ("EC$", &["XCD"], Free),
    ("FJ$", &["FJD"], Free), ("N$", &["NAD"], Free), ("GH₵", &["GHS"], Free), ("IR£", &["EUR"], Free),
    ("E£", &["EGP"], Free), ("LE", &["EGP"], Beside), ("CN¥", &["CNY"], Free), ("JP¥", &["JPY"], Free),
    ("RMB", &["CNY"], Free),
    // Signs.
    ("€", &["EUR"], Free), ("$", DOLLARS, Free), ("＄", DOLLARS, Free), ("£", POUNDS, Free),
    ("￡", POUNDS, Free), ("¥", YUAN, Free), ("￥", YUAN, Free), ("₹", &["INR"], Free),
    ("₨", RUPEES, Free), ("₽", &["RUB"], Free), ("₴", &["UAH"], Free), ("₸", &["KZT"], Free),
    ("₺", &["TRY"], Free), ("₼", &["AZN"], Free), ("₾", &["GEL"], Free), ("֏", &["AMD"], Free),
    ("₩", &["KRW"], Free), ("￦", &["KRW"], Free), ("₫", &["VND"], Free), ("₪", &["ILS"], Free),
    ("฿", &["THB"], Free), ("₱", &["PHP"], Free), ("₦", &["NGN"], Free), ("₵", &["GHS"], Free),
    ("₡", &["CRC"], Free), ("₲", &["PYG"], Free), ("₮", &["MNT"], Free), ("₭", &["LAK"], Free),
    ("៛", &["KHR"], Free), ("৳", &["BDT"], Free), ("؋", &["AFN"], Free), ("₣", FRANCS, Free),
    // Latin words and abbreviations.
    ("zł", &["PLN"], Free), ("zl", &["PLN"], Beside), ("zlotych", &["PLN"], Beside),
    ("Kčs", &["CZK"], Free), ("Kč", &["CZK"], Free), ("KČ", &["CZK"], Free), ("kč", &["CZK"], Free),
    ("Kc", &["CZK"], Beside), ("korun", &["CZK"], Beside),
    ("SFr.", &["CHF"], Free), ("sFr.", &["CHF"], Free), ("Fr.", FRANCS, Beside), ("fr.", FRANCS, Beside),
    ("FCFA", &["XOF", "XAF"], Free), ("CFA", &["XOF", "XAF"], Free),
    ("Ft", &["HUF"], Beside), ("FT", &["HUF"], Beside), ("ft", &["HUF"], Beside), ("forint", &["HUF"], Beside),
    ("lei", LEI, Beside), ("Lei", LEI, Beside), ("LEI", LEI, Beside), ("leu", LEI, Beside),
    ("kr.", KRONER, Beside), ("Kr.", KRONER, Beside), ("kr", KRONER, Beside), ("Kr", KRONER, Beside), ("KR", KRONER, Beside),
    ("SEK", &["SEK"], Free), ("kn", &["HRK"], Beside), ("Kn", &["HRK"], Beside), ("KM", &["BAM"], Beside),
    ("din.", &["RSD"], Beside), ("din", &["RSD"], Beside), ("Din", &["RSD"], Beside),
    ("TL", &["TRY"], Free), ("YTL", &["TRY"], Free), ("Lt", &["LTL"], Beside),
    ("Rp.", &["IDR"], Beside), ("Rp", &["IDR"], Beside), ("RP", &["IDR"], Beside), ("RM", &["MYR"], Beside),
    ("Rs.", RUPEES, Beside), ("Rs", RUPEES, Beside), ("RS.", RUPEES, Beside), ("rs.", RUPEES, Beside), ("RS", RUPEES, Beside),
    ("Php", &["PHP"], Beside), ("PhP", &["PHP"], Beside), ("VNĐ", &["VND"], Free), ("VNÐ", &["VND"], Free),
    ("đ", &["VND"], Beside), ("Đ", &["VND"], Beside), ("đồng", &["VND"], Beside), ("NIS", &["ILS"], Beside),
    ("Dhs.", DIRHAMS, Beside), ("Dhs", DIRHAMS, Beside), ("DHS", DIRHAMS, Beside), ("DH", DIRHAMS, Beside), ("Dh", DIRHAMS, Beside),
    ("SR", &["SAR"], Beside), ("KD", &["KWD"], Beside), ("BD", &["BHD"], Beside), ("QR", &["QAR"], Beside),
    ("KSh", &["KES"], Beside), ("Ksh", &["KES"], Beside), ("KSH", &["KES"], Beside), ("TSh", &["TZS"], Beside), ("USh", &["UGX"], Beside),
    ("S/.", &["PEN"], Beside), ("S/", &["PEN"], Beside), ("Bs.", &["BOB", "VES"], Beside), ("Bs", &["BOB", "VES"], Beside),
    ("Gs.", &["PYG"], Beside), ("Gs", &["PYG"], Beside), ("B/.", &["PAB"], Beside), ("Q", &["GTQ"], Beside),
    ("R", &["ZAR"], Beside), ("Br", &["BYN", "ETB"], Beside), ("L.", &["HNL"], Beside), ("MDL", &["MDL"], Free),
    ("Euros", &["EUR"], Free), ("euros", &["EUR"], Free), ("Euro", &["EUR"], Free), ("euro", &["EUR"], Free), ("EURO", &["EUR"], Free),
    ("dollars", DOLLARS, Beside), ("pesos", PESOS, Beside), ("reais", &["BRL"], Beside), ("pounds", POUNDS, Beside),
    ("rupees", RUPEES, Beside), ("yen", &["JPY"], Beside), ("so'm", &["UZS"], Beside), ("soʻm", &["UZS"], Beside),
    // Cyrillic.
    ("б.р.", &["BYN"], Free),
    ("бел. руб.", &["BYN"], Free), ("бел.руб.", &["BYN"], Free),
    ("руб.", ROUBLES, Free), ("руб", ROUBLES, Free), ("Руб.", ROUBLES, Free), ("РУБ", ROUBLES, Free), ("RUR", &["RUB"], Free),
    ("р.", ROUBLES, Beside), ("р", ROUBLES, Beside), ("Р", ROUBLES, Beside), ("Р.", ROUBLES, Beside),
    ("грн.", &["UAH"], Free), ("грн", &["UAH"], Free), ("ГРН", &["UAH"], Free), ("гривен", &["UAH"], Beside),
    ("лв.", &["BGN"], Free), ("лв", &["BGN"], Free), ("ден.", &["MKD"], Beside), ("ден", &["MKD"], Beside),
    ("дин.", &["RSD"], Beside), ("дин", &["RSD"], Beside), ("РСД", &["RSD"], Free),
    ("тенге", &["KZT"], Beside), ("тг.", &["KZT"], Beside), ("тг", &["KZT"], Beside), ("сум", &["UZS"], Beside),
    ("сом", &["KGS"], Beside), ("евро", &["EUR"], Beside), ("ман.", &["AZN"], Beside),
    // Greek, Hebrew, Arabic, Persian.
    ("ευρώ", &["EUR"], Beside), ("ש\"ח", &["ILS"], Free), ("ש״ח", &["ILS"], Free),
    ("ر.س", &["SAR"], Free), ("ريال سعودي", &["SAR"], Free), ("د.إ", &["AED"], Free), ("د.ك", &["KWD"], Free),
    ("د.ب", &["BHD"], Free), ("ر.ق", &["QAR"], Free), ("ر.ع", &["OMR"], Free), ("ج.م", &["EGP"], Free),
    ("جنيه", &["EGP", "SDG"], Free), ("د.ا", &["JOD"], Free), ("د.م", &["MAD"], Free), ("د.ت", &["TND"], Free),
    ("د.ج", &["DZD"], Free), ("د.ع", &["IQD"], Free), ("درهم", DIRHAMS, Free), ("دينار", DINARS, Free),
    ("تومان", &[], Free), ("ریال", &["IRR"], Free), ("ريال", RIALS, Free), ("﷼", RIALS, Free), ("₺", &["TRY"], Free),
    ("روپے", &["PKR"], Free),
    // South and East Asia.
    ("रुपये", &["INR", "NPR"], Free), ("रु.", &["INR", "NPR"], Free), ("रु", &["INR", "NPR"], Free), ("ரூ", &["INR", "LKR"], Free),
    ("රු", &["LKR"], Free), ("টাকা", &["BDT"], Free), ("บาท", &["THB"], Free), ("円", &["JPY"], Beside), ("元", &["CNY", "TWD"], Beside),
    ("人民币", &["CNY"], Free), ("원", &["KRW"], Beside), ("₩", &["KRW"], Free),
];

/// The marks by their first character.
static BY_FIRST: LazyLock<HashMap<char, Vec<Form>>> = LazyLock::new(|| {
    let mut index: HashMap<char, Vec<Form>> = HashMap::new();
    for form in MARKS {
        if let Some(first) = form.0.chars().next() {
            index.entry(first).or_default().push(*form);
        }
    }
    index
});

/// Codes that are also common words, brands or units in capitals.
const WORDLIKE: &[&str] = &[
    "ALL", "AMD", "BAM", "BOV", "COP", "CUP", "DOP", "ERN", "ETB", "GEL", "GIP", "GMD", "HNL",
    "KES", "LAK", "LSL", "MAD", "MOP", "MUR", "MVR", "NAD", "PAB", "PEN", "SOS", "SLE", "SSP",
    "STN", "TOP", "TRY", "VES", "VUV", "WST", "XXX", "XTS", "ZAR", "BIF", "BAN", "SAR",
];

/// The currencies written in `text` (characters), in order.
#[must_use]
pub fn marks(text: &[char]) -> Vec<Mark> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if let Some(mark) = mark_at(text, at) {
            at = mark.end;
            // `SGD$`: the code says which dollar.
            let said = found
                .last()
                .is_some_and(|m: &Mark| m.end == mark.start && m.is_certain());
            if !(said && mark.codes == DOLLARS) {
                found.push(mark);
            }
        } else {
            at += 1;
        }
    }
    found
}

fn mark_at(text: &[char], at: usize) -> Option<Mark> {
    let first = text[at];
    if first.is_ascii_digit() || first.is_whitespace() {
        return None;
    }
    let rest = &text[at..];
    let starts_word = at == 0 || !joins(text[at - 1], first);
    let mut best: Option<Mark> = None;
    for &(form, codes, place) in BY_FIRST.get(&first).into_iter().flatten() {
        let mut length = 0;
        let fits = form.chars().all(|c| {
            length += 1;
            rest.get(length - 1) == Some(&c)
        });
        if !fits || best.is_some_and(|b| b.end >= at + length) {
            continue;
        }
        let end = at + length;
        let last = text[end - 1];
        let ends_word = text
            .get(end)
            .is_none_or(|next| !joins(last, *next) || is_case_ending(form, text, end));
        let beside = place == Free || beside_number(text, at, end) || is_alone(text, at, end);
        if starts_word && ends_word && beside {
            best = Some(Mark {
                start: at,
                end,
                codes,
            });
        }
    }
    best.or_else(|| starts_word.then(|| code_at(text, at)).flatten())
}

/// An ISO 4217 code: in capitals anywhere, in other case beside a number.
fn code_at(text: &[char], at: usize) -> Option<Mark> {
    let letters = text.get(at..at + 3)?;
    let end = at + 3;
    if !letters.iter().all(char::is_ascii_alphabetic)
        || text.get(end).is_some_and(|c| c.is_alphabetic())
    {
        return None;
    }
    let code: String = letters.iter().collect::<String>().to_ascii_uppercase();
    let capital = letters.iter().all(char::is_ascii_uppercase);
    if WORDS.contains(&code.as_str()) && !is_alone(text, at, end)
        || !capital && !SMALL.contains(&code.as_str())
    {
        return None;
    }
    let certain = capital && !WORDLIKE.contains(&code.as_str());
    if !certain && !beside_number(text, at, end) && !is_alone(text, at, end) {
        return None;
    }
    let currency: Currency = code.parse().ok()?;
    Some(Mark {
        start: at,
        end,
        codes: single(currency)?,
    })
}

/// A static one-element slice for a currency.
fn single(currency: Currency) -> Option<&'static [&'static str]> {
    // Leaking is avoided by finding the code in a table of every code in use.
    CODES
        .binary_search(&currency.code())
        .ok()
        .map(|i| std::slice::from_ref(&CODES[i]))
}

#[rustfmt::skip]
const CODES: &[&str] = &[
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN",
    "BHD", "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF",
    "CLP", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB",
    "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HRK",
    "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR",
    "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL",
    "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN",
    "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON",
    "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP",
    "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH",
    "UGX", "USD", "UYU", "UZS", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR",
    "ZMW",
];

/// Codes that product names are full of, next to numbers: `TOP 10`, `Cup 2`.
const WORDS: &[&str] = &["ALL", "CUP", "SOS", "STN", "TOP", "XTS", "XXX"];

/// Codes that shops also write in small letters.
#[rustfmt::skip]
const SMALL: &[&str] = &[
    "AED", "AUD", "BGN", "BRL", "BYN", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HRK", "HUF", "ILS", "INR", "ISK", "JPY",
    "KZT", "MXN", "MYR", "NOK", "NZD", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SEK", "SGD", "THB", "UAH", "USD", "VND",
];

/// Whether two neighbours make one word.
fn joins(left: char, right: char) -> bool {
    left.is_alphabetic() && right.is_alphabetic()
}

/// `рублей`, `рубля`: the abbreviation with a case ending.
fn is_case_ending(form: &str, text: &[char], end: usize) -> bool {
    form == "руб"
        && text
            .get(end..end + 2)
            .is_some_and(|next| matches!(next, ['л', _]))
}

fn beside_number(text: &[char], start: usize, end: usize) -> bool {
    let gap = |c: &char| c.is_whitespace() || matches!(c, '.' | ',' | '-' | '–' | '—' | ':' | '*');
    let before = text[..start].iter().rev().take(4).find(|c| !gap(c));
    let after = text[end..].iter().take(4).find(|c| !gap(c));
    [before, after]
        .into_iter()
        .flatten()
        .any(|c| c.is_ascii_digit())
}

/// Whether nothing else is written: a column head or a hint.
fn is_alone(text: &[char], start: usize, end: usize) -> bool {
    let rest = text[..start].iter().chain(&text[end..]);
    rest.into_iter().all(|c| !c.is_alphanumeric())
}

/// The currency of a country (ISO 3166-1 alpha-2, any case).
#[must_use]
pub fn of_region(region: &str) -> Option<Currency> {
    let code = match region.to_ascii_uppercase().as_str() {
        "AT" | "BE" | "CY" | "DE" | "EE" | "ES" | "FI" | "FR" | "GR" | "HR" | "IE" | "IT"
        | "LT" | "LU" | "LV" | "MT" | "NL" | "PT" | "SI" | "SK" | "ME" | "EU" | "BG" => "EUR",
        "US" | "EC" | "PR" | "SV" => "USD",
        "GB" | "UK" => "GBP",
        "CH" | "LI" => "CHF",
        "SE" => "SEK",
        "NO" => "NOK",
        "DK" => "DKK",
        "IS" => "ISK",
        "PL" => "PLN",
        "CZ" => "CZK",
        "HU" => "HUF",
        "RO" => "RON",
        "MD" => "MDL",
        "RS" => "RSD",
        "BA" => "BAM",
        "MK" => "MKD",
        "AL" => "ALL",
        "UA" => "UAH",
        "RU" => "RUB",
        "BY" => "BYN",
        "KZ" => "KZT",
        "TR" => "TRY",
        "GE" => "GEL",
        "AM" => "AMD",
        "AZ" => "AZN",
        "IL" => "ILS",
        "AE" => "AED",
        "SA" => "SAR",
        "QA" => "QAR",
        "KW" => "KWD",
        "BH" => "BHD",
        "OM" => "OMR",
        "JO" => "JOD",
        "EG" => "EGP",
        "MA" => "MAD",
        "TN" => "TND",
        "DZ" => "DZD",
        "IR" => "IRR",
        "PK" => "PKR",
        "IN" => "INR",
        "LK" => "LKR",
        "NP" => "NPR",
        "BD" => "BDT",
        "CN" => "CNY",
        "JP" => "JPY",
        "KR" => "KRW",
        "TW" => "TWD",
        "HK" => "HKD",
        "SG" => "SGD",
        "MY" => "MYR",
        "TH" => "THB",
        "VN" => "VND",
        "ID" => "IDR",
        "PH" => "PHP",
        "AU" => "AUD",
        "NZ" => "NZD",
        "CA" => "CAD",
        "MX" => "MXN",
        "BR" => "BRL",
        "AR" => "ARS",
        "CL" => "CLP",
        "CO" => "COP",
        "PE" => "PEN",
        "UY" => "UYU",
        "PY" => "PYG",
        "BO" => "BOB",
        "CR" => "CRC",
        "GT" => "GTQ",
        "DO" => "DOP",
        "ZA" => "ZAR",
        "NG" => "NGN",
        "KE" => "KES",
        "GH" => "GHS",
        _ => return None,
    };
    code.parse().ok()
}

/// The currency of a locale (`en-GB`, `pt_BR`, `sv`): its region's, or where the
/// language belongs to one country, that one's.
#[must_use]
pub fn of_locale(locale: &str) -> Option<Currency> {
    let mut parts = locale.split(['-', '_', '.', '@']);
    let language = parts.next()?.to_ascii_lowercase();
    if let Some(currency) = parts.filter(|p| p.len() == 2).find_map(of_region) {
        return Some(currency);
    }
    of_region(match language.as_str() {
        "sv" => "SE",
        "nb" | "nn" | "no" => "NO",
        "da" => "DK",
        "is" => "IS",
        "ja" => "JP",
        "zh" => "CN",
        "ko" => "KR",
        "ur" => "PK",
        "hi" => "IN",
        "ne" => "NP",
        "si" => "LK",
        "pl" => "PL",
        "cs" => "CZ",
        "hu" => "HU",
        "ro" => "RO",
        "ru" => "RU",
        "be" => "BY",
        "uk" => "UA",
        "tr" => "TR",
        "th" => "TH",
        "vi" => "VN",
        "he" => "IL",
        "fi" | "et" | "lv" | "lt" | "sk" | "sl" | "el" | "de" | "it" | "nl" | "hr" => "DE",
        _ => return None,
    })
}

/// The decimal separator a locale uses; `None` where its language does not decide.
#[must_use]
pub fn decimal_separator(locale: &str) -> Option<char> {
    let mut parts = locale.split(['-', '_', '.', '@']);
    let language = parts.next()?.to_ascii_lowercase();
    let region = parts.find(|p| p.len() == 2).map(str::to_ascii_uppercase);
    Some(match (language.as_str(), region.as_deref()) {
        (_, Some("CH" | "LI")) | ("es", Some("MX" | "US" | "GT" | "DO" | "PR" | "PA" | "PE")) => {
            '.'
        }
        ("en", Some("ZA")) => ',',
        (
            "en" | "ja" | "zh" | "ko" | "th" | "he" | "hi" | "ur" | "bn" | "ta" | "si" | "ne"
            | "ms",
            _,
        ) => '.',
        (
            "de" | "fr" | "es" | "it" | "nl" | "pt" | "pl" | "cs" | "sk" | "sl" | "hr" | "sr"
            | "bs" | "hu" | "ro" | "bg" | "ru" | "uk" | "be" | "el" | "tr" | "fi" | "sv" | "nb"
            | "nn" | "no" | "da" | "is" | "et" | "lv" | "lt" | "id" | "vi" | "kk" | "az" | "ca"
            | "mk",
            _,
        ) => ',',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let chars: Vec<char> = text.chars().collect();
        marks(&chars)
            .iter()
            .map(|m| chars[m.start..m.end].iter().collect())
            .collect()
    }

    #[test]
    fn codes_are_sorted_and_known() {
        assert!(CODES.is_sorted());
        for code in CODES.iter().chain(MARKS.iter().flat_map(|m| m.1)) {
            assert!(code.parse::<Currency>().is_ok() || *code == "LTL", "{code}");
        }
    }

    #[test]
    fn marks_as_written() {
        assert_eq!(found("12 руб. or 12 рублей"), ["руб.", "руб"]);
        assert_eq!(found("SGD$4.90"), ["SGD"]);
        assert_eq!(found("Rs1,599.00 RM50 9 Kč 5 р."), ["Rs", "RM", "Kč", "р."]);
        assert_eq!(found("ALL NEW TOP R kr"), [] as [&str; 0]);
        assert_eq!(found("19,95 eur 5 Eur"), ["eur", "Eur"]);
        assert_eq!(found("karakter price Frame"), [] as [&str; 0]);
    }

    #[test]
    fn locales() {
        assert_eq!(of_locale("en-CA").map(|c| c.code()), Some("CAD"));
        assert_eq!(of_locale("sv").map(|c| c.code()), Some("SEK"));
        assert_eq!(of_locale("en"), None);
        assert_eq!(decimal_separator("de-CH"), Some('.'));
        assert_eq!(decimal_separator("de"), Some(','));
    }
}
