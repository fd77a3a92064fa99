//! For how many and how long a licence runs: `3-user`, `5 devices`, `1 year`, `12 months`.

/// More mentions than any title has.
const MAX: usize = 4;

/// What a title says of its licence.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Licence {
    seats: Vec<u32>,
    months: Vec<u32>,
    /// Where it is said, in bytes.
    pub spans: Vec<(usize, usize)>,
}

/// What two licences say of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// One of them says nothing.
    Unknown,
    /// The same as far as both say.
    Same,
    /// Other seats or another term.
    Other,
}

impl Licence {
    /// Reads a folded title.
    pub(super) fn read(folded: &str) -> Self {
        let mut out = Self::default();
        let mut before: Option<(u32, usize, usize)> = None;
        for (start, word) in pieces(folded) {
            let end = start + word.len();
            let count = before
                .take()
                .filter(|(_, _, at)| matches!(&folded[*at..start], "" | " " | "-" | " - "));
            if let Some(n) = number(word) {
                before = Some((n, start, end));
                continue;
            }
            if let Some((n, from, _)) = count {
                let (list, n) = if is_seat(word) {
                    (&mut out.seats, n)
                } else if let Some(months) = months(word) {
                    (&mut out.months, n * months)
                } else {
                    continue;
                };
                if list.len() < MAX {
                    list.push(n);
                    out.spans.push((from, end));
                }
            }
        }
        out
    }

    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Compares two licences.
    pub(super) fn relation(&self, other: &Self) -> Relation {
        let of = |a: &[u32], b: &[u32]| {
            if a.is_empty() || b.is_empty() {
                Relation::Unknown
            } else if a.iter().any(|n| b.contains(n)) {
                Relation::Same
            } else {
                Relation::Other
            }
        };
        match (
            of(&self.seats, &other.seats),
            of(&self.months, &other.months),
        ) {
            (Relation::Other, _) | (_, Relation::Other) => Relation::Other,
            (Relation::Same, _) | (_, Relation::Same) => Relation::Same,
            _ => Relation::Unknown,
        }
    }
}

/// Runs of digits and runs of letters, with where they start.
fn pieces(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let kind = |c: char| {
        if c.is_ascii_digit() {
            1
        } else {
            u8::from(c.is_alphabetic()) * 2
        }
    };
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(first) = text[at..].chars().next() {
            let start = at;
            let rest = &text[start..];
            let length = rest.find(|c| kind(c) != kind(first)).unwrap_or(rest.len());
            at += length;
            if kind(first) > 0 {
                return Some((start, &rest[..length]));
            }
        }
        None
    })
}

/// A count below a thousand, in digits or as one word.
fn number(word: &str) -> Option<u32> {
    match word {
        "single" => Some(1),
        _ if word.len() <= 3 => word.parse().ok().filter(|n| *n > 0),
        _ => None,
    }
}

fn is_seat(word: &str) -> bool {
    matches!(
        word,
        "user"
            | "users"
            | "device"
            | "devices"
            | "pc"
            | "pcs"
            | "mac"
            | "macs"
            | "computer"
            | "computers"
            | "seat"
            | "seats"
            | "license"
            | "licenses"
            | "licence"
            | "licences"
            | "cal"
            | "cals"
            | "client"
            | "clients"
            | "workstation"
            | "workstations"
            | "installation"
            | "installations"
            | "gerat"
            | "gerate"
            | "benutzer"
            | "nutzer"
            | "lizenz"
            | "lizenzen"
            | "poste"
            | "postes"
            | "utilisateur"
            | "utilisateurs"
            | "appareil"
            | "appareils"
            | "utente"
            | "utenti"
            | "dispositivo"
            | "dispositivi"
            | "dispositivos"
            | "usuario"
            | "usuarios"
            | "gebruiker"
            | "gebruikers"
            | "apparaten"
            | "urzadzenie"
            | "urzadzenia"
            | "urzadzen"
            | "stanowisko"
            | "stanowiska"
            | "stanowisk"
            | "uredaj"
            | "uredaja"
            | "korisnik"
            | "korisnika"
    )
}

/// How many months a word for a time is.
fn months(word: &str) -> Option<u32> {
    Some(match word {
        "month" | "months" | "monat" | "monate" | "mois" | "mese" | "mesi" | "mes" | "meses"
        | "maand" | "maanden" | "miesiac" | "miesiace" | "miesiecy" | "mjesec" | "mjeseci"
        | "mjeseca" => 1,
        "year" | "years" | "yr" | "yrs" | "jahr" | "jahre" | "an" | "ans" | "anno" | "anni"
        | "ano" | "anos" | "jaar" | "jaren" | "rok" | "lata" | "lat" | "godina" | "godine" => 12,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_and_terms_are_read_however_they_are_written() {
        let of = |a: &str, b: &str| Licence::read(a).relation(&Licence::read(b));
        for (a, b, expected) in [
            (
                "norton 3-user 1 year",
                "norton 3 pcs 12 months",
                Relation::Same,
            ),
            ("norton 3 user", "norton 1user", Relation::Other),
            (
                "norton 1 year 3 devices",
                "norton 2yr 3 device",
                Relation::Other,
            ),
            ("norton single user", "norton 1 pc", Relation::Same),
            ("norton 2008 user", "norton 3 user", Relation::Unknown),
            ("norton", "norton 3 user", Relation::Unknown),
            ("eset 1 anno 1 pc", "eset 2 anni 1 pc", Relation::Other),
        ] {
            assert_eq!(of(a, b), expected, "{a} / {b}");
        }
    }
}
