//! Words with a known role in product names, folded, in several languages.
//!
//! None is needed for a match: they only tell that two otherwise similar names differ
//! in colour, edition or kind.

/// A colour's number; the same colour has one number in all languages.
pub(super) fn colour(word: &str) -> Option<u8> {
    Some(match word {
        "black" | "schwarz" | "schwarze" | "schwarzer" | "noir" | "noire" | "nero" | "negro"
        | "negra" | "zwart" | "crna" | "crni" | "crno" | "czarny" | "cerna" | "cerny" | "svart"
        | "sort" | "graphite" | "midnight" | "onyx" => 0,
        "white" | "weiss" | "weisse" | "weisser" | "blanc" | "blanche" | "bianco" | "blanco"
        | "blanca" | "wit" | "bijela" | "bijeli" | "bijelo" | "bialy" | "bila" | "bily" | "vit"
        | "hvid" | "ivory" => 1,
        "red" | "rot" | "rote" | "roter" | "rouge" | "rosso" | "rojo" | "roja" | "rood"
        | "crvena" | "crveni" | "crveno" | "czerwony" | "cervena" | "rod" | "burgundy"
        | "crimson" => 2,
        "blue" | "blau" | "blaue" | "blauer" | "bleu" | "bleue" | "blu" | "azul" | "blauw"
        | "plava" | "plavi" | "plavo" | "niebieski" | "modra" | "bla" | "navy" | "teal" => 3,
        "green" | "grun" | "grune" | "gruner" | "vert" | "verte" | "verde" | "groen" | "zelena"
        | "zeleni" | "zeleno" | "zielony" | "gron" => 4,
        "yellow" | "gelb" | "gelbe" | "jaune" | "giallo" | "amarillo" | "geel" | "zuta"
        | "zuti" | "zuto" | "zolty" | "zluta" | "gul" => 5,
        "pink" | "rosa" | "rose" | "roze" | "roza" | "magenta" => 6,
        "silver" | "silber" | "argent" | "argento" | "plata" | "zilver" | "srebrna" | "srebrno" => {
            7
        }
        "grey" | "gray" | "grau" | "graue" | "gris" | "grigio" | "grijs" | "siva" | "sivo"
        | "szary" | "gunmetal" | "charcoal" => 8,
        "gold" | "golden" | "doré" | "oro" | "zlatna" | "zlatno" | "champagne" => 9,
        "brown" | "braun" | "braune" | "marron" | "marrone" | "bruin" | "smeda" | "smede" => 10,
        "orange" | "naranja" | "arancione" | "oranje" | "narancasta" => 11,
        "purple" | "lila" | "violett" | "violet" | "viola" | "paars" | "ljubicasta"
        | "lavender" => 12,
        "beige" | "bez" | "cream" | "creme" => 13,
        "cyan" | "turquoise" => 14,
        "stainless" | "edelstahl" | "inox" => 15,
        _ => return None,
    })
}

/// Kinds of goods that belong to another product and carry its name.
pub(super) fn is_accessory(word: &str) -> bool {
    matches!(
        word,
        "case"
            | "cases"
            | "cover"
            | "covers"
            | "sleeve"
            | "skin"
            | "pouch"
            | "bag"
            | "holster"
            | "holder"
            | "mount"
            | "mounting"
            | "bracket"
            | "strap"
            | "charger"
            | "charging"
            | "adapter"
            | "adaptor"
            | "cable"
            | "battery"
            | "batteries"
            | "protector"
            | "screenprotector"
            | "cartridge"
            | "cartridges"
            | "toner"
            | "refill"
            | "replacement"
            | "compatible"
            | "cradle"
            | "tripod"
            | "headset"
            | "warranty"
            | "applecare"
            | "handbook"
            | "ladegerat"
            | "ladekabel"
            | "netzteil"
            | "hulle"
            | "schutzhulle"
            | "tasche"
            | "huelle"
            | "halterung"
            | "akku"
            | "ersatzakku"
            | "kabel"
            | "schutzfolie"
            | "folie"
            | "panzerglas"
            | "armband"
            | "ersatzteil"
            | "zubehor"
            | "koffer"
            | "beutel"
            | "staubsaugerbeutel"
            | "etui"
            | "housse"
            | "coque"
            | "chargeur"
            | "batterie"
            | "cavo"
            | "custodia"
            | "caricatore"
            | "batteria"
            | "funda"
            | "cargador"
            | "bateria"
            | "soporte"
            | "hoesje"
            | "oplader"
            | "accu"
            | "futrola"
            | "punjac"
            | "baterija"
            | "torbica"
            | "maskica"
            | "obal"
            | "pokrowiec"
            | "ladowarka"
    )
}

/// Prepositions that stand between an accessory and the product it is for.
pub(super) fn is_for(word: &str) -> bool {
    matches!(
        word,
        "for"
            | "fur"
            | "pour"
            | "per"
            | "para"
            | "voor"
            | "za"
            | "dla"
            | "pro"
            | "til"
            | "fits"
            | "compatible"
            | "passend"
    )
}

/// Words that turn the next one round: `non-organic`.
pub(super) fn is_not(word: &str) -> bool {
    matches!(
        word,
        "non" | "not" | "ohne" | "sans" | "senza" | "sin" | "bez" | "zonder" | "uten" | "utan"
    )
}

/// Words after which come things that are in the box too.
pub(super) fn is_with(word: &str) -> bool {
    matches!(
        word,
        "with"
            | "w"
            | "mit"
            | "avec"
            | "con"
            | "met"
            | "inkl"
            | "incl"
            | "including"
            | "includes"
            | "inklusive"
            | "plus"
            | "sa"
            | "med"
            | "z"
            | "s"
    )
}

/// Editions, versions and licences: two of them that differ are two products. Words of
/// one number mean the same.
pub(super) fn edition(word: &str) -> Option<u8> {
    Some(match word {
        "upgrade" | "upg" | "upgr" | "update" => 0,
        "academic" | "student" | "students" | "edu" | "education" | "educational" | "teacher"
        | "school" => 1,
        "professional" | "pro" => 2,
        "home" => 3,
        "premium" => 4,
        "standard" | "std" => 5,
        "deluxe" | "dlx" => 6,
        "ultimate" => 7,
        "enterprise" | "corporate" => 8,
        "mac" | "macintosh" | "macos" | "osx" => 9,
        "win" | "windows" | "pc" => 10,
        "oem" => 11,
        "refurbished" | "refurb" | "renewed" | "generaluberholt" | "gebraucht" | "used"
        | "reconditioned" => 12,
        "starter" | "basic" | "lite" | "essentials" | "elements" => 13,
        "mini" => 14,
        "max" => 15,
        "plus" => 16,
        "license" | "licence" | "lic" | "subscription" | "maintenance" => 17,
        "ultra" => 18,
        "server" => 19,
        "ps2" | "playstation2" => 20,
        "ps3" | "playstation3" => 21,
        "ps4" | "playstation4" => 22,
        "ps5" | "playstation5" => 23,
        "xbox" => 24,
        "wii" => 25,
        "nintendo" | "switch" => 26,
        "business" => 27,
        "light" | "leicht" | "diet" | "zero" => 28,
        "bio" | "organic" | "okologisch" | "biologique" | "ekoloski" => 29,
        "decaf" | "entkoffeiniert" | "decaffeinated" => 30,
        "left" | "links" => 31,
        "right" | "rechts" => 32,
        _ => return None,
    })
}

/// Editions that sellers seldom leave out; the others are often dropped from names.
pub(super) const TOLD_EDITIONS: u64 = {
    let weak = [
        2, 3, 4, 5, 9, 10, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27,
    ];
    let mut mask = u64::MAX;
    let mut i = 0;
    while i < weak.len() {
        mask &= !(1 << weak[i]);
        i += 1;
    }
    mask
};

/// Words that say who made a thing rather than what it is called: `Inc`, `GmbH`.
pub(super) fn is_company_form(word: &str) -> bool {
    matches!(
        word,
        "inc"
            | "incorporated"
            | "corp"
            | "corporation"
            | "co"
            | "company"
            | "ltd"
            | "limited"
            | "llc"
            | "gmbh"
            | "ag"
            | "kg"
            | "sa"
            | "srl"
            | "spa"
            | "bv"
            | "nv"
            | "ab"
            | "oy"
            | "as"
            | "doo"
            | "dd"
            | "sro"
            | "zoo"
            | "the"
            | "brewing"
            | "brewery"
            | "brauerei"
            | "bryggeri"
            | "brouwerij"
            | "brasserie"
            | "pivovar"
            | "technologies"
            | "technology"
            | "systems"
            | "electronics"
            | "software"
            | "products"
            | "international"
            | "group"
            | "usa"
            | "america"
            | "north"
    )
}
