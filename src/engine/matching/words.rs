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
        "gold" | "golden" | "dore" | "oro" | "zlatna" | "zlatno" | "champagne" => 9,
        "brown" | "braun" | "braune" | "marron" | "marrone" | "bruin" | "smeda" | "smede" => 10,
        "orange" | "naranja" | "arancione" | "oranje" | "narancasta" => 11,
        "purple" | "lila" | "violett" | "violet" | "viola" | "paars" | "ljubicasta"
        | "lavender" => 12,
        "beige" | "cream" | "creme" => 13,
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
            | "filter"
            | "filters"
            | "hose"
            | "ladestation"
            | "fernbedienung"
            | "schlauch"
            | "wassertank"
            | "scherkopf"
            | "klinge"
            | "klingen"
            | "patrone"
            | "patronen"
            | "tintenpatrone"
            | "filtre"
            | "filtri"
            | "filtro"
            | "cartouche"
            | "telecommande"
            | "sangle"
            | "bracelet"
            | "telecomando"
            | "pellicola"
            | "cinturino"
            | "cartuccia"
            | "correa"
            | "cartucho"
            | "kabl"
            | "zastitno"
            | "daljinski"
            | "remen"
            | "narukvica"
            | "szklo"
            | "pasek"
            | "tusz"
            | "wklad"
            | "temperato"
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
        "non"
            | "not"
            | "no"
            | "without"
            | "ohne"
            | "sans"
            | "senza"
            | "sin"
            | "sem"
            | "bez"
            | "brez"
            | "zonder"
            | "uten"
            | "uden"
            | "utan"
            | "fara"
            | "без"
            | "χωρις"
    )
}

/// Words that say that the product has none of what follows.
pub(super) fn is_without(word: &str) -> bool {
    is_not(word) && !matches!(word, "non" | "not" | "no")
}

/// Words that join others and name nothing, too short to tell by their length.
pub(super) fn is_particle(word: &str) -> bool {
    is_for(word)
        || is_with(word)
        || is_not(word)
        || matches!(
            word,
            "a" | "i"
                | "e"
                | "o"
                | "u"
                | "y"
                | "l"
                | "d"
                | "an"
                | "at"
                | "by"
                | "in"
                | "of"
                | "on"
                | "or"
                | "to"
                | "am"
                | "im"
                | "um"
                | "zu"
                | "de"
                | "du"
                | "la"
                | "le"
                | "et"
                | "en"
                | "au"
                | "di"
                | "da"
                | "al"
                | "il"
                | "lo"
                | "un"
                | "el"
                | "do"
                | "na"
                | "ze"
                | "we"
                | "od"
                | "iz"
                | "op"
                | "te"
                | "og"
                | "av"
                | "nr"
                | "no"
                | "st"
                | "vs"
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

/// What a word names where several words name the same: a colour, an edition.
pub(super) fn role(word: &str) -> Option<u8> {
    colour(word).map(|c| 64 + c).or_else(|| edition(word))
}

/// Editions, versions and licences: two of them that differ are two products. Words of
/// one number mean the same.
pub(super) fn edition(word: &str) -> Option<u8> {
    Some(match word {
        "upgrade" | "upg" | "upgr" | "update" | "crossgrade" => 0,
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
        "refurbished" | "refurb" | "renewed" | "used" | "reconditioned" | "recertified"
        | "generaluberholt" | "gebraucht" | "gebrauchte" | "gebrauchter" | "reconditionne"
        | "reconditionnee" | "occasion" | "ricondizionato" | "ricondizionata" | "usato"
        | "usata" | "reacondicionado" | "reacondicionada" | "rabljeno" | "rabljen" | "rabljena"
        | "obnovljen" | "uzywany" | "uzywana" | "odnowiony" | "tweedehands" | "pouzite" => 12,
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
        "light" | "leicht" | "diet" | "zero" | "weniger" | "less" | "reduced" => 28,
        "bio" | "organic" | "okologisch" | "biologique" | "biologico" | "biologica"
        | "biologisch" | "biologische" | "ecologico" | "ecologica" | "ekoloski" | "ekolosko"
        | "ekologiczny" | "ekologiczne" | "eko" | "oko" => 29,
        "decaf" | "entkoffeiniert" | "decaffeinated" => 30,
        "left" | "links" | "linke" | "gauche" | "sinistro" | "sinistra" | "izquierdo"
        | "izquierda" | "lijevi" | "lijeva" | "lijevo" | "lewy" | "lewa" | "lewe" => 31,
        "right" | "rechts" | "rechte" | "droit" | "droite" | "destro" | "destra" | "derecho"
        | "derecha" | "desni" | "desna" | "desno" | "prawy" | "prawa" | "prawe" => 32,
        "front" | "vorne" | "avant" | "anteriore" | "delantero" | "prednji" | "przedni" => 33,
        "rear" | "hinten" | "arriere" | "posteriore" | "trasero" | "straznji" | "tylny" => 34,
        "whole" | "vollmilch" | "entier" | "intero" | "entera" | "punomasno" => 35,
        "semi" | "demi" | "halbfett" | "parzialmente" | "semidesnatada" => 36,
        "skimmed" | "skim" | "ecreme" | "scremato" | "desnatada" | "magermilch" | "obrano" => 37,
        "salted" | "gesalzen" | "gesalzene" | "sale" | "salato" | "salati" | "slani" | "slano"
        | "solony" | "solone" => 38,
        "unsalted" | "ungesalzen" | "ungesalzene" | "neslani" | "neslano" | "niesolone" => 39,
        "english" | "englisch" | "anglais" | "inglese" | "ingles" | "engleski" => 40,
        "german" | "deutsch" | "allemand" | "tedesco" | "aleman" | "njemacki" => 41,
        "french" | "franzosisch" | "francais" | "francese" | "frances" | "francuski" => 42,
        "italian" | "italienisch" | "italien" | "italiano" | "talijanski" | "wloski" => 43,
        "spanish" | "spanisch" | "espagnol" | "spagnolo" | "espanol" | "spanjolski" => 44,
        "body" | "gehause" | "boitier" | "kuciste" => 45,
        "kit" | "bundle" | "combo" => 46,
        "parfum" | "edp" => 47,
        "toilette" | "edt" => 48,
        "men" | "mens" | "homme" | "herren" | "uomo" | "hombre" => 49,
        "women" | "womens" | "femme" | "damen" | "donna" | "mujer" => 50,
        "dvd" => 51,
        "bluray" => 52,
        "paperback" | "taschenbuch" => 53,
        "platinum" => 55,
        "gold" => 56,
        "express" => 57,
        "advanced" => 58,
        "preferred" => 59,
        "expansion" | "addon" => 60,
        "collector" | "collectors" => 61,
        "aged" | "reserve" | "reserva" | "riserva" => 62,
        "hardcover" | "hardback" | "gebunden" => 54,
        _ => return None,
    })
}

/// Free of something, and what has it: `laktosefrei`, `sugarfree`, `bez šećera`.
pub(super) const FREE: u8 = 63;

/// Whether the word says that something is left out.
pub(super) fn is_free(word: &str) -> bool {
    const ENDINGS: [&str; 9] = [
        "frei", "freie", "freier", "freies", "free", "loos", "vrij", "fri", "mentes",
    ];
    const PREFIXES: [&str; 2] = ["bez", "brez"];
    // Others begin so, too: `bezug`.
    const LACKED: [&str; 9] = [
        "alko", "cukr", "cukier", "glut", "kof", "lakt", "lepk", "mlec", "secer",
    ];
    let lacked = |rest: &str| LACKED.iter().any(|stem| rest.starts_with(stem));
    let ends = |ending: &&str| word.strip_suffix(*ending).is_some_and(can_lack);
    let begins = |prefix: &&str| word.strip_prefix(*prefix).is_some_and(lacked);
    ENDINGS.iter().any(ends) || PREFIXES.iter().any(begins)
}

/// Whether `stem` with `free` after it says another variant: sugar does, a SIM lock or the
/// shipping does not.
pub(super) fn can_lack(stem: &str) -> bool {
    stem.len() >= 3
        && !matches!(
            stem,
            "sim"
                | "bpa"
                | "hands"
                | "tax"
                | "duty"
                | "smoke"
                | "shipping"
                | "versandkosten"
                | "porto"
                | "hassle"
                | "stress"
                | "cable"
                | "wire"
        )
}

/// Editions that say where software runs.
pub(super) const PLATFORMS: u64 = mask(&[9, 10, 20, 21, 22, 23, 24, 25, 26]);

/// Editions that say in which language.
pub(super) const LANGUAGES: u64 = mask(&[40, 41, 42, 43, 44]);

const fn mask(editions: &[u8]) -> u64 {
    let (mut mask, mut i) = (0, 0);
    while i < editions.len() {
        mask |= 1 << editions[i];
        i += 1;
    }
    mask
}

/// Editions that sellers seldom leave out; the others are often dropped from names.
pub(super) const TOLD_EDITIONS: u64 = {
    let weak = [
        2, 3, 4, 5, 9, 10, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 33, 34, 35, 38, 40, 41, 42,
        43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
    ];
    !mask(&weak)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fold::fold;

    #[test]
    fn words_stand_folded_in_the_lists() {
        // Others would never be found.
        let lists = include_str!("words.rs").split("#[cfg(test)]").next();
        let lines = lists.unwrap_or_default().lines();
        let code = lines.filter(|l| !l.trim_start().starts_with("//"));
        for line in code {
            for word in line.split('"').skip(1).step_by(2) {
                assert_eq!(fold(word, 40), word);
            }
        }
    }

    #[test]
    fn what_is_left_out_is_read_in_many_languages() {
        for word in [
            "laktosefrei",
            "sugarfree",
            "suikervrij",
            "alcoholvrij",
            "sukkerfri",
            "cukormentes",
            "bezalkoholno",
            "bezglutenowy",
            "bezlaktozovy",
            "bezlepkove",
            "brezglutenski",
        ] {
            assert!(is_free(word), "{word}");
        }
        for word in ["bezug", "free", "fri", "taxfree", "brezel", "bez"] {
            assert!(!is_free(word), "{word}");
        }
        assert!(is_without("без") && is_without(&fold("fără", 9)) && !is_without("non"));
    }
}
