//! Whether an offer meets a condition: yes, no and by how much, or nobody says.

use super::want::Candidate;
use crate::engine::locale::count;
use crate::model::offer::{Availability, Condition};
use crate::model::want::Requirement;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// It does.
    Met,
    /// It does not.
    Unmet {
        /// What the offer has.
        value: String,
        /// By how much it misses, for conditions that have a measure.
        excess: Option<u32>,
    },
    /// Nobody says. Never a rejection.
    Unknown,
}

/// Whether `candidate` meets `requirement`.
#[must_use]
pub fn check(requirement: &Requirement, candidate: &Candidate<'_>) -> Check {
    let offer = candidate.offer;
    let name = offer.name.as_deref();
    match requirement {
        Requirement::Brand(b) => {
            brand(b, candidate).map_or(Check::Unknown, |(is, value)| met(is, &value))
        }
        Requirement::NotBrand(b) => {
            brand(b, candidate).map_or(Check::Unknown, |(is, value)| met(!is, &value))
        }
        Requirement::Condition(any) => match offer.condition {
            Condition::Unknown => Check::Unknown,
            c => met(any.contains(&c), &format!("{c:?}").to_lowercase()),
        },
        Requirement::DeliveryDays(most) => delivery_within(*most, candidate),
        Requirement::DistanceKm(most) => {
            at_most(candidate.distance_km, *most, |n| format!("{n} km"))
        }
        Requirement::Seller(domain) => met(is_shop(candidate.shop, domain), candidate.shop),
        Requirement::NotSeller(domain) => met(!is_shop(candidate.shop, domain), candidate.shop),
        Requirement::Contains(word) => {
            name.map_or(Check::Unknown, |n| met(contains_words(n, word), n))
        }
        Requirement::NotContains(word) => {
            name.map_or(Check::Unknown, |n| met(!contains_words(n, word), n))
        }
        Requirement::InStock => match offer.availability {
            Availability::Unknown => Check::Unknown,
            a => met(a.is_available(), stock_words(a)),
        },
    }
}

/// What it means to meet a condition, after "it" or a shop's name.
#[must_use]
pub fn phrase(requirement: &Requirement) -> String {
    match requirement {
        Requirement::Brand(b) => format!("is made by {b}"),
        Requirement::NotBrand(b) => format!("is not made by {b}"),
        Requirement::Condition(any) => {
            let words: Vec<String> = any
                .iter()
                .map(|c| format!("{c:?}").to_lowercase())
                .collect();
            format!("is {}", words.join(" or "))
        }
        Requirement::DeliveryDays(n) => format!("arrives within {}", count(*n as usize, "day")),
        Requirement::DistanceKm(n) => format!("is within {n} km"),
        Requirement::Seller(d) => format!("is sold by {d}"),
        Requirement::NotSeller(d) => format!("is not sold by {d}"),
        Requirement::Contains(w) => format!("has \u{201c}{w}\u{201d} in its name"),
        Requirement::NotContains(w) => format!("has no \u{201c}{w}\u{201d} in its name"),
        Requirement::InStock => "is in stock".to_owned(),
    }
}

pub(super) const fn stock_words(a: Availability) -> &'static str {
    match a {
        Availability::InStock => "in stock",
        Availability::LimitedAvailability => "few left",
        Availability::PreOrder => "for pre-order",
        Availability::BackOrder => "on back order",
        Availability::OutOfStock => "out of stock",
        Availability::Discontinued => "discontinued",
        Availability::Unknown => "stock unknown",
    }
}

/// Whether it arrives within `most` days. A shop's usual days say nothing about goods
/// it does not have.
pub(super) fn delivery_within(most: u32, candidate: &Candidate<'_>) -> Check {
    let said = candidate.offer.shipping.as_ref();
    let least = said.and_then(|s| s.min_days);
    match (candidate.delivery_days(), least) {
        (None, Some(least)) if least > most => {
            at_most(Some(least), most, |n| format!("{n} days or more"))
        }
        (days, _) => at_most(days, most, |n| count(n as usize, "day")),
    }
}

fn met(yes: bool, value: &str) -> Check {
    if yes {
        Check::Met
    } else {
        Check::Unmet {
            value: value.to_owned(),
            excess: None,
        }
    }
}

fn at_most(value: Option<u32>, most: u32, words: impl Fn(u32) -> String) -> Check {
    match value {
        None => Check::Unknown,
        Some(v) if v <= most => Check::Met,
        Some(v) => Check::Unmet {
            value: words(v),
            excess: Some(v - most),
        },
    }
}

/// Whether the brand is `wanted`, and the words it was read from. A name that has the
/// brand in it says so; one that has not says nothing.
fn brand(wanted: &str, candidate: &Candidate<'_>) -> Option<(bool, String)> {
    if let Some(b) = &candidate.offer.brand {
        let (have, want) = (words(b), words(wanted));
        return Some((!want.is_empty() && have.starts_with(&want), b.clone()));
    }
    let name = candidate.offer.name.as_ref()?;
    contains_words(name, wanted).then(|| (true, name.clone()))
}

fn is_shop(shop: &str, domain: &str) -> bool {
    let bare = |s: &str| {
        let s = s.trim().to_lowercase();
        s.strip_prefix("www.").map(str::to_owned).unwrap_or(s)
    };
    bare(shop) == bare(domain)
}

/// Lower-case runs of letters and digits.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn contains_words(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (words(text), words(wanted));
    !wanted.is_empty() && text.windows(wanted.len()).any(|w| w == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Offer;
    use crate::model::landed::LandedCost;
    use crate::model::offer::Shipping;

    fn ask(text: &str, change: impl FnOnce(&mut Offer)) -> Check {
        let mut offer = Offer::default();
        change(&mut offer);
        let landed = LandedCost {
            currency: crate::model::Currency::EUR,
            terms: vec![],
        };
        let candidate = Candidate {
            id: "a",
            offer: &offer,
            landed: Ok(&landed),
            shop: "www.shop.example",
            shop_days: None,
            distance_km: Some(25),
            age_days: None,
        };
        check(&text.parse().expect("requirement"), &candidate)
    }

    #[test]
    fn what_nobody_says_is_unknown() {
        for text in [
            "brand=Bosch",
            "condition=new",
            "delivery<=3",
            "name~red",
            "stock=yes",
        ] {
            assert_eq!(ask(text, |_| {}), Check::Unknown, "{text}");
        }
    }

    #[test]
    fn brands_are_words_not_letters() {
        let brand = |b: &str| {
            let b = b.to_owned();
            move |o: &mut Offer| o.brand = Some(b)
        };
        assert_eq!(ask("brand=bosch", brand("BOSCH Professional")), Check::Met);
        assert!(matches!(
            ask("brand=Bo", brand("Bosch")),
            Check::Unmet { .. }
        ));
        assert!(matches!(
            ask("brand!=Bosch", brand("Bosch")),
            Check::Unmet { .. }
        ));
        let named = |o: &mut Offer| o.name = Some("Bosch drill GSR 12".to_owned());
        assert_eq!(ask("brand=Bosch", named), Check::Met);
        assert_eq!(ask("brand=Makita", named), Check::Unknown);
        assert_eq!(ask("name~gsr 12", named), Check::Met);
        assert!(matches!(ask("name!~drill", named), Check::Unmet { .. }));
    }

    #[test]
    fn measures_say_by_how_much_they_are_missed() {
        let days = |min, max| {
            move |o: &mut Offer| {
                o.shipping = Some(Shipping {
                    min_days: min,
                    max_days: max,
                    ..Shipping::default()
                });
            }
        };
        assert_eq!(ask("delivery<=3", days(Some(1), Some(3))), Check::Met);
        assert_eq!(ask("delivery<=3", days(Some(1), None)), Check::Unknown);
        let late = |excess| Check::Unmet {
            value: format!("{} days", 3 + excess),
            excess: Some(excess),
        };
        assert_eq!(ask("delivery<=3", days(None, Some(5))), late(2));
        assert!(matches!(
            ask("delivery<=3", days(Some(7), None)),
            Check::Unmet {
                excess: Some(4),
                ..
            }
        ));
        assert!(matches!(
            ask("distance<=20", |_| {}),
            Check::Unmet {
                excess: Some(5),
                ..
            }
        ));
        assert_eq!(ask("seller=shop.example", |_| {}), Check::Met);
    }
}
