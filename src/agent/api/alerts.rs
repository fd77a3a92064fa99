//! The routes about alerts: what fired and why, the rules, lists watched as a whole.

use super::handlers::{Body, Reader, Result, done};
use super::routes::Route;
use super::types::*;
use super::{ApiError, Code};
use crate::agent::alerts;
use crate::agent::core::Agent;
use crate::agent::life;
use crate::agent::store::{ListWatch, Rule, Store};
use crate::engine::locale::Locale;
use crate::model::time::Timestamp;
use crate::model::want::{Want, same_list};
use crate::model::{Alert, AlertRule, Sentence};
use axum::Json;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};

/// The routes, for the table.
pub fn routes() -> Vec<Route> {
    vec![
        Route::list::<Why>(
            "get",
            "/v1/wants/{want}/why",
            "Why its rules, or what is told of a list as a whole, spoke or were silent",
            get(why),
        ),
        Route::new::<AlertsReply>("get", "/v1/alerts", "What fired, and the rules", get(all)),
        Route::new::<RuleView>(
            "post",
            "/v1/rules",
            "Watch a want, or a list as a whole",
            post(add_rule),
        )
        .takes::<NewRule>(),
        Route::new::<Done>(
            "delete",
            "/v1/rules/{rule}",
            "Remove a rule; with the name of a list, its whole is told no more",
            delete(remove_rule),
        ),
        Route::new::<ListView>(
            "post",
            "/v1/lists/{list}",
            "Snooze what a list costs as a whole",
            post(snooze_list),
        )
        .takes::<SnoozeList>(),
    ]
}

async fn why(
    State(agent): State<Agent>,
    reader: Reader,
    Path(text): Path<String>,
) -> Result<Vec<Why>> {
    let store = agent.store()?;
    let why = match agent.find_want(&store, &text) {
        Ok(want) => alerts::why(&store, &want, &reader.0)?,
        Err(unknown) if unknown.code == Code::NotFound => {
            let mut watches = store.list_watches()?.into_iter();
            let watch = watches.find(|w| same_list(&w.list, &text));
            alerts::why_of_list(&watch.ok_or(unknown)?, &reader.0)
        }
        Err(e) => return Err(e),
    };
    Ok(Json(why))
}

async fn all(State(agent): State<Agent>, reader: Reader) -> Result<AlertsReply> {
    let store = agent.store()?;
    let wants = store.wants()?;
    let mut alerts = store.alerts()?;
    alerts.reverse();
    let rules = store
        .rules()?
        .iter()
        .map(|r| rule_view(r, &wants, &reader.0))
        .collect();
    let watches = store.list_watches()?.into_iter();
    let lists = watches.map(|w| list_view(w, &reader.0)).collect();
    Ok(Json(AlertsReply {
        alerts: alerts
            .into_iter()
            .map(|a| alert_view(a, &reader.0))
            .collect(),
        rules,
        lists,
    }))
}

fn alert_view(alert: Alert, locale: &Locale) -> AlertView {
    AlertView {
        id: alert.id,
        at: alert.at,
        want: alert.want,
        list: alert.list,
        rule: alert.rule,
        title: locale.say(&alert.title),
        reason: locale.say(&alert.reason),
        cost: alert.cost,
        url: alert.url,
        delivered: alert.delivered,
        saving: alert.saving,
        own_word: alert.own_word,
        held: alert.held.map(|held| locale.say(&held)),
    }
}

fn list_view(watch: ListWatch, locale: &Locale) -> ListView {
    ListView {
        state: watch
            .looks
            .into_iter()
            .next_back()
            .map_or_else(String::new, |(_, told, reason)| {
                decided(told, &reason, locale)
            }),
        list: watch.list,
        snoozed_until: watch
            .snoozed_until
            .filter(|until| Timestamp::now() < *until),
        muted: watch.muted,
    }
}

fn decided(told: bool, reason: &Sentence, locale: &Locale) -> String {
    let word = if told { "fired" } else { "silent" };
    format!("{word}: {}", locale.say(reason))
}

fn rule_view(rule: &Rule, wants: &[Want], locale: &Locale) -> RuleView {
    let state = rule.decisions.last().map_or_else(String::new, |(_, d)| {
        decided(d.fire().is_some(), &d.words(), locale)
    });
    RuleView {
        id: rule.id.short(),
        want: rule.want.short(),
        name: wants
            .iter()
            .find(|w| w.id == rule.want)
            .map_or_else(String::new, |w| w.name.clone()),
        rule: rule.rule.clone(),
        state,
    }
}

async fn add_rule(
    State(agent): State<Agent>,
    reader: Reader,
    Body(new): Body<NewRule>,
) -> Result<RuleView> {
    let _writer = agent.writer().await;
    let store = agent.store()?;
    if new.rule == AlertRule::WholeList {
        let watch = ListWatch {
            muted: false,
            ..open_list(&store, &new.want)?
        };
        store.change(|tx| tx.put_list_watch(&watch))?;
        return Ok(Json(whole_list_rule(watch, &reader.0)));
    }
    let want = agent.find_want(&store, &new.want)?;
    if new.rule == AlertRule::PriceGuarantee {
        return Err(ApiError::invalid("a price guarantee comes with a purchase")
            .hint("`emptor purchases add WANT --price MONEY --shop DOMAIN --protect-days N`"));
    }
    if let Some(old) = store
        .rules()?
        .iter()
        .find(|r| r.want == want.id && r.rule == new.rule)
    {
        return Ok(Json(rule_view(old, &[want], &reader.0)));
    }
    let rule = Rule::new(want.id, new.rule);
    store.change(|tx| tx.put_rule(&rule))?;
    // A rule is about what is true, so it may speak at once.
    alerts::look(&agent, &store, want.id, Timestamp::now()).await?;
    let rule = store
        .rules()?
        .into_iter()
        .find(|r| r.id == rule.id)
        .unwrap_or(rule);
    Ok(Json(rule_view(&rule, &[want], &reader.0)))
}

async fn remove_rule(State(agent): State<Agent>, Path(text): Path<String>) -> Result<Done> {
    let _writer = agent.writer().await;
    let store = agent.store()?;
    let rule = store.rules()?.into_iter().find(|r| r.id.short() == text);
    let Some(rule) = rule else {
        let muted = ListWatch {
            muted: true,
            ..open_list(&store, &text).map_err(|e| match e.code {
                Code::NotFound => {
                    ApiError::not_found(format!("no rule `{text}`")).hint("see `emptor alerts`")
                }
                _ => e,
            })?
        };
        store.change(|tx| tx.put_list_watch(&muted))?;
        let list = &muted.list;
        return done(format!(
            "What `{list}` costs as a whole is told no more; `emptor alerts add {list} 'whole list'` undoes it."
        ));
    };
    store.change(|tx| tx.remove_rule(rule.id))?;
    done(format!("Removed the rule `{}`.", rule.rule))
}

/// The watch on a list with something open on it, by its name.
fn open_list(store: &Store, name: &str) -> std::result::Result<ListWatch, ApiError> {
    let lists = life::lists_of(&store.wants()?);
    match lists.iter().find(|l| same_list(l, name)) {
        Some(list) => Ok(store.list_watch(list)?),
        None => Err(
            ApiError::not_found(format!("nothing is open on a list `{name}`"))
                .hint(life::lists_hint(&lists)),
        ),
    }
}

/// The watch on a list, as a rule: it is known by the list's name.
fn whole_list_rule(watch: ListWatch, locale: &Locale) -> RuleView {
    let view = list_view(watch, locale);
    RuleView {
        id: view.list.clone(),
        want: String::new(),
        name: view.list,
        rule: AlertRule::WholeList,
        state: view.state,
    }
}

async fn snooze_list(
    State(agent): State<Agent>,
    reader: Reader,
    Path(name): Path<String>,
    Body(snooze): Body<SnoozeList>,
) -> Result<ListView> {
    let _writer = agent.writer().await;
    let store = agent.store()?;
    if snooze.until.is_some_and(|until| until <= Timestamp::now()) {
        return Err(
            ApiError::invalid("a snooze ends in the future").hint("give --until a day after today")
        );
    }
    let watch = ListWatch {
        snoozed_until: snooze.until,
        ..open_list(&store, &name)?
    };
    store.change(|tx| tx.put_list_watch(&watch))?;
    Ok(Json(list_view(watch, &reader.0)))
}
