//! A point on the earth, as people copy it from a map: `45.8131,15.9772`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// Latitude and longitude in degrees (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    latitude: f64,
    longitude: f64,
}

/// Why a text is no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a place such as 45.8131,15.9772 (latitude, longitude)")]
pub struct PlaceError(pub String);

impl Place {
    /// A point; `None` outside of the globe or where a number is none.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let on_globe = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        on_globe.then_some(Self {
            latitude,
            longitude,
        })
    }

    /// Degrees north.
    #[must_use]
    pub const fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east.
    #[must_use]
    pub const fn longitude(&self) -> f64 {
        self.longitude
    }
}

impl FromStr for Place {
    type Err = PlaceError;
    fn from_str(s: &str) -> Result<Self, PlaceError> {
        let degrees = |text: &str| text.trim().parse::<f64>().ok();
        s.split_once(',')
            .and_then(|(lat, lon)| Self::new(degrees(lat)?, degrees(lon)?))
            .ok_or_else(|| PlaceError(s.to_owned()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.latitude, self.longitude)
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_two_numbers_on_the_globe() {
        let home: Place = "45.81, 15.98".parse().expect("a place");
        assert_eq!(home.to_string(), "45.81,15.98");
        for bad in [
            "", "45.81", "91,0", "0,181", "NaN,0", "inf,0", "Zagreb", "1,2,3",
        ] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
