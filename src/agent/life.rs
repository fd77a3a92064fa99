//! The life of wishes: what the person did with each, and what the list would cost.

use super::api::ApiError;
use super::api::types::{LifeView, PlanRequest, SpendLine, SpendPlan};
use super::config::Config;
use super::core::Agent;
use super::store::{Change, Store};
use super::view::{self, Market};
use crate::engine::wish::budget::{self, Line};
use crate::engine::wish::{Deed, Event, Habit, Stage, Wish, wish};
use crate::model::time::{SignedDuration, Timestamp};
use crate::model::want::{Want, WantKind, WantStatus};
use crate::model::{AlertRule, Money};
use crate::vault::VaultError;
use std::collections::BTreeSet;

/// Looks closer together than this are one return for the engine, so that only the first
/// is written down.
const BETWEEN_LOOKS: SignedDuration = SignedDuration::from_hours(20);
/// Most deeds kept for a want.
const MAX_DEEDS: usize = 1000;

/// The lists on which something is open.
#[must_use]
pub fn lists_of(wants: &[Want]) -> BTreeSet<String> {
    let open = wants.iter().filter(|w| w.status == WantStatus::Open);
    open.map(|w| w.list.clone()).collect()
}

/// What to do where nothing is open on the list that was named.
#[must_use]
pub fn lists_hint(lists: &BTreeSet<String>) -> String {
    if lists.is_empty() {
        return "add something with `emptor list add`".to_owned();
    }
    let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
    format!("there is something on: {}", lists.join(", "))
}

/// How the person's wishes ripen and fade.
#[must_use]
pub fn habit(config: &Config) -> Habit {
    Habit {
        cooling_days: config.wishes.cooling_days,
        ..Habit::default()
    }
}

/// A want as a wish, now. Shopping items have no such life.
///
/// # Errors
/// As the vault.
pub fn state(store: &Store, market: &Market, want: &Want) -> Result<Option<Wish>, VaultError> {
    if want.kind != WantKind::Wish {
        return Ok(None);
    }
    let mut events = store.life(want.id)?;
    events.insert(
        0,
        Event {
            at: want.added,
            deed: Deed::Added(want.intensity),
        },
    );
    Ok(Some(wish(&events, market.now(), market.habit())))
}

/// The same for the API.
///
/// # Errors
/// As the vault.
pub fn view(store: &Store, market: &Market, want: &Want) -> Result<Option<LifeView>, VaultError> {
    Ok(state(store, market, want)?.map(|w| life_view(&w)))
}

fn life_view(wish: &Wish) -> LifeView {
    LifeView {
        stage: wish.stage,
        intensity: (wish.intensity * 10.0).round() / 10.0,
        returns: wish.returns,
        until: wish.until,
    }
}

/// Whether a rule repeats the person's own word and is not emptor's judgement.
#[must_use]
pub const fn is_own_word(rule: &AlertRule) -> bool {
    matches!(rule, AlertRule::Under(_) | AlertRule::BackInStock)
}

/// Whether a rule on a want keeps quiet now, and as what.
///
/// A wish that sleeps, fades or was given up is not announced at all. One that still
/// ripens is announced where the person's own word holds, their limit or "back in
/// stock", but not where emptor calls a price good by itself. A day by which it is needed
/// is word enough for everything.
#[must_use]
pub fn holds<'a>(
    wish: Option<&'a Wish>,
    want: &Want,
    rule: &AlertRule,
    market: &Market,
) -> Option<&'a Wish> {
    let wish = wish?;
    if want.need_by.is_some_and(|day| day >= market.today()) {
        return None;
    }
    let quiet = match wish.stage {
        Stage::Ripening => !is_own_word(rule),
        stage => !stage.is_alerted(),
    };
    quiet.then_some(wish)
}

/// Notes that the person looked at a want.
///
/// # Errors
/// As the vault.
pub async fn looked(
    agent: &Agent,
    store: &Store,
    want: &Want,
    now: Timestamp,
) -> Result<(), VaultError> {
    let fresh = |events: &[Event]| {
        let last = events.last().map_or(want.added, |e| e.at);
        now.duration_since(last) < BETWEEN_LOOKS
    };
    if want.kind != WantKind::Wish || fresh(&store.life(want.id)?) {
        return Ok(());
    }
    let _writer = agent.writer().await;
    let events = store.life(want.id)?;
    // Two looks may have waited for the lock; a want may be gone by now.
    if fresh(&events) || store.want(want.id)?.is_none() {
        return Ok(());
    }
    store.change(|tx| add(tx, want, events, &[Deed::Looked], now))
}

/// Writes the deeds behind a change of a want. The caller holds the right to write.
///
/// # Errors
/// As the vault.
pub fn edited(
    store: &Store,
    tx: &mut Change<'_, '_>,
    old: &Want,
    new: &Want,
    renewed: bool,
    now: Timestamp,
) -> Result<(), VaultError> {
    let mut deeds = Vec::new();
    if old.intensity != new.intensity {
        deeds.push(Deed::Added(new.intensity));
    }
    match (old.status, new.status) {
        // What was done with is wanted anew.
        (WantStatus::Dropped | WantStatus::Fulfilled, WantStatus::Open) => {
            deeds.push(Deed::Added(new.intensity));
        }
        (before, WantStatus::Dropped) if before != WantStatus::Dropped => {
            deeds.push(Deed::Dropped);
        }
        (_, WantStatus::Snoozed) if old.snoozed_until != new.snoozed_until => {
            deeds.extend(new.snoozed_until.map(Deed::Snoozed));
        }
        _ => {}
    }
    let woken = (old.status, new.status) == (WantStatus::Snoozed, WantStatus::Open);
    if renewed || woken || new.intensity > old.intensity {
        deeds.push(Deed::Renewed);
    }
    if deeds.is_empty() {
        return Ok(());
    }
    add(tx, new, store.life(new.id)?, &deeds, now)
}

fn add(
    tx: &mut Change<'_, '_>,
    want: &Want,
    mut events: Vec<Event>,
    deeds: &[Deed],
    now: Timestamp,
) -> Result<(), VaultError> {
    events.extend(deeds.iter().map(|&deed| Event { at: now, deed }));
    let surplus = events.len().saturating_sub(MAX_DEEDS);
    events.drain(..surplus);
    tx.put_life(want.id, &events)
}

/// What the open wishes would cost against a budget.
///
/// # Errors
/// A budget in another currency without a rate, an unknown list, or as the vault.
pub fn plan(
    store: &Store,
    market: &Market,
    config: &Config,
    request: &PlanRequest,
) -> Result<SpendPlan, ApiError> {
    let given = request.budget.or(config.wishes.budget);
    if given.is_some_and(|b| b.amount.is_sign_negative()) {
        return Err(ApiError::invalid("a budget must not be negative")
            .hint("give the most all wishes together may cost"));
    }
    let budget = match given {
        Some(money) => Some(market.home_price(&money).ok_or_else(|| {
            ApiError::invalid(format!(
                "no exchange rate from {} to {}",
                money.currency,
                market.home()
            ))
            .hint("give the budget in your own currency")
        })?),
        None => None,
    };
    let mut lines = Vec::new();
    let mut keyed = Vec::new();
    for want in store.wants()? {
        let on_list = request.list.as_ref().is_none_or(|l| want.is_on(l));
        if want.status != WantStatus::Open || !on_list {
            continue;
        }
        let Some(wish) = state(store, market, &want)? else {
            continue;
        };
        let seen = view::want(store, market, &want)?;
        let cost = seen.best.and_then(|b| b.landed).map(|l| l.mid);
        keyed.push(Line {
            want: want.id,
            cost,
            key: wish.key(),
        });
        lines.push((
            want.id,
            SpendLine {
                want: want.id.short(),
                name: want.name,
                cost,
                why: seen.why.filter(|_| cost.is_none()),
                life: life_view(&wish),
            },
        ));
    }
    if let (Some(list), true) = (&request.list, lines.is_empty()) {
        return Err(
            ApiError::not_found(format!("no open wishes on a list `{list}`"))
                .hint("see `emptor wish list`"),
        );
    }
    let found = budget::plan(&keyed, budget.unwrap_or(Money::zero(market.home())));
    let of = |ids: &[crate::model::Id]| -> Vec<SpendLine> {
        ids.iter()
            .filter_map(|id| lines.iter().find(|(known, _)| known == id))
            .map(|(_, line)| line.clone())
            .collect()
    };
    Ok(SpendPlan {
        budget,
        buy: of(&found.buy),
        later: of(&found.later),
        unpriced: of(&found.unpriced),
        spent: found.spent,
        left: found.left,
        total: found.total,
        missing: found.missing(),
    })
}
