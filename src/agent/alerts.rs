//! Rules on wants: looked at after every observation, delivered when it suits the person.

mod whole_list;
mod why;

pub use whole_list::ChangedLists;
pub use why::{why, why_of_list};

use super::api::ApiError;
use super::core::Agent;
use super::store::{Rule, Store, Zone};
use super::view::{self, Market};
use super::{life, packs, purchases, web};
use crate::engine::alert::{
    Decision, Delivery as When, Fire, Hold, Pending, Seen, Tuning, Urgency, by_worth, deliver,
};
use crate::model::offer::Content;
use crate::model::time::{SignedDuration, Timestamp};
use crate::model::want::{Want, WantStatus};
use crate::model::{Alert, AlertRule, Availability, Currency, Id, Money, Sentence, sentence};
use crate::notify::{Action, Message};
use crate::vault::VaultError;
use tokio::sync::mpsc;

/// Decisions remembered for each rule, for `emptor alerts why`.
const KEPT_DECISIONS: usize = 50;
/// An alert that could not be shown for so long is old news.
const STALE_AFTER: SignedDuration = SignedDuration::from_hours(72);
/// How far back popups count against what a day and a week may bring.
const BUDGETED: SignedDuration = SignedDuration::from_hours(24 * 8);
/// How long "Snooze" on a popup lasts.
const SNOOZE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Looks at the rules of a want after something about it was read. The caller holds the
/// right to write.
///
/// # Errors
/// As the vault.
pub async fn look(
    agent: &Agent,
    store: &Store,
    want: Id,
    now: Timestamp,
) -> Result<(), VaultError> {
    let today = now.to_zoned(agent.config().time_zone()).date();
    let (purchases, claims) = purchases::look(store, want, today, now)?;
    if !purchases.is_empty() {
        store.change(|tx| {
            purchases.iter().try_for_each(|p| tx.put_purchase(p))?;
            claims.iter().try_for_each(|a| tx.put_alert(a))
        })?;
    }
    if !claims.is_empty() {
        deliver_soon(agent, store, now);
    }
    let rules: Vec<Rule> = store
        .rules()?
        .into_iter()
        .filter(|r| r.want == want)
        .collect();
    let Some(want) = store.want(want)?.filter(|w| w.status == WantStatus::Open) else {
        return Ok(());
    };
    whole_list::changed(agent, &want);
    if rules.is_empty() {
        return Ok(());
    }
    let market = Market::load(store, &agent.config(), now)?;
    let now_at = state_of(store, &market, &want, now)?;
    let seen = &now_at.seen;
    let tuning = Tuning {
        cooldown_hours: agent.config().notify.cooldown_hours,
        ..Tuning::default()
    };
    let wish = life::state(store, &market, &want)?;
    let mut fired = Vec::new();
    let mut changed = Vec::new();
    for mut rule in rules {
        rule.pack = rule.pack.or(now_at.content);
        let counted = Seen {
            cost: seen
                .cost
                .map(|cost| packs::price_of(cost, now_at.content, rule.pack)),
            ..*seen
        };
        let asked = in_home(&rule.rule, &market);
        let mut decision = rule.state.observe(&asked, &counted, &tuning);
        if let (Decision::Fire(fire), Some(wish)) = (
            &decision,
            life::holds(wish.as_ref(), &want, &rule.rule, &market),
        ) {
            // It stays to be told once the wish has lasted.
            rule.state.rearm();
            decision = Decision::Hold(Hold::Cooling {
                stage: wish.stage,
                until: wish.until,
                unsaid: fire.words(),
            });
        }
        if let (Decision::Fire(fire), Some((noted, shop))) = (
            &decision,
            known_cheaper(store, &market, &want, &rule.rule, seen.cost)?,
        ) {
            rule.state.rearm();
            decision = Decision::Hold(Hold::KnownCheaper {
                noted,
                shop,
                unsaid: fire.words(),
            });
        }
        if let Decision::Fire(fire) = &decision {
            let mut alert = alert(&want, &rule, fire, &now_at, now);
            if counted.cost != seen.cost {
                let counted = "; another pack, counted for as much as the first one seen";
                alert.reason.push(counted);
            }
            fired.push(alert);
        }
        rule.decisions.push((now, decision));
        let surplus = rule.decisions.len().saturating_sub(KEPT_DECISIONS);
        rule.decisions.drain(..surplus);
        changed.push(rule);
    }
    store.change(|tx| {
        changed.iter().try_for_each(|r| tx.put_rule(r))?;
        fired.iter().try_for_each(|a| tx.put_alert(a))
    })?;
    if !fired.is_empty() {
        deliver_soon(agent, store, now);
    }
    Ok(())
}

/// A popup may take its time; the reading of pages goes on.
fn deliver_soon(agent: &Agent, store: &Store, now: Timestamp) {
    let (agent, store) = (agent.clone(), store.clone());
    tokio::spawn(async move {
        if let Err(e) = deliver_due(&agent, &store, now).await {
            tracing::warn!("an alert was not delivered: {e}");
        }
    });
}

/// The rule with its limit in the person's currency, where there is a rate.
fn in_home(rule: &AlertRule, market: &Market) -> AlertRule {
    match rule {
        AlertRule::Under(limit) => AlertRule::Under(market.home_price(limit).unwrap_or(*limit)),
        other => other.clone(),
    }
}

/// The share of one piece: limits and rules are about one, whatever the quantity.
fn each(total: Money, quantity: u32) -> Money {
    Money::new(
        total.amount / rust_decimal::Decimal::from(quantity.max(1)),
        total.currency,
    )
    .rounded()
}

/// What the person noted of a price no higher than what a rule would call good by itself.
fn known_cheaper(
    store: &Store,
    market: &Market,
    want: &Want,
    rule: &AlertRule,
    cost: Option<Money>,
) -> Result<Option<(Money, String)>, VaultError> {
    let Some(cost) = cost.filter(|_| !life::is_own_word(rule)) else {
        return Ok(None);
    };
    let noted = view::noted_cost(store, market, want)?;
    let noted = noted.map(|(all, shop)| (each(all, want.quantity), shop));
    Ok(noted.filter(|(noted, _)| noted.currency == cost.currency && noted.amount <= cost.amount))
}

/// What is true of a want now.
struct Now {
    /// Its best landed cost, and whether it can be had.
    seen: Seen,
    /// Where to buy.
    url: Option<String>,
    shop: Option<String>,
    /// What a piece there holds, where the want does not say what it should.
    content: Option<Content>,
}

fn state_of(
    store: &Store,
    market: &Market,
    want: &Want,
    now: Timestamp,
) -> Result<Now, VaultError> {
    // What the person would pay at most decides what they buy, not what a thing costs.
    let unlimited = Want {
        limit: None,
        ..want.clone()
    };
    // A price that the person noted is no news to them.
    let reply = view::read_offers(store, market, &unlimited)?;
    let all: Vec<_> = reply.ranked.iter().chain(&reply.rejected).collect();
    let best = reply.ranked.first();
    let availability = best.map(|b| b.availability).or_else(|| {
        // All offers may be rejected for having no price; their stock still counts.
        all.iter().map(|o| o.availability).min_by_key(|a| match a {
            Availability::InStock => 0,
            Availability::LimitedAvailability => 1,
            Availability::PreOrder | Availability::BackOrder => 2,
            Availability::Unknown => 3,
            Availability::OutOfStock => 4,
            Availability::Discontinued => 5,
        })
    });
    let seen = Seen {
        at: now,
        cost: best
            .and_then(|b| b.landed.as_ref())
            .map(|l| each(l.mid, want.quantity)),
        availability: availability.unwrap_or_default(),
        known: !all.is_empty(),
    };
    let name = best.and_then(|b| b.name.as_deref()).unwrap_or_default();
    Ok(Now {
        seen,
        url: best.map(|b| b.url.clone()),
        shop: best.map(|b| b.shop.clone()),
        content: match packs::wanted(want) {
            Some(_) => None,
            None => packs::content_of(name),
        },
    })
}

fn alert(want: &Want, rule: &Rule, fire: &Fire, now_at: &Now, now: Timestamp) -> Alert {
    let seen = &now_at.seen;
    let title = match (seen.cost, &now_at.shop) {
        (Some(cost), Some(shop)) => {
            let each = if want.quantity > 1 { " each" } else { "" };
            sentence!(&want.name, ": ", cost, each, " at ", shop)
        }
        _ => sentence!(&want.name, ": ", rule.rule.words()),
    };
    let saving = fire.reason.saving().and_then(|each| {
        let all = each.amount.checked_mul(want.quantity.into())?;
        Some(Money::new(all, each.currency))
    });
    let asked = life::is_own_word(&rule.rule);
    let under_limit = want.limit.zip(seen.cost).is_some_and(|(limit, cost)| {
        limit.currency == cost.currency && cost.amount <= limit.amount
    });
    Alert {
        id: Id::new(),
        at: now,
        want: want.id,
        list: None,
        rule: rule.rule.clone(),
        title,
        reason: fire.words(),
        cost: seen.cost,
        url: now_at.url.clone(),
        delivered: None,
        saving,
        own_word: asked || under_limit,
        held: None,
    }
}

/// Delivers what may be delivered now, what saves most first.
///
/// # Errors
/// As the vault.
pub async fn deliver_due(agent: &Agent, store: &Store, now: Timestamp) -> Result<(), VaultError> {
    let _one_at_a_time = agent.deliverer().await;
    let policy = agent.delivery_policy();
    let config = agent.config();
    let zone = config.time_zone();
    let locale = config.locale();
    let alerts = store.alerts_since(now - STALE_AFTER - BUDGETED)?;
    let is_waiting = |a: &&Alert| a.delivered.is_none() && now.duration_since(a.at) <= STALE_AFTER;
    if !alerts.iter().any(|a| is_waiting(&a)) {
        return Ok(());
    }
    let wants = store.wants()?;
    let mut delivered: Vec<(Id, Timestamp)> = alerts
        .iter()
        .filter_map(|a| Some((a.want, a.delivered?)))
        .collect();
    let urgency = if policy.digest.is_some() {
        Urgency::Low
    } else {
        Urgency::Normal
    };
    let (waiting, pending): (Vec<&Alert>, Vec<Pending>) = alerts
        .iter()
        .filter(is_waiting)
        .filter(|a| is_still_wanted(a, &wants))
        .map(|a| (a, pending(a, urgency, config.person.currency)))
        .unzip();
    let mut digest = Vec::new();
    for at in by_worth(&pending) {
        let (alert, pending) = (waiting[at], &pending[at]);
        // What was held for the digest goes out once its time has come.
        if let When::Digest(at) = deliver(pending, &delivered, &policy, &zone, alert.at) {
            if at <= now {
                digest.push(alert.clone());
            }
            continue;
        }
        match deliver(pending, &delivered, &policy, &zone, now) {
            When::Now => {
                let message = Message {
                    key: alert.id.to_string(),
                    title: locale.say(&alert.title),
                    body: locale.say(&alert.reason),
                    actions: match alert.list {
                        None => &[Action::Open, Action::Snooze, Action::NotThis],
                        Some(_) => &[Action::Open, Action::Snooze],
                    },
                };
                agent.notifier().deliver(&message).await;
                delivered.push((alert.want, now));
                store.change(|tx| tx.put_alert(&done(alert, now)))?;
            }
            When::OverBudget(until) => {
                let held = Some(over_budget(alert, policy.per_week.unwrap_or(0), until));
                if alert.held != held {
                    let kept = Alert {
                        held,
                        ..alert.clone()
                    };
                    store.change(|tx| tx.put_alert(&kept))?;
                }
            }
            When::HoldUntil(_) | When::Digest(_) => {}
        }
    }
    if !digest.is_empty() {
        let lines: Vec<String> = digest
            .iter()
            .map(|a| locale.say(&sentence!(&a.title, " (", &a.reason, ")")))
            .collect();
        let message = Message {
            key: "digest".into(),
            title: format!("emptor: {} better offers", digest.len()),
            body: lines.join("\n"),
            actions: &[],
        };
        agent.notifier().deliver(&message).await;
        store.change(|tx| digest.iter().try_for_each(|a| tx.put_alert(&done(a, now))))?;
    }
    Ok(())
}

/// Whether an alert that waited is still about something looked for. Money to claim back
/// is, whatever became of the want.
fn is_still_wanted(alert: &Alert, wants: &[Want]) -> bool {
    let mut open = wants.iter().filter(|w| w.status == WantStatus::Open);
    match &alert.list {
        Some(list) => open.any(|w| w.is_on(list)),
        None => alert.rule == AlertRule::PriceGuarantee || open.any(|w| w.id == alert.want),
    }
}

fn pending(alert: &Alert, urgency: Urgency, home: Currency) -> Pending {
    let saving = alert.saving.filter(|s| s.currency == home);
    Pending {
        want: alert.want,
        urgency,
        saving: saving.and_then(|s| s.to_minor().ok()).unwrap_or(0),
        own_word: alert.own_word,
    }
}

fn done(alert: &Alert, now: Timestamp) -> Alert {
    Alert {
        delivered: Some(now),
        held: None,
        ..alert.clone()
    }
}

fn over_budget(alert: &Alert, most: u32, until: Timestamp) -> Sentence {
    let saves = alert.saving.map_or_else(
        || "what it saves is not known".into(),
        |saving| sentence!("it saves ", saving),
    );
    sentence!(
        "kept back: ",
        most,
        " popups in seven days are enough, and those that save more went first; ",
        saves,
        "; room again from ",
        until
    )
}

/// Does what the person pressed on popups, until the agent stops.
pub async fn follow_actions(agent: Agent, mut pressed: mpsc::Receiver<(String, Action)>) {
    let stop = agent.stopping();
    loop {
        let (key, action) = tokio::select! {
            () = stop.cancelled() => return,
            next = pressed.recv() => match next {
                Some(next) => next,
                None => return,
            },
        };
        if let Err(e) = act(&agent, &key, action).await {
            tracing::warn!("a popup's button did nothing: {e}");
        }
    }
}

async fn act(agent: &Agent, key: &str, action: Action) -> Result<(), ApiError> {
    let store = agent.store()?;
    let _writer = agent.writer().await;
    let Some(alert) = store
        .alerts()?
        .into_iter()
        .find(|a| a.id.to_string() == key)
    else {
        return Ok(());
    };
    let now = Timestamp::now();
    let until = now.checked_add(SNOOZE).ok();
    match (action, &alert.list) {
        (Action::Open, Some(list)) => open_in_browser(&web::link(agent, Some(list)).await?),
        (Action::Open, None) => {
            if let Some(url) = &alert.url {
                open_in_browser(url);
            }
        }
        // The things on it are still to be bought.
        (Action::Snooze, Some(list)) => {
            let mut watch = store.list_watch(list)?;
            watch.snoozed_until = until;
            store.change(|tx| tx.put_list_watch(&watch))?;
        }
        (Action::Snooze, None) => {
            if let Some(old) = store.want(alert.want)? {
                let want = Want {
                    status: WantStatus::Snoozed,
                    snoozed_until: until,
                    ..old.clone()
                };
                store.change(|tx| {
                    life::edited(&store, tx, &old, &want, false, now)?;
                    tx.put_want(&want)
                })?;
            }
        }
        (Action::NotThis, _) => {
            for listing in store.listings_of(alert.want)? {
                if Some(&listing.url) == alert.url.as_ref() {
                    store.decide(alert.want, listing, Zone::Different)?;
                }
            }
        }
    }
    Ok(())
}

/// Opens a web address with the desktop's own opener. The address is one argument, never a
/// shell's.
fn open_in_browser(url: &str) {
    if !(url.starts_with("https://") || url.starts_with("http://")) {
        return;
    }
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    match std::process::Command::new(opener)
        .arg(url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
    {
        Ok(mut child) => {
            std::thread::spawn(move || child.wait());
        }
        Err(e) => tracing::warn!("cannot open the browser with {opener}: {e}"),
    }
}
