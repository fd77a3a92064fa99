//! Buy now or wait: the advice for a want from its own price history.

use super::api::types::{AdviceView, HistoryPoint};
use super::view::Market;
use crate::engine::alert::plausible::present_level;
use crate::engine::alert::wait::{Advice, USUAL_DAYS, advise};
use crate::model::want::Want;
use crate::model::{Availability, Money, sentence};
use std::collections::BTreeMap;

/// How long it may wait when nobody says until when, in days.
const DEADLINE_DAYS: usize = 30;
/// Days from order to delivery when nobody says.
const LEAD_DAYS: u32 = 3;
/// Past prices within this share of the present one show what waiting from here can cost.
const ALIKE: f64 = 0.05;
/// The longest wait advised on.
const MAX_DEADLINE: usize = 365;
/// A price not seen for so many days is no longer believed.
const BELIEVED_DAYS: i64 = 14;
/// Most days of history used.
const MAX_DAYS: i64 = 1500;

/// Advises on a want with the price points `points`, oldest first. What is needed by a day
/// must be ordered `lead` days before.
#[must_use]
pub fn advice(
    market: &Market,
    want: &Want,
    points: &[HistoryPoint],
    lead: Option<u32>,
) -> Option<AdviceView> {
    let today = market.now().as_second().div_euclid(86_400);
    // What the engine does not believe is no price to compare with or to threaten with.
    let prices = present_level(&daily(points, today, market));
    let now = *prices.last()?;
    let deadline = want.need_by.map_or(DEADLINE_DAYS, |day| {
        let left = i64::from((day - market.today()).get_days());
        usize::try_from(left - i64::from(lead.unwrap_or(LEAD_DAYS))).unwrap_or(0)
    });
    let deadline = deadline.min(MAX_DEADLINE);
    let advice = advise(&prices, deadline);
    Some(view(&advice, &prices, now, deadline, market))
}

fn view(advice: &Advice, prices: &[i64], now: i64, deadline: usize, market: &Market) -> AdviceView {
    let money = |minor: f64| Money::from_minor(minor.round() as i64, market.home());
    let rise = worst_rise(prices, now, deadline);
    let regret = (rise > 0).then(|| Money::from_minor(rise, market.home()));
    let at_worst = regret.map_or_else(
        || "it never cost more in the end so far".into(),
        |r| sentence!("it cost up to ", r, " more in the past"),
    );
    let mut view = AdviceView {
        advice: "buy".to_owned(),
        text: String::new(),
        deadline_days: deadline,
        target: None,
        chance: advice.chance,
        saving: None,
        dearer: advice.dearer,
        regret,
        days: advice.days,
    };
    if deadline == 0 {
        "Buy now: later it would come too late.".clone_into(&mut view.text);
    } else if advice.is_short() {
        "unknown".clone_into(&mut view.advice);
        view.text = format!(
            "Too little history to say whether waiting pays (days known: {}).",
            prices.len()
        );
    } else if let Some(threshold) = advice.threshold {
        let target = money(usual(prices) * threshold);
        let saving = money(now as f64 * advice.saving);
        "wait".clone_into(&mut view.advice);
        let chance = format!(
            " or less: it comes with a chance of {:.0} % in time (days: {deadline}), which saves ",
            advice.chance * 100.0
        );
        let dearer = format!(
            " on average. The chance to pay more in the end is {:.0} %; ",
            advice.dearer * 100.0
        );
        view.text = market.say(sentence!(
            "Wait for ",
            target,
            chance,
            saving,
            dearer,
            at_worst,
            "."
        ));
        view.target = Some(target);
        view.saving = Some(saving);
    } else {
        let by = format!(
            "Buy now: by {} past days, waiting promises nothing worth the risk (days to wait: {deadline}); ",
            advice.days
        );
        view.text = market.say(sentence!(by, at_worst, "."));
    }
    view
}

/// The most that waiting for `deadline` days from a price like `now` cost in the past.
fn worst_rise(prices: &[i64], now: i64, deadline: usize) -> i64 {
    let later = prices.iter().skip(deadline);
    let alike = |then: i64| (then - now).abs() as f64 <= ALIKE * now as f64;
    let rises = prices.iter().zip(later).filter(|(then, _)| alike(**then));
    rises
        .map(|(then, end)| end - then)
        .max()
        .unwrap_or(0)
        .max(0)
}

/// The median of the days before the last.
fn usual(prices: &[i64]) -> f64 {
    let before = &prices[..prices.len() - 1];
    let mut window = before[before.len().saturating_sub(USUAL_DAYS)..].to_vec();
    window.sort_unstable();
    match window.len() {
        0 => prices[prices.len() - 1] as f64,
        n if n % 2 == 1 => window[n / 2] as f64,
        n => (window[n / 2 - 1] as f64 + window[n / 2] as f64) / 2.0,
    }
}

/// The lowest price of each day over all pages, in minor units, up to today. A page keeps
/// its price until it is read again, or is no longer believed; the days before the last
/// gap are left out, as nobody knows what happened in it.
fn daily(points: &[HistoryPoint], today: i64, market: &Market) -> Vec<i64> {
    let mut by_day: BTreeMap<i64, Vec<&HistoryPoint>> = BTreeMap::new();
    for point in points {
        let day = point.at.as_second().div_euclid(86_400);
        if day <= today && day > today - MAX_DAYS {
            by_day.entry(day).or_default().push(point);
        }
    }
    let mut standing: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    let mut prices = Vec::new();
    let Some((&first, _)) = by_day.first_key_value() else {
        return prices;
    };
    for day in first..=today {
        for point in by_day.get(&day).into_iter().flatten() {
            let gone = matches!(
                point.availability,
                Availability::OutOfStock | Availability::Discontinued
            );
            let price = point.home.filter(|m| m.currency == market.home());
            match price
                .and_then(|m| m.to_minor().ok())
                .filter(|m| *m > 0 && !gone)
            {
                Some(minor) => standing.insert(&point.url, (day, minor)),
                None => standing.remove(point.url.as_str()),
            };
        }
        standing.retain(|_, (seen, _)| day - *seen <= BELIEVED_DAYS);
        match standing.values().map(|(_, minor)| *minor).min() {
            Some(minor) => prices.push(minor),
            None => prices.clear(),
        }
    }
    prices
}
