//! Wants: what the person wishes to buy or have.

use super::time::{Date, Timestamp};
use super::{Condition, Gtin, Id, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// The two kinds of list: a wish waits and matures, a shopping item is to be bought now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WantKind {
    /// On a wish list.
    #[default]
    Wish,
    /// On a shopping list.
    Shopping,
}

/// Where a want stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WantStatus {
    /// Looked for.
    #[default]
    Open,
    /// Kept but not looked for until `snoozed_until`.
    Snoozed,
    /// Bought or had.
    Fulfilled,
    /// Given up.
    Dropped,
}

/// Something the person wants. The limit and the intensity never leave the vault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Want {
    /// Its id.
    pub id: Id,
    /// What it is, in the person's words or from the page.
    pub name: String,
    /// Wish or shopping item.
    pub kind: WantKind,
    /// The list it is on.
    pub list: String,
    /// The GTIN, where known.
    pub gtin: Option<Gtin>,
    /// The brand, where known.
    pub brand: Option<String>,
    /// The maker's part number, where known.
    pub mpn: Option<String>,
    /// Pages the person gave: read at every crawl, and believed to be it.
    #[serde(default)]
    pub urls: Vec<String>,
    /// Pages found by searching shops: read at every crawl, and judged each time.
    #[serde(default)]
    pub found: Vec<String>,
    /// How many.
    pub quantity: u32,
    /// The most the person would pay for one, delivery included. Private.
    pub limit: Option<Money>,
    /// When it is needed.
    pub need_by: Option<Date>,
    /// Conditions an offer must meet.
    #[serde(default)]
    pub must: Vec<Requirement>,
    /// Conditions that are worth something.
    #[serde(default)]
    pub prefer: Vec<Preference>,
    /// How strongly it is wanted, 0 to 100. Private.
    pub intensity: u8,
    /// Where it stands.
    #[serde(default)]
    pub status: WantStatus,
    /// Not looked for before this time.
    #[serde(default)]
    pub snoozed_until: Option<Timestamp>,
    /// When it was added.
    pub added: Timestamp,
    /// Free notes.
    #[serde(default)]
    pub note: Option<String>,
}

/// Whether two names of lists are one, whatever the letters' case.
#[must_use]
pub fn same_list(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

impl Want {
    /// A wish with defaults: one piece, on list `wishes`, intensity 50.
    #[must_use]
    pub fn new(name: impl Into<String>, added: Timestamp) -> Self {
        Self {
            id: Id::new(),
            name: name.into(),
            kind: WantKind::Wish,
            list: "wishes".to_owned(),
            gtin: None,
            brand: None,
            mpn: None,
            urls: Vec::new(),
            found: Vec::new(),
            quantity: 1,
            limit: None,
            need_by: None,
            must: Vec::new(),
            prefer: Vec::new(),
            intensity: 50,
            status: WantStatus::Open,
            snoozed_until: None,
            added,
            note: None,
        }
    }

    /// The name, with how many are wanted if not one: what the amounts beside it are for.
    #[must_use]
    pub fn counted(&self) -> String {
        match self.quantity {
            0 | 1 => self.name.clone(),
            n => format!("{n} x {}", self.name),
        }
    }

    /// Whether it is on the list of this name, whatever the letters' case.
    #[must_use]
    pub fn is_on(&self, list: &str) -> bool {
        same_list(&self.list, list)
    }

    /// Whether its barcode is all that is known of it.
    #[must_use]
    pub fn is_only_number(&self) -> bool {
        self.gtin.is_some() && self.name.parse().ok() == self.gtin
    }

    /// Whether both name the same thing as the person put it: a page, a barcode or the name.
    #[must_use]
    pub fn is_again(&self, other: &Self) -> bool {
        let page = other.urls.iter().any(|url| self.urls.contains(url));
        let barcode = self.gtin.is_some() && self.gtin == other.gtin;
        page || barcode || self.name.to_lowercase() == other.name.to_lowercase()
    }
}

/// One condition on an offer, written `FIELD OP VALUE`: `brand=Bosch`,
/// `condition=new`, `delivery<=3`, `distance<=20`, `seller!=acme.example`.
#[derive(Clone, Debug, PartialEq)]
pub enum Requirement {
    /// The brand is this one.
    Brand(String),
    /// The brand is not this one.
    NotBrand(String),
    /// The condition is one of these.
    Condition(Vec<Condition>),
    /// It arrives within so many days.
    DeliveryDays(u32),
    /// It can be fetched within so many kilometres.
    DistanceKm(u32),
    /// The shop is this domain.
    Seller(String),
    /// The shop is not this domain.
    NotSeller(String),
    /// The name contains this word.
    Contains(String),
    /// The name does not contain this word.
    NotContains(String),
    /// It can be had now.
    InStock,
}

/// Why a condition cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a condition; write for example brand=Bosch, brand!=Acme, condition=new, condition=new|refurbished, delivery<=3, distance<=20, seller!=shop.example, name~red, name!~case or stock=yes"
)]
pub struct RequirementError(pub String);

impl FromStr for Requirement {
    type Err = RequirementError;
    fn from_str(s: &str) -> Result<Self, RequirementError> {
        let error = || RequirementError(s.to_owned());
        let start = s.find(['=', '<', '!', '~']).ok_or_else(error)?;
        let (field, rest) = s.split_at(start);
        let value_start = rest
            .find(|c: char| !matches!(c, '=' | '<' | '!' | '~'))
            .ok_or_else(error)?;
        let (op, value) = rest.split_at(value_start);
        let value = value.trim();
        // Written without the space before it, a sign would join the operator.
        if value.is_empty() || value.starts_with(['=', '<', '!', '~']) {
            return Err(error());
        }
        let text = || value.to_owned();
        let number = || value.parse::<u32>().map_err(|_| error());
        match (field.trim().to_ascii_lowercase().as_str(), op) {
            ("brand", "=") => Ok(Self::Brand(text())),
            ("brand", "!=") => Ok(Self::NotBrand(text())),
            ("condition", "=") => value
                .split('|')
                .map(|c| match c.trim().to_ascii_lowercase().as_str() {
                    "new" => Ok(Condition::New),
                    "used" => Ok(Condition::Used),
                    "refurbished" => Ok(Condition::Refurbished),
                    "damaged" => Ok(Condition::Damaged),
                    _ => Err(error()),
                })
                .collect::<Result<_, _>>()
                .map(Self::Condition),
            ("delivery", "<=") => number().map(Self::DeliveryDays),
            ("distance", "<=") => number().map(Self::DistanceKm),
            ("seller", "=") => Ok(Self::Seller(value.to_ascii_lowercase())),
            ("seller", "!=") => Ok(Self::NotSeller(value.to_ascii_lowercase())),
            ("name", "~") => Ok(Self::Contains(text())),
            ("name", "!~") => Ok(Self::NotContains(text())),
            ("stock", "=") if value.eq_ignore_ascii_case("yes") => Ok(Self::InStock),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brand(v) => write!(f, "brand={v}"),
            Self::NotBrand(v) => write!(f, "brand!={v}"),
            Self::Condition(list) => {
                f.write_str("condition=")?;
                for (i, c) in list.iter().enumerate() {
                    let sep = if i == 0 { "" } else { "|" };
                    write!(f, "{sep}{}", format!("{c:?}").to_ascii_lowercase())?;
                }
                Ok(())
            }
            Self::DeliveryDays(n) => write!(f, "delivery<={n}"),
            Self::DistanceKm(n) => write!(f, "distance<={n}"),
            Self::Seller(v) => write!(f, "seller={v}"),
            Self::NotSeller(v) => write!(f, "seller!={v}"),
            Self::Contains(v) => write!(f, "name~{v}"),
            Self::NotContains(v) => write!(f, "name!~{v}"),
            Self::InStock => f.write_str("stock=yes"),
        }
    }
}

impl Serialize for Requirement {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Requirement {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// A soft criterion with its worth in money: what the person would pay more for an
/// offer that meets it. Written `CONDITION:AMOUNT`, such as `brand=Bosch:15`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preference {
    /// The condition.
    pub requirement: Requirement,
    /// What meeting it is worth, in the person's home currency. Private.
    pub worth: Decimal,
}

/// The most that meeting a preference can be worth.
const MAX_WORTH: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Why a preference cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreferenceError {
    /// The condition.
    #[error(transparent)]
    Requirement(#[from] RequirementError),
    /// What it is worth.
    #[error(
        "`{0}` does not say what it is worth; write a condition and an amount above 0, for example delivery<=2:4.50"
    )]
    Worth(String),
}

impl Preference {
    /// Takes it if it is worth something, and not more than anybody would pay.
    ///
    /// # Errors
    /// [`PreferenceError::Worth`]
    pub fn checked(self) -> Result<Self, PreferenceError> {
        if self.worth > Decimal::ZERO && self.worth <= MAX_WORTH {
            Ok(self)
        } else {
            let text = format!("{}:{}", self.requirement, self.worth);
            Err(PreferenceError::Worth(text))
        }
    }
}

impl FromStr for Preference {
    type Err = PreferenceError;
    fn from_str(s: &str) -> Result<Self, PreferenceError> {
        let unsaid = || PreferenceError::Worth(s.to_owned());
        let (requirement, worth) = s.rsplit_once(':').ok_or_else(unsaid)?;
        let worth = worth.trim().parse().map_err(|_| unsaid())?;
        let requirement = requirement.parse()?;
        Self { requirement, worth }.checked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn conditions_round_trip() {
        for text in [
            "brand=Bosch",
            "brand!=Acme",
            "condition=new|refurbished",
            "delivery<=3",
            "distance<=20",
            "seller!=shop.example",
            "name~red",
            "name!~case",
            "stock=yes",
        ] {
            let r: Requirement = text.parse().expect(text);
            assert_eq!(r.to_string(), text);
        }
        for bad in [
            "",
            "brand",
            "brand=",
            "colour=red",
            "delivery<=soon",
            "condition=shiny",
            "brand= =Acme",
            "name!~ ~x",
        ] {
            assert!(bad.parse::<Requirement>().is_err(), "{bad}");
        }
    }

    proptest! {
        /// Conditions are kept as text: what was read must be readable again.
        #[test]
        fn what_is_written_is_read_again(text in "(brand|condition|seller|name|delivery)[=<!~ ]{1,4}[=<!~ :|0-9new]{0,9}") {
            if let Ok(read) = text.parse::<Requirement>() {
                prop_assert_eq!(read.to_string().parse(), Ok(read));
            }
        }
    }

    #[test]
    fn a_preference_has_a_worth() {
        let p: Preference = "delivery<=2:4.50".parse().expect("preference");
        assert_eq!(p.requirement, Requirement::DeliveryDays(2));
        assert_eq!(p.worth, Decimal::new(450, 2));
        for bad in [
            "brand=Bosch",
            "brand=Bosch:-5",
            "brand=Bosch:0",
            "brand=Bosch:NaN",
            "brand=Bosch:99999999999",
        ] {
            let error = bad.parse::<Preference>().expect_err(bad).to_string();
            assert!(error.contains("an amount above 0"), "{error}");
        }
        let error = "shiny:5".parse::<Preference>().expect_err("no condition");
        assert!(error.to_string().contains("is not a condition"), "{error}");
    }
}
