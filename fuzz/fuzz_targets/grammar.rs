//! The small grammars: conditions, preferences, rules, money, places, delivery terms, GTINs,
//! recovery codes. What is read is the same after writing it.
#![no_main]

use emptor::engine::locale::Locale;
use emptor::model::terms::{Break, Gives, Surcharge, Tier};
use emptor::model::text::{clean, is_hidden};
use emptor::model::want::{Preference, Requirement};
use emptor::model::{AlertRule, Currency, Gtin, Money, Place};
use emptor::vault::RecoveryCode;
use libfuzzer_sys::fuzz_target;
use std::fmt::Display;
use std::str::FromStr;

/// What was read can be read again from what is written of it, and is written the same.
/// Money is written with the digits of its currency, so the first reading may have more.
fn again<T: FromStr + Display>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let written = read.to_string();
        let twice = written.parse::<T>().map(|t| t.to_string()).ok();
        assert_eq!(twice, Some(written), "{text:?}");
    }
}

fuzz_target!(|text: &str| {
    again::<Requirement>(text);
    again::<Currency>(text);
    again::<Gtin>(text);
    again::<Place>(text);
    let _ = text.parse::<Preference>();
    let _ = text.parse::<Tier>();
    let _ = text.parse::<Surcharge>();
    let _ = text.parse::<Break>();
    again::<Money>(text);
    again::<AlertRule>(text);
    again::<Gives>(text);
    if let Ok(money) = text.parse::<Money>() {
        let _ = (money.to_minor(), money.checked_add(&money));
        let _ = Locale::named("de-DE").money(&money);
    }
    let _ = RecoveryCode::parse(text);
    let cleaned = clean(text, 40);
    assert!(cleaned.chars().count() <= 40 && !cleaned.chars().any(is_hidden));
});
