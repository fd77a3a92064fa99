//! Availability and condition, from vocabulary values and from what shops write.

use crate::model::{Availability, Condition};
use regex::Regex;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

/// Reads a value of schema.org's or Google's vocabulary, however it is written.
#[must_use]
pub fn from_value(value: &str) -> Option<Availability> {
    let word: String = value
        .trim()
        .trim_end_matches('/')
        .rsplit(['/', '#', ':'])
        .next()?
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    Some(match word.as_str() {
        "instock" | "instoreonly" | "onlineonly" | "available" | "availablenow" | "true"
        | "yes" | "1" | "ja" | "instockonline" | "isavailable" | "availablefororder" | "1000" => {
            Availability::InStock
        }
        "limitedavailability" | "limited" | "lowstock" | "limitedstock" => {
            Availability::LimitedAvailability
        }
        "preorder" | "presale" | "comingsoon" => Availability::PreOrder,
        "backorder" | "madetoorder" | "backordered" | "availableforbackorder" | "onorder" => {
            Availability::BackOrder
        }
        "outofstock" | "soldout" | "oos" | "false" | "no" | "0" | "unavailable"
        | "notavailable" | "notinstock" | "nostock" | "outofstockonline" => {
            Availability::OutOfStock
        }
        "discontinued" | "nolongeravailable" | "endoflife" => Availability::Discontinued,
        _ => return from_text(value),
    })
}

/// Phrases by meaning; the longest phrase found decides, so that "not in stock" is not
/// read as "in stock".
#[rustfmt::skip]
const PHRASES: &[(Availability, &[&str])] = &[
    (Availability::OutOfStock, &[
        "out of stock", "out-of-stock", "sold out", "not in stock", "currently unavailable", "temporarily unavailable", "not available", "no longer in stock", "cannot be purchased", "cannot be ordered", "not available for purchase", "kann nicht bestellt werden", "kann nicht gekauft werden", "nelze koupit", "nie je možné kúpiť", "nie je možné produkt kúpiť", "není možné zakoupit", "nie można kupić", "ne peut pas être commandé", "no se puede comprar", "nem vásárolható", "kan niet worden besteld", "kan ikke købes", "går inte att köpa", "купить нельзя", "unavailable", "notify me when", "email me when available", "no stock", "0 in stock", "is unavailable", "currently out of",
        "ausverkauft", "nicht verfügbar", "nicht lieferbar", "derzeit nicht lieferbar", "nicht auf lager", "nicht vorrätig", "momentan nicht verfügbar", "vergriffen", "zur zeit nicht lieferbar", "leider nicht verfügbar",
        "rupture de stock", "en rupture", "épuisé", "indisponible", "non disponible", "victime de son succès", "plus disponible",
        "agotado", "sin stock", "no disponible", "fuera de stock", "sin existencias", "esgotado", "indisponível", "sem estoque", "fora de estoque", "sem stock",
        "esaurito", "non disponibile", "terminato", "niet op voorraad", "uitverkocht", "niet leverbaar", "niet beschikbaar", "tijdelijk uitverkocht",
        "wyprzedane", "niedostępny", "niedostępna", "produkt niedostępny", "brak w magazynie", "brak towaru", "chwilowo niedostępny",
        "vyprodáno", "není skladem", "nedostupné", "momentálně nedostupné", "vypredané", "nie je na sklade", "nie je skladom", "momentálne nedostupné", "nedostupný", "predaj ukončený", "prodej ukončen",
        "elfogyott", "nincs raktáron", "nem rendelhető", "stoc epuizat", "indisponibil", "nu este în stoc", "stoc 0", "lipsă stoc",
        "slutsåld", "slut i lager", "ej i lager", "inte i lager", "finns ej i lager", "utsolgt", "ikke på lager", "udsolgt", "ikke tilgængelig",
        "loppunut", "ei varastossa", "ei saatavilla", "läbi müüdud", "otsas", "nav pieejams", "nav noliktavā", "izpārdots", "išparduota", "neturime",
        "нет в наличии", "нет на складе", "распродано", "товар закончился", "немає в наявності", "немає", "изчерпан", "няма наличност", "нет в продаже",
        "εξαντλήθηκε", "εξαντλημένο", "μη διαθέσιμο", "tükendi", "stokta yok", "stokta bulunmuyor", "rasprodano", "nedostupno", "nije dostupno", "nema na zalihi", "nema na stanju", "ni na zalogi", "razprodano",
        "在庫切れ", "在庫なし", "売り切れ", "品切れ", "缺货", "售罄", "已售完", "補貨中", "품절", "일시품절", "hết hàng", "สินค้าหมด", "habis", "stok habis", "غير متوفر", "نفذت الكمية", "ناموجود", "אזל מהמלאי", "לא במלאי",
    ]),
    (Availability::InStock, &[
        "in stock", "available now", "in-stock", "ready to ship", "ships today", "available to order", "available online", "available for delivery", "usually dispatched", "add to cart", "add to bag", "add to basket", "buy now",
        "auf lager", "sofort lieferbar", "lieferbar", "verfügbar", "vorrätig", "sofort verfügbar", "ab lager", "in den warenkorb",
        "en stock", "disponible", "expédié sous", "ajouter au panier", "disponible en ligne", "en existencia", "añadir al carrito", "agregar al carrito", "añadir a la cesta", "hay stock", "em estoque", "disponível", "em stock", "adicionar ao carrinho", "comprar",
        "disponibile", "in magazzino", "disponibilità immediata", "aggiungi al carrello", "op voorraad", "direct leverbaar", "leverbaar", "in winkelwagen", "in winkelmand", "voor 23:59 besteld",
        "w magazynie", "na stanie", "dostępny", "dostępna", "produkt dostępny", "do koszyka", "dodaj do koszyka", "skladem", "na skladě", "do košíku", "na sklade", "skladom", "do košíka", "ihned k odeslání",
        "raktáron", "készleten", "kosárba", "în stoc", "in stoc", "adaugă în coș", "disponibil", "i lager", "finns i lager", "på lager", "lägg i varukorg", "köp", "legg i handlekurv", "læg i kurv", "varastossa", "heti saatavilla", "lisää ostoskoriin", "lisa ostukorvi", "laos", "ir noliktavā", "pieejams", "ielikt grozā", "turime", "į krepšelį",
        "в наличии", "есть в наличии", "на складе", "есть на складе", "в корзину", "добавить в корзину", "є в наявності", "в наявності", "в кошик", "в наличност", "на склад",
        "άμεσα διαθέσιμο", "διαθέσιμο", "σε απόθεμα", "προσθήκη στο καλάθι", "stokta", "stokta var", "sepete ekle", "na zalihi", "dostupno", "na stanju", "dodaj u košaricu", "u košaricu", "dodaj u korpu", "na zalogi", "v košarico",
        "在庫あり", "カートに入れる", "有货", "现货", "加入购物车", "加入購物車", "立即購買", "재고 있음", "장바구니", "còn hàng", "thêm vào giỏ hàng", "มีสินค้า", "tersedia", "متوفر", "أضف إلى السلة", "موجود", "במלאי", "הוסף לסל",
    ]),
    (Availability::LimitedAvailability, &["low stock", "only 1 left", "only 2 left", "only 3 left", "last items", "few left", "limited stock", "nur noch", "wenige verfügbar", "dernières pièces", "derniers exemplaires", "últimas unidades", "ultimi pezzi", "ostatnie sztuki", "poslední kusy", "posledné kusy", "få kvar", "få på lager", "laatste stuks", "viimeiset kappaleet", "мало", "残りわずか"]),
    (Availability::PreOrder, &["pre-order", "preorder", "pre order", "vorbestellen", "vorbestellbar", "précommande", "précommander", "preventa", "pré-venda", "preordina", "przedsprzedaż", "předobjednávka", "predobjednávka", "forudbestil", "förhandsboka", "ennakkotilaa", "предзаказ", "coming soon", "予約"]),
    (Availability::BackOrder, &["backorder", "back-order", "back order", "auf bestellung", "sur commande", "bajo pedido", "sob encomenda", "su ordinazione", "na zamówienie", "na objednávku", "beställningsvara", "bestillingsvare", "tilaustuote", "под заказ", "під замовлення", "rendelésre", "op bestelling", "nachbestellt", "取り寄せ"]),
    (Availability::Discontinued, &["discontinued", "no longer available", "no longer sold", "no longer for sale", "nicht mehr verfügbar", "nicht mehr lieferbar", "artikel ist nicht mehr", "n'est plus disponible", "ya no está disponible", "descatalogado", "não está mais disponível", "fuori produzione", "non più disponibile", "niet meer leverbaar", "produkcja zakończona", "wycofany", "utgått", "utgår", "udgået", "снят с производства", "poistunut", "販売終了"]),
];

/// All phrases in one automaton, the longest first, with their meanings.
static MATCHER: LazyLock<(Option<Regex>, HashMap<&'static str, Availability>)> =
    LazyLock::new(|| {
        let mut meanings = HashMap::new();
        for (availability, phrases) in PHRASES {
            for phrase in *phrases {
                meanings.insert(*phrase, *availability);
            }
        }
        let mut all: Vec<&str> = meanings.keys().copied().collect();
        all.sort_by_key(|p| (std::cmp::Reverse(p.len()), *p));
        let pattern: Vec<String> = all.iter().map(|p| regex::escape(p)).collect();
        (Regex::new(&pattern.join("|")).ok(), meanings)
    });

/// Reads a short text beside the buy button. `None` where it says nothing. Of several
/// phrases the longest decides.
#[must_use]
pub fn from_text(text: &str) -> Option<Availability> {
    longest_phrase(&text.to_lowercase()).map(|(availability, _)| availability)
}

/// As [`from_text`], for a text that nothing marks as a statement of stock: most of it
/// has to be the phrase.
#[must_use]
pub fn from_plain_text(text: &str) -> Option<Availability> {
    let lower = text.trim().to_lowercase();
    longest_phrase(&lower)
        .filter(|(_, length)| length * 2 >= lower.len())
        .map(|(availability, _)| availability)
}

fn longest_phrase(lower: &str) -> Option<(Availability, usize)> {
    let (matcher, meanings) = &*MATCHER;
    let found = matcher
        .as_ref()?
        .find_iter(lower)
        .filter(|found| stands_alone(lower, found.range()))
        .max_by_key(|found| found.len())?;
    Some((*meanings.get(found.as_str())?, found.len()))
}

/// Whether a phrase is not part of a longer word. Scripts without spaces between words
/// have no edges to check.
fn stands_alone(text: &str, range: Range<usize>) -> bool {
    let spaced = |c: char| c.is_alphanumeric() && (c as u32) < 0x2E80;
    let joins = |a: Option<char>, b: Option<char>| a.is_some_and(spaced) && b.is_some_and(spaced);
    let phrase = &text[range.clone()];
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    !joins(before, phrase.chars().next()) && !joins(phrase.chars().next_back(), after)
}

/// Reads a condition value.
#[must_use]
pub fn condition(value: &str) -> Option<Condition> {
    let word: String = value
        .rsplit(['/', '#'])
        .next()?
        .chars()
        .filter(|c| c.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect();
    Some(match word.as_str() {
        "newcondition" | "new" | "neu" | "neuf" | "nuevo" | "nuovo" | "nowy" | "nieuw" | "ny"
        | "novo" | "новый" | "brandnew" => Condition::New,
        "usedcondition" | "used" | "gebraucht" | "occasion" | "usado" | "usato" | "używany"
        | "tweedehands" | "preowned" => Condition::Used,
        "refurbishedcondition"
        | "refurbished"
        | "renewed"
        | "reconditionné"
        | "generalüberholt" => Condition::Refurbished,
        "damagedcondition" | "damaged" => Condition::Damaged,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vocabulary_and_its_misspellings() {
        for (value, expected) in [
            ("https://schema.org/InStock", Availability::InStock),
            ("http://schema.org/OutOfStock/", Availability::OutOfStock),
            ("in stock", Availability::InStock),
            ("out_of_stock", Availability::OutOfStock),
            ("schema:PreOrder", Availability::PreOrder),
            ("SoldOut", Availability::OutOfStock),
            ("Skladem", Availability::InStock),
        ] {
            assert_eq!(from_value(value), Some(expected), "{value}");
        }
        assert_eq!(from_value("https://schema.org/"), None);
    }

    #[test]
    fn longer_phrases_win() {
        assert_eq!(
            from_text("Derzeit nicht lieferbar"),
            Some(Availability::OutOfStock)
        );
        assert_eq!(
            from_text("Only 2 left in stock"),
            Some(Availability::LimitedAvailability)
        );
        assert_eq!(from_text("Není skladem"), Some(Availability::OutOfStock));
        assert_eq!(from_text("Нет в наличии"), Some(Availability::OutOfStock));
        assert_eq!(from_text("Red shoe, stockings"), None);
    }

    #[test]
    fn conditions() {
        assert_eq!(
            condition("https://schema.org/UsedCondition"),
            Some(Condition::Used)
        );
        assert_eq!(condition("new"), Some(Condition::New));
        assert_eq!(condition("blue"), None);
    }
}
