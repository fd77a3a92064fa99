//! How far a shop is and what the way there and back costs.

use crate::model::{Money, Place};
use rust_decimal::Decimal;

/// The mean radius of the earth in kilometres (IUGG: (2a + b) / 3 of GRS 80).
const EARTH_KM: f64 = 6_371.008_8;

/// Kilometres between two places along a great circle (haversine formula, Sinnott 1984).
/// A road is longer.
#[must_use]
pub fn distance_km(a: Place, b: Place) -> f64 {
    let (from, to) = (a.latitude().to_radians(), b.latitude().to_radians());
    let across = (b.longitude() - a.longitude()).to_radians();
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let h = half(to - from) + from.cos() * to.cos() * half(across);
    2.0 * EARTH_KM * h.clamp(0.0, 1.0).sqrt().asin()
}

/// What the way there and back costs at a rate for one kilometre.
#[must_use]
pub fn trip_cost(km: f64, per_km: Money) -> Option<Money> {
    let km = Decimal::from_f64_retain(km)?.round_dp(3);
    let amount = km.checked_mul(Decimal::TWO)?.checked_mul(per_km.amount)?;
    Some(Money::new(amount, per_km.currency).rounded())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        text.parse().expect("a place")
    }

    #[test]
    fn known_distances() {
        // One degree along a meridian is a 360th of the circumference.
        let degree = 2.0 * std::f64::consts::PI * EARTH_KM / 360.0;
        let north = distance_km(place("45,16"), place("46,16"));
        assert!((north - degree).abs() < 1e-6, "{north}");
        let round = distance_km(place("0,-179.5"), place("0,179.5"));
        assert!(
            (round - degree).abs() < 1e-6,
            "across the date line: {round}"
        );
        let poles = distance_km(place("90,0"), place("-90,0"));
        assert!((poles - 180.0 * degree).abs() < 1e-6, "{poles}");
        assert_eq!(distance_km(place("45,16"), place("45,16")), 0.0);
    }

    #[test]
    fn there_and_back() {
        let rate: Money = "0.30 EUR".parse().expect("money");
        let cost = trip_cost(5.0, rate).map(|m| m.to_string());
        assert_eq!(cost.as_deref(), Some("3.00 EUR"));
        assert_eq!(trip_cost(f64::NAN, rate), None);
    }
}
