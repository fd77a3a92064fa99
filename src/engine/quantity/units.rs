//! Names of units in the languages of shops, folded (see [`crate::engine::fold`]).

use super::Unit;
use rust_decimal::Decimal;

/// A unit as written: what it measures and how many base units it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Written {
    pub unit: Unit,
    pub factor: Decimal,
}

/// The unit a word stands for. Inch, pound, ounce and gallon are the international and
/// US customary ones (NIST Handbook 44, appendix C).
pub(super) fn unit(word: &str) -> Option<Written> {
    let d = |n: i64, scale: u32| Decimal::new(n, scale);
    let (unit, factor) = match word {
        "g" | "gr" | "gm" | "gms" | "gram" | "grams" | "gramm" | "grama" | "gramma" | "grammes"
        | "gramme" | "grammi" | "gramos" | "gramas" | "г" | "гр" | "γρ" | "γραμμαρια" => {
            (Unit::Gram, d(1, 0))
        }
        "kg" | "kgs" | "kilo" | "kilos" | "kilogram" | "kilograms" | "kilogramm" | "kila"
        | "кг" | "κιλο" | "κιλα" => (Unit::Gram, d(1000, 0)),
        "dag" | "dkg" | "deka" => (Unit::Gram, d(10, 0)),
        "hg" => (Unit::Gram, d(100, 0)),
        "mg" | "мг" => (Unit::Gram, d(1, 3)),
        "lb" | "lbs" | "pound" | "pounds" => (Unit::Gram, d(45_359_237, 5)),
        "oz" | "ounce" | "ounces" | "onz" => (Unit::Gram, d(28_349_523_125, 9)),
        "ml" | "mls" | "millilitre" | "milliliter" | "mililitara" | "мл" | "cc" => {
            (Unit::Millilitre, d(1, 0))
        }
        "cl" => (Unit::Millilitre, d(10, 0)),
        "dl" => (Unit::Millilitre, d(100, 0)),
        "l" | "lt" | "ltr" | "ltrs" | "lit" | "liter" | "liters" | "litre" | "litres" | "litr"
        | "litra" | "litre's" | "litara" | "litar" | "litro" | "litros" | "litri" | "litru"
        | "litry" | "л" | "литр" | "литра" | "λιτρα" | "λιτρο" => {
            (Unit::Millilitre, d(1000, 0))
        }
        "hl" => (Unit::Millilitre, d(100_000, 0)),
        "floz" => (Unit::Millilitre, d(295_735_295_625, 10)),
        "gal" | "gallon" | "gallons" => (Unit::Millilitre, d(3_785_411_784, 6)),
        "pint" | "pints" => (Unit::Millilitre, d(473_176_473, 6)),
        "qt" | "quart" | "quarts" => (Unit::Millilitre, d(946_352_946, 6)),
        "m" | "mtr" | "mtrs" | "meter" | "meters" | "metre" | "metres" | "metara" | "metri"
        | "metros" | "metrow" | "м" => (Unit::Metre, d(1, 0)),
        "cm" | "см" => (Unit::Metre, d(1, 2)),
        "mm" | "мм" => (Unit::Metre, d(1, 3)),
        "\"" | "'" | "in" | "inch" | "inches" | "zoll" | "pouces" | "pulgadas" | "pollici"
        | "palcu" | "cala" => (Unit::Metre, d(254, 4)),
        "ft" | "feet" | "foot" => (Unit::Metre, d(3048, 4)),
        "m2" | "qm" | "sqm" => (Unit::SquareMetre, d(1, 0)),
        "gb" | "gbyte" | "gigabyte" | "гб" => (Unit::Gigabyte, d(1, 0)),
        "tb" | "terabyte" | "тб" => (Unit::Gigabyte, d(1000, 0)),
        "mb" | "megabyte" | "мб" => (Unit::Gigabyte, d(1, 3)),
        "w" | "watt" | "watts" | "watta" | "вт" => (Unit::Watt, d(1, 0)),
        "kw" | "квт" => (Unit::Watt, d(1000, 0)),
        "wh" => (Unit::WattHour, d(1, 0)),
        "kwh" => (Unit::WattHour, d(1000, 0)),
        "mah" | "мач" => (Unit::MilliampereHour, d(1, 0)),
        "ah" => (Unit::MilliampereHour, d(1000, 0)),
        "v" | "volt" | "volts" => (Unit::Volt, d(1, 0)),
        "hz" => (Unit::Megahertz, d(1, 6)),
        "khz" => (Unit::Megahertz, d(1, 3)),
        "mhz" => (Unit::Megahertz, d(1, 0)),
        "ghz" => (Unit::Megahertz, d(1000, 0)),
        "mp" | "megapixel" | "megapixels" | "mpix" => (Unit::Megapixel, d(1, 0)),
        _ if is_piece(word) => (Unit::Piece, d(1, 0)),
        _ => return None,
    };
    Some(Written { unit, factor })
}

/// Words that count things.
fn is_piece(word: &str) -> bool {
    matches!(
        word,
        // English
        "pc" | "pcs" | "pce" | "piece" | "pieces" | "ct" | "count" | "cnt" | "ea" | "units"
        | "unit" | "rolls" | "sheets" | "wipes" | "tablets" | "tabs" | "tab" | "caps"
        | "capsules" | "bags" | "sachets" | "pads" | "pods" | "pairs" | "pair" | "eggs"
        | "sticks" | "teabags" | "bottles" | "cans" | "boxes"
        // German
        | "stk" | "stck" | "stuck" | "st" | "rollen" | "rolle" | "blatt" | "tabletten" | "kapseln"
        | "beutel" | "paar" | "teebeutel" | "tucher" | "eier" | "flaschen" | "dosen"
        | "filet" | "filets" | "scheiben" | "portion" | "portionen"
        // South and West Slavic
        | "kom" | "komad" | "komada" | "komade" | "komadi" | "tbl" | "tabl" | "tableta"
        | "tablete" | "kapsula" | "kapsule" | "kapsulas" | "kps" | "vrecica" | "vrecice" | "filtera"
        | "listica" | "listova" | "rola" | "role" | "par" | "para" | "pari" | "maramica"
        | "ks" | "kus" | "kusu" | "kusy" | "szt" | "sztuk" | "sztuki" | "tabletek" | "kos"
        | "kosov" | "jaja" | "list" | "listi" | "listic" | "vrec" | "bocica" | "bocice"
        // Romance
        | "piezas" | "pza" | "pzas" | "uds" | "ud" | "unidades" | "unidad" | "un" | "comprimidos"
        | "capsulas" | "rollos" | "pz" | "pezzi" | "pezzo" | "compresse" | "capsule" | "rotoli"
        | "pieces'" | "unites" | "comprimes" | "gelules" | "rouleaux" | "dosettes"
        | "buc" | "bucati"
        // Dutch, Nordic, Finnish, Hungarian, Turkish, Greek, Cyrillic
        | "stuks" | "stuk" | "stycken" | "styck" | "stykker" | "kpl" | "db" | "darab" | "adet"
        | "τεμ" | "τεμαχια" | "шт" | "бр" | "таб"
    )
}

/// Words for a wash load: a count of uses, said beside a mass or volume or alone.
pub(super) fn is_wash_load(word: &str) -> bool {
    matches!(
        word,
        "wl" | "pr"
            | "pranja"
            | "pranje"
            | "waschladungen"
            | "washes"
            | "loads"
            | "wasbeurten"
            | "lavaggi"
            | "lavados"
            | "lavages"
            | "pran"
            | "pracich"
            | "davek"
    )
}

/// Words that with a number say how many articles are sold together.
pub(super) fn is_pack(word: &str) -> bool {
    matches!(
        word,
        "pack"
            | "packs"
            | "pk"
            | "packung"
            | "pak"
            | "pakiranje"
            | "pakovanje"
            | "pakkaus"
            | "paket"
            | "set"
            | "tray"
            | "kasten"
            | "kiste"
            | "multipack"
            | "bundle"
            | "case"
            | "lot"
            | "confezione"
            | "paquet"
            | "bal"
            | "box"
    )
}

/// Packaging materials that are written onto a unit without a space: `1,5lPET`.
pub(super) fn without_packaging(word: &str) -> Option<&str> {
    const MATERIALS: [&str; 12] = [
        "tetra", "brick", "brik", "staklo", "limenka", "lim", "pet", "can", "dose", "glas", "boca",
        "doy",
    ];
    MATERIALS.iter().find_map(|m| word.strip_suffix(m))
}

/// Bags are named by what they hold: `40 l` on them is a size, not a content.
pub(super) fn is_bag(word: &str) -> bool {
    [
        "vrec",
        "bags",
        "mullbeutel",
        "mullsack",
        "abfallsack",
        "abfallbeutel",
        "garbage",
        "trash",
        "poubelle",
        "bolsas",
        "sacchi",
        "gefrierbeutel",
        "ruksak",
        "rucksack",
        "backpack",
        "rugzak",
        "zaino",
    ]
    .iter()
    .any(|stem| word.starts_with(stem))
}

/// Words found in the names of telephones and routers and not in those of food or medicine:
/// a tablet is also swallowed.
pub(super) fn is_electronic(word: &str) -> bool {
    matches!(
        word,
        "gb" | "tb"
            | "mah"
            | "mp"
            | "ghz"
            | "lte"
            | "wifi"
            | "wlan"
            | "phone"
            | "smartphone"
            | "iphone"
            | "handy"
            | "mobile"
            | "cellular"
            | "android"
            | "ipad"
            | "router"
            | "modem"
            | "hotspot"
            | "unlocked"
            | "telefon"
            | "telephone"
            | "telefono"
            | "telefoon"
            | "mobitel"
            | "smartfon"
            | "смартфон"
    )
}

/// Words for something given on top.
pub(super) fn is_free(word: &str) -> bool {
    matches!(
        word,
        "gratis" | "grat" | "gr" | "free" | "geschenkt" | "offert" | "offerts" | "zdarma"
    )
}
