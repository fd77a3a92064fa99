//! The configuration file: every field has a default, unknown fields are errors.

use crate::engine::locale::Locale;
use crate::model::time::Date;
use crate::model::{Currency, Money, Place};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The example file, which documents each setting. A test reads it and compares it with
/// the defaults in this module.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file exists but cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, an unknown field, or a value of the wrong kind. The message names line
    /// and column.
    #[error("{path}: {message}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, column and what is expected.
        message: String,
    },
    /// A value out of its range.
    #[error("{path}: `{field}`: {message}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The field, as `section.name`.
        field: &'static str,
        /// What it must be.
        message: String,
    },
}

/// All settings.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Config {
    pub person: Person,
    pub crawl: Crawl,
    pub net: Net,
    pub delivery: Delivery,
    pub places: BTreeMap<String, Place>,
    pub travel: Travel,
    pub fx: Fx,
    pub notify: Notify,
    pub wishes: Wishes,
    pub vault: VaultSettings,
    pub log: Log,
}

/// `[person]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Person {
    pub currency: Currency,
    pub country: Option<String>,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
}

impl Default for Person {
    fn default() -> Self {
        Self {
            currency: Currency::EUR,
            country: None,
            locale: None,
            time_zone: None,
        }
    }
}

/// `[crawl]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Crawl {
    pub every_hours: u32,
    pub gap_seconds: f64,
    pub parallel: usize,
}

impl Default for Crawl {
    fn default() -> Self {
        Self {
            every_hours: 12,
            gap_seconds: 5.0,
            parallel: 4,
        }
    }
}

/// `[net]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Net {
    pub contact: String,
    pub allow_private: Vec<String>,
}

/// `[delivery]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// Least, usual and greatest fee where nobody says one.
    pub unknown: [Decimal; 3],
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            unknown: [Decimal::ZERO, Decimal::new(490, 2), Decimal::new(990, 2)],
        }
    }
}

/// `[travel]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Travel {
    /// What one kilometre costs, in the person's currency. The default is a round number
    /// without a source: it is shown as an assumption.
    pub per_km: Decimal,
}

impl Default for Travel {
    fn default() -> Self {
        Self {
            per_km: Decimal::new(30, 2),
        }
    }
}

/// `[fx]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fx {
    /// The address of the daily reference rates; empty for none.
    pub source: String,
    /// Own rates: units of a currency for one euro.
    pub rates: BTreeMap<String, Decimal>,
    /// The day of the own rates.
    pub date: Option<Date>,
}

impl Default for Fx {
    fn default() -> Self {
        Self {
            source: "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml".to_owned(),
            rates: BTreeMap::new(),
            date: None,
        }
    }
}

/// `[notify]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Notify {
    pub desktop: bool,
    pub quiet: Option<[String; 2]>,
    pub digest: Option<String>,
    pub daily_cap: u32,
    /// 0 for no cap.
    pub weekly_cap: u32,
    pub cooldown_hours: u32,
    pub whole_list: bool,
    pub whole_list_amount: Decimal,
    pub whole_list_percent: u32,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            desktop: true,
            quiet: None,
            digest: None,
            daily_cap: 20,
            weekly_cap: 30,
            cooldown_hours: 20,
            whole_list: true,
            whole_list_amount: Decimal::TWO,
            whole_list_percent: 3,
        }
    }
}

/// `[wishes]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wishes {
    /// Days a wish cools off before a price is called good for it.
    pub cooling_days: u32,
    /// What all wishes together may cost, for `emptor wish plan`.
    pub budget: Option<Money>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            cooling_days: 7,
            budget: None,
        }
    }
}

/// `[vault]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VaultSettings {
    /// Minutes without a command before the vault locks itself; 0 for never.
    pub auto_lock_minutes: u32,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Log {
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
        }
    }
}

impl Config {
    /// Reads `path`; a missing file gives the defaults.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and field.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ConfigError::Read {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Reads a text; `path` is for messages.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and field.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| ConfigError::Syntax {
            path: path.to_owned(),
            message: e.to_string().trim_end().to_owned(),
        })?;
        config.check(path)?;
        Ok(config)
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        let bad = |field, message: String| {
            Err(ConfigError::Value {
                path: path.to_owned(),
                field,
                message,
            })
        };
        if !(1..=24 * 31).contains(&self.crawl.every_hours) {
            return bad("crawl.every_hours", "must be from 1 to 744".into());
        }
        if self.wishes.cooling_days > 3650 {
            return bad("wishes.cooling_days", "must be from 0 to 3650".into());
        }
        if !(0.0..=3600.0).contains(&self.crawl.gap_seconds) {
            return bad("crawl.gap_seconds", "must be from 0 to 3600".into());
        }
        if !(1..=32).contains(&self.crawl.parallel) {
            return bad("crawl.parallel", "must be from 1 to 32".into());
        }
        let [low, mode, high] = self.delivery.unknown;
        if low < Decimal::ZERO || low > mode || mode > high {
            return bad("delivery.unknown", "must rise and not be negative".into());
        }
        if !(Decimal::ZERO..=Decimal::ONE_THOUSAND).contains(&self.travel.per_km) {
            return bad("travel.per_km", "must be from 0 to 1000".into());
        }
        for (code, rate) in &self.fx.rates {
            if code.parse::<Currency>().is_err() {
                return bad("fx.rates", format!("`{code}` is not an ISO 4217 code"));
            }
            if *rate <= Decimal::ZERO {
                return bad("fx.rates", format!("the rate of {code} must be above 0"));
            }
        }
        if !self.fx.rates.is_empty() && self.fx.date.is_none() {
            return bad(
                "fx.date",
                "is needed with fx.rates: rates without a day mislead".into(),
            );
        }
        if self.notify.whole_list_amount.is_sign_negative() {
            return bad("notify.whole_list_amount", "must not be negative".into());
        }
        if self.notify.whole_list_percent > 100 {
            return bad("notify.whole_list_percent", "must be from 0 to 100".into());
        }
        let times = self
            .notify
            .quiet
            .iter()
            .flatten()
            .chain(&self.notify.digest);
        for time in times {
            if clock_time(time).is_none() {
                return bad("notify", format!("`{time}` is not a time such as 22:00"));
            }
        }
        if let Some(zone) = &self.person.time_zone
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            return bad(
                "person.time_zone",
                format!("`{zone}` is not an IANA time zone"),
            );
        }
        if let Some(country) = &self.person.country
            && !(country.len() == 2 && country.bytes().all(|b| b.is_ascii_alphabetic()))
        {
            return bad(
                "person.country",
                format!("`{country}` is not a two-letter country"),
            );
        }
        if !matches!(
            self.log.level.as_str(),
            "error" | "warn" | "info" | "debug" | "trace"
        ) {
            return bad(
                "log.level",
                "must be error, warn, info, debug or trace".into(),
            );
        }
        Ok(())
    }

    /// How amounts and days are written, in the person's time zone.
    #[must_use]
    pub fn locale(&self) -> Locale {
        Locale::named(&self.locale_name()).in_zone(self.time_zone())
    }

    /// The name of the locale: as configured, else as the environment says (POSIX order).
    #[must_use]
    pub fn locale_name(&self) -> String {
        let env = |key| std::env::var(key).ok().filter(|v: &String| !v.is_empty());
        self.person
            .locale
            .clone()
            .or_else(|| env("LC_ALL"))
            .or_else(|| env("LC_MONETARY"))
            .or_else(|| env("LANG"))
            .unwrap_or_default()
    }

    /// The person's time zone: as configured, else the system's.
    #[must_use]
    pub fn time_zone(&self) -> jiff::tz::TimeZone {
        self.person
            .time_zone
            .as_deref()
            .and_then(|zone| jiff::tz::TimeZone::get(zone).ok())
            .unwrap_or_else(jiff::tz::TimeZone::system)
    }
}

/// Reads a time of day written `HH:MM`.
#[must_use]
pub fn clock_time(text: &str) -> Option<jiff::civil::Time> {
    let (hour, minute) = text.split_once(':')?;
    jiff::civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("config.toml")).map_err(|e| e.to_string())
    }

    #[test]
    fn the_example_file_states_the_defaults() {
        assert_eq!(parse(EXAMPLE), Ok(Config::default()));
        // The commented settings must at least be valid.
        let all: String = EXAMPLE
            .lines()
            .map(|line| {
                let setting = line.strip_prefix("# ").filter(|l| {
                    l.split_once(" = ").is_some_and(|(k, _)| {
                        k.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                    })
                });
                format!("{}\n", setting.unwrap_or(line))
            })
            .collect();
        let config = parse(&all).expect("every commented setting is valid");
        assert_eq!(config.person.country.as_deref(), Some("DE"));
        assert_eq!(config.notify.digest.as_deref(), Some("18:00"));
        assert!(!config.fx.rates.is_empty());
        assert!(config.places.contains_key("home"));
    }

    #[test]
    fn errors_name_file_line_and_field() {
        let message = parse("[crawl]\nevery_hours = \"often\"\n").expect_err("wrong type");
        assert!(message.contains("config.toml"), "{message}");
        assert!(message.contains("line 2"), "{message}");
        let message = parse("[crawl]\nevery_hour = 3\n").expect_err("unknown field");
        assert!(
            message.contains("every_hours"),
            "the right name is offered: {message}"
        );
        let message = parse("[crawl]\nevery_hours = 0\n").expect_err("out of range");
        assert!(message.contains("crawl.every_hours"), "{message}");
        assert!(
            parse("[places]\nhome = \"Zagreb\"\n")
                .expect_err("no place")
                .contains("45.8131,15.9772")
        );
        assert!(
            parse("[fx.rates]\nUSD = \"1.1\"\n")
                .expect_err("no day")
                .contains("fx.date")
        );
    }
}
