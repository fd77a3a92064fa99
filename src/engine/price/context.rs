//! What a number beside a price means, from the words around it.

use super::Kind;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Words right before a number, lower case. A word ends at a letter boundary; entries
/// ending in `-` match the beginning of a word.
#[rustfmt::skip]
const BEFORE: &[(Kind, &[&str])] = &[
    (Kind::Threshold, &["over", "above", "orders of", "minimum", "min.", "mindest-", "bestellwert", "versandkostenfrei ab",
        "free shipping from", "free delivery from", "dès", "superior a", "superiores a", "acima de", "sopra", "oltre",
        "powyżej", "nad", "свыше", "fri frakt över", "gratis fragt over", "vanaf een bestelling van", "più di", "upwards of"]),
    (Kind::Shipping, &["shipping-", "delivery-", "postage", "p&p", "versand-", "lieferung-", "zzgl.", "porto", "livraison", "frais de port",
        "envío", "envio", "gastos de envío", "frete", "entrega", "spedizione", "consegna", "dostawa", "wysyłka", "przesyłka",
        "doručení", "doprava", "poštovné", "dostava", "доставка", "доставки", "fragt", "frakt", "levering", "leverans", "toimitus-",
        "verzend-", "bezorg-", "kargo", "szállítás-", "livrare", "transport", "送料", "配送", "deposit", "pfand", "statiegeld", "pant", "recycling fee", "dont éco-part", "éco-participation", "eco-participation", "éco-part", "recyklačný poplatok", "recyklační poplatek", "autorský poplatek", "contributo raee", "phe"]),
    (Kind::List, &["was", "were", "rrp", "msrp", "srp", "uvp", "uvp*", "statt", "instead of", "list price", "list", "regular price", "reg.", "reg",
        "original price", "originally", "orig.", "old price", "previously", "before", "compare at", "comparable value", "retail price", "retail", "rec. price", "recommended price",
        "prix conseillé", "prix public", "ancien prix", "au lieu de", "prix barré", "avant", "antes", "precio anterior", "antes de", "de:", "preço antigo", "pvpr", "pvp recomendado", "precio original",
        "prezzo di listino", "prezzo precedente", "listino", "anziché", "invece di", "cena regularna", "cena katalogowa", "najniższa cena", "poprzednia cena", "było", "zamiast",
        "běžná cena", "bežná cena", "původní cena", "pôvodná cena", "původně", "mpc", "doporučená cena", "odporúčaná cena", "eredeti ár", "preț vechi", "preț recomandat", "prp",
        "ordinarie pris", "ordinarie", "ord.", "ord", "tidigare pris", "tidligere", "normalpris", "førpris", "før", "veil.", "vejl.", "vejl", "adviesprijs", "van", "normaal", "was:", "norm.", "ovh",
        "staré cena", "stara cena", "stará cena", "redna cena", "redovna cijena", "prije", "старая цена", "цена без скидки", "было", "стара ціна", "стара цена", "παλιά τιμή", "αρχική τιμή", "eski fiyat", "ursprünglich", "bisher", "vorher", "regulär", "normalhind", "parastā cena", "定価", "市场价", "原价"]),
    (Kind::Discount, &["save", "you save", "saving", "savings", "spare", "sparen", "du sparst", "sie sparen", "ersparnis", "rabatt", "rabais", "économisez", "économie", "ahorra", "ahorras", "ahorro", "economize", "desconto", "descuento",
        "sconto", "risparmi", "risparmia", "oszczędzasz", "rabat", "zniżka", "ušetříte", "ušetríte", "sleva", "zľava", "kedvezmény", "megtakarítás", "reducere", "economisești", "скидка", "выгода", "экономия", "знижка", "spar", "besparing", "bespaar", "je bespaart", "korting", "säästä", "alennus", "popust", "ušteda", "uštedite", "έκπτωση", "indirim", "kazanç", "discount", "off", "coupon", "voucher", "cashback", "gutschein", "ポイント", "points", "bonus"]),
    (Kind::UpTo, &["up to", "bis zu", "bis", "jusqu'à", "hasta", "até", "fino a", "do", "až", "до", "tot", "op til", "upp till"]),
    (Kind::From, &["from", "starting at", "starts at", "as low as", "ab", "schon ab", "à partir de", "a partir de", "desde", "a partire da", "da", "vanaf", "od", "już od", "от", "від", "от:", "fra", "från", "alkaen", "alk.", "από", "already from", "από:", "de la", "начиная с", "min", "最低", "starting from", "prices from"]),
    (Kind::Instalment, &["payments of", "instalments of", "installments of", "raten à", "raten zu", "raten von", "monatlich", "rate", "raty", "rata", "cuotas de", "parcelas de", "vezes de", "mensualités de", "fois", "monthly", "per month", "pay", "splátka", "splátky", "в рассрочку", "рассрочка", "kuukausierä", "delbetal", "afbetaling", "klarna", "afterpay", "finanzierung ab", "leasing", "měsíčně", "mesačne", "taksit"]),
    (Kind::Net, &["bez dph", "bez dph:", "cena bez dph", "excl. vat", "ex vat", "ex. vat", "excl. tax", "netto", "nettopreis", "ohne mwst.", "ohne mwst", "hors taxe", "ht", "sin iva", "iva escluso", "iva esclusa", "excl. btw", "bez vat", "bez pdv", "bez pdv-a", "fără tva", "eks. mva", "ekskl. moms", "exkl. moms", "alv 0%", "без ндс", "без пдв", "χωρίς φπα", "χωρίς φ.π.α", "kdv hariç", "nettó", "税抜"]),
    (Kind::Unit, &["grundpreis", "grundpreis:", "unit price", "price per unit", "prix au kilo", "prix unitaire", "precio por unidad", "cena za kg", "cena jednotkowa", "jämförpris", "jfr-pris", "jmf-pris", "vertailuhinta", "prezzo al kg", "stückpreis", "enhedspris", "kilopris", "literpris", "cena za jednotku", "jednotková cena", "egységár", "kilohinta"]),
];

/// Words right after a number and its currency.
#[rustfmt::skip]
const AFTER: &[(Kind, &[&str])] = &[
    (Kind::Periodic, &["/mo", "/month", "/mth", "per month", "a month", "pro monat", "/monat", "/mon.", "monatlich", "im monat", "mtl.", "par mois", "/mois", "al mes", "/mes", "por mês", "/mês", "al mese", "/mese",
        "miesięcznie", "/mies", "měsíčně", "/měsíc", "mesačne", "/mesiac", "в месяц", "/мес", "/міс", "på måned", "pr. md", "/md", "/mnd", "per maand", "/maand", "p/m", "/mån", "per månad", "kr/mån", "/kk", "kuukaudessa", "/hó", "havonta", "/lună", "pe lună", "/ay", "aylık",
        "/year", "/yr", "per year", "a year", "pro jahr", "/jahr", "par an", "/an", "al año", "/año", "/week", "per week", "/wk", "per day", "/day", "pro tag", "/tag", "/night", "per night"]),
    (Kind::Unit, &["/kg", "/ kg", "/ 1 kg", "/1 kg", "/1kg", "per kg", "pro kg", "je kg", "/kilo", "par kg", "al kg", "il kg", "/100", "/ 100", "per 100", "pro 100", "je 100", "/l", "/ l", "/1 l", "/ 1 l", "per liter", "per litre", "pro liter", "je liter", "/liter", "/litre", "al litro", "/ml", "/ 10 ml",
        "/g", "/ g", "/m", "/ m", "/m²", "/m2", "/ m²", "/ m2", "/sqft", "/sq", "per m", "pro m", "per sq", "/oz", "/ oz", "per oz", "/fl", "/lb", "per lb", "/ct", "/count", "/count)", "pro kilogramm", "je kilogramm", "/кг", "за кг", "/л", "/100г", "za kg", "za 1 kg", "za 100", "za liter", "za litr", "kr/kg", "kr/l", "/dose", "/wash", "/tab", "par litre", "/egység"]),
    (Kind::Discount, &["off", "rabatt", "de réduction", "discount", "de descuento", "di sconto", "sparen", "gespart", "taniej", "sleva", "скидка", "кэшбэк", "бонус", "баллов", "korting", "cashback"]),
    (Kind::Shipping, &["shipping", "delivery", "versand", "versandkosten", "de frais de port", "livraison", "postage", "frakt", "fragt", "per zending", "verzendkosten", "pfand", "deposit", "statiegeld", "d'éco-part", "d'eco-part", "éco-part", "eco-part", "recycling fee", "eco fee", "eco-fee", "raee", "recyklač", "de raee"]),
    (Kind::Net, &["bez dph", "excl. vat", "excl vat", "ex vat", "ex. vat", "+ vat", "excl. tax", "ex gst", "+ gst", "netto", "ohne mwst", "zzgl. mwst", "exkl. mwst", "hors taxe", "ht", "h.t.", "sin iva", "+ iva", "iva escl", "+ iva", "excl. btw", "ex. btw", "bez vat", "bez pdv", "fără tva", "+ tva", "eks. mva", "ekskl. moms", "ex moms", "exkl. moms", "alv 0", "без ндс", "без пдв", "χωρίς φπα", "+ kdv", "+ áfa", "税抜"]),
    (Kind::From, &["起", "から", "~", "+", "and up", "alkaen", "itibaren", "-tól", "-től"]),
    (Kind::List, &["uvp", "rrp", "msrp", "statt"]),
];

const FREE: &[&str] = &[
    "free",
    "gratis",
    "kostenlos",
    "gratuit",
    "gratuito",
    "grátis",
    "бесплатно",
    "zdarma",
    "zadarmo",
    "za darmo",
    "ilmainen",
    "tasuta",
    "besplatno",
    "ücretsiz",
    "δωρεάν",
    "無料",
    "免费",
    "무료",
    "безкоштовно",
    "ingyenes",
];

/// What the words beside a number say. `before` ends where the number (with its
/// currency) begins, `after` begins where it ends; both in lower case.
#[must_use]
pub fn kind(before: &str, after: &str) -> Kind {
    let after = after.trim_start();
    // `9.99 / kg`
    let joined = after
        .strip_prefix('/')
        .filter(|rest| rest.starts_with(' '))
        .map(|rest| format!("/{}", rest.trim_start()));
    let after = joined.as_deref().unwrap_or(after);
    let tables = &*TABLES;
    // Of the kinds in [`AFTER`], the first one listed.
    let follows = after
        .chars()
        .next()
        .and_then(|first| tables.after.get(&first))
        .and_then(|entries| entries.iter().find(|(_, w)| begins_with_word(after, w)));
    if let Some((
        kind @ (Kind::Periodic | Kind::Net | Kind::Unit | Kind::Discount | Kind::Shipping),
        _,
    )) = follows
    {
        return *kind;
    }
    let before =
        before.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '*' | '(' | '|'));
    let precedes = before
        .chars()
        .next_back()
        .and_then(|last| tables.before.get(&last))
        .into_iter()
        .flatten()
        .filter(|(_, w)| ends_with_word(before, w))
        .chain(tables.stems.iter().filter(|(_, w)| has_stem(before, w)))
        .max_by_key(|(kind, w)| (*kind == Kind::Threshold, w.len()));
    match (precedes, follows) {
        (Some((kind, _)), _) | (None, Some((kind, _))) => *kind,
        (None, None) => Kind::Price,
    }
}

/// Whether a short text speaks of a reduction.
#[must_use]
pub fn names_discount(text: &str) -> bool {
    let lower = text.to_lowercase();
    BEFORE
        .iter()
        .chain(AFTER)
        .filter(|(kind, _)| *kind == Kind::Discount)
        .flat_map(|(_, words)| words.iter())
        .any(|w| w.len() > 2 && lower.contains(w))
}

/// Whether the text says nothing but "free".
#[must_use]
pub fn is_free(text: &str) -> bool {
    let word = text
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase();
    FREE.contains(&word.as_str())
}

fn begins_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| {
        // "éco-part." and "éco-participation" are one.
        let stem = word.ends_with("part") || word.ends_with("recyklač");
        let joined =
            !stem && word.ends_with(char::is_alphanumeric) && rest.starts_with(char::is_alphabetic);
        !joined
    })
}

/// Whether one of the last words of `text` begins with `stem`.
fn has_stem(text: &str, stem: &str) -> bool {
    text.rsplit(|c: char| !c.is_alphanumeric())
        .take(3)
        .any(|w| w.starts_with(stem))
}

/// Whether the last words of `text` are `word`.
fn ends_with_word(text: &str, word: &str) -> bool {
    text.strip_suffix(word).is_some_and(|rest| {
        !(word.starts_with(char::is_alphanumeric) && rest.ends_with(char::is_alphabetic))
    })
}

type Entries = Vec<(Kind, &'static str)>;

/// [`BEFORE`] by last and [`AFTER`] by first letter: a page has thousands of numbers.
struct Tables {
    before: HashMap<char, Entries>,
    stems: Entries,
    after: HashMap<char, Entries>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables = Tables {
        before: HashMap::new(),
        stems: Vec::new(),
        after: HashMap::new(),
    };
    for (kind, word) in pairs(BEFORE) {
        if let Some(stem) = word.strip_suffix('-') {
            tables.stems.push((kind, stem));
        } else if let Some(last) = word.chars().next_back() {
            tables.before.entry(last).or_default().push((kind, word));
        }
    }
    for (kind, word) in pairs(AFTER) {
        if let Some(first) = word.chars().next() {
            tables.after.entry(first).or_default().push((kind, word));
        }
    }
    tables
});

fn pairs(
    table: &'static [(Kind, &'static [&'static str])],
) -> impl Iterator<Item = (Kind, &'static str)> {
    table
        .iter()
        .flat_map(|(kind, words)| words.iter().map(|w| (*kind, *w)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_give_the_kind() {
        assert_eq!(kind("free shipping over ", ""), Kind::Threshold);
        assert_eq!(kind("statt ", ""), Kind::List);
        assert_eq!(kind("", "/month for 12 months"), Kind::Periodic);
        assert_eq!(kind("", " / kg"), Kind::Unit);
        assert_eq!(kind("vanaf ", ""), Kind::From);
        assert_eq!(kind("you save: ", ""), Kind::Discount);
        assert_eq!(kind("versandkosten ", ""), Kind::Shipping);
        assert_eq!(kind("our price ", " incl. vat"), Kind::Price);
        assert_eq!(kind("grab ", " mobile"), Kind::Price);
    }

    #[test]
    fn free_alone() {
        assert!(is_free("Free!") && is_free("  GRATIS "));
        assert!(!is_free("free shipping"));
    }
}
