//! One alert for a whole list: after pages were read, the lists they matter to are added
//! up, and a sum clearly under the one last told is news.

use super::deliver_soon;
use crate::agent::api::types::{BasketReply, BasketRequest};
use crate::agent::core::Agent;
use crate::agent::store::{ListWatch, Standing, Store};
use crate::agent::view::Market;
use crate::agent::{basket, life};
use crate::engine::alert::after::{BasketGate, ListCost, list_news};
use crate::engine::locale::count;
use crate::model::time::{SignedDuration, Timestamp};
use crate::model::want::{Want, WantKind, WantStatus};
use crate::model::{Alert, AlertRule, Id, Money, Sentence, sentence};
use crate::vault::VaultError;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A list is added up once nothing on it changed for so long: a crawl reads many pages.
const SETTLED: Duration = Duration::from_secs(2);
/// The longest search for the best plan.
const LIMIT_MS: u64 = 2_000;
/// How long the offers for a new list come in: what it costs meanwhile is no news.
const GATHERING: SignedDuration = SignedDuration::from_hours(24);
/// A sum older than this is replaced by the present one without a word: prices rise, and
/// what nobody can buy at any more must not silence the list for good.
const OUTDATED: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Looks remembered for each list.
const KEPT_LOOKS: usize = 50;

/// The lists on which something changed since they were last added up.
#[derive(Debug, Default)]
pub struct ChangedLists {
    /// The lists, and how many changes there were.
    changed: Mutex<(BTreeSet<String>, u64)>,
    adding: tokio::sync::Mutex<()>,
}

impl ChangedLists {
    fn note(&self, list: &str) -> u64 {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.0.insert(list.to_owned());
        changed.1 += 1;
        changed.1
    }

    /// The lists, unless there was another change after the given one.
    fn take(&self, change: u64) -> BTreeSet<String> {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if changed.1 == change {
            std::mem::take(&mut changed.0)
        } else {
            BTreeSet::new()
        }
    }
}

/// Notes that an offer for a want changed. The list is added up later, and not by the
/// caller, who holds the right to write.
pub(super) fn changed(agent: &Agent, want: &Want) {
    if !agent.config().notify.whole_list {
        return;
    }
    let change = agent.changed_lists().note(&want.list);
    let agent = agent.clone();
    tokio::spawn(async move {
        let stop = agent.stopping();
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SETTLED) => {}
        }
        let _one_at_a_time = agent.changed_lists().adding.lock().await;
        // The vault may have been locked meanwhile.
        let Ok(store) = agent.store() else { return };
        for list in agent.changed_lists().take(change) {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                done = add_up(&agent, &store, &list) => done,
            };
            match done {
                Ok(()) | Err(VaultError::Locked) => {}
                Err(e) => tracing::warn!("the list {list} was not added up: {e}"),
            }
        }
    });
}

/// The open wants of a list, if it is one to buy as a whole.
fn wanted(store: &Store, list: &str) -> Result<Option<Vec<Want>>, VaultError> {
    let mut wants = store.wants()?;
    wants.retain(|w| w.status == WantStatus::Open && w.is_on(list));
    let whole = wants.len() > 1 && wants.iter().any(|w| w.kind == WantKind::Shopping);
    Ok(whole.then_some(wants))
}

fn amounts(wants: &[Want]) -> Vec<(Id, u32)> {
    wants.iter().map(|w| (w.id, w.quantity)).collect()
}

/// Solves the basket of a list without any lock, then notes what it costs, and tells it
/// where it is news.
async fn add_up(agent: &Agent, store: &Store, list: &str) -> Result<(), VaultError> {
    let Some(wants) = wanted(store, list)? else {
        return Ok(());
    };
    let now = Timestamp::now();
    let config = agent.config();
    let market = Market::load(store, &config, now)?;
    let mut cooling = None;
    for want in &wants {
        let wish = life::state(store, &market, want)?;
        if life::holds(wish.as_ref(), want, &AlertRule::WholeList, &market).is_some() {
            let name = &want.name;
            cooling = Some(sentence!("`", name, "` is a wish that has not lasted yet"));
        }
    }
    let request = BasketRequest {
        list: Some(list.to_owned()),
        limit_ms: Some(LIMIT_MS),
        ..BasketRequest::default()
    };
    let added = match basket::find(agent, store, market, request).await {
        Ok(reply) => sum(&reply),
        Err(e) => Err(e.to_string().into()),
    };

    let _writer = agent.writer().await;
    let Some(now_wanted) = wanted(store, list)? else {
        return Ok(());
    };
    let mut watch = store.list_watch(list)?;
    let look = Look {
        wants: amounts(&wants),
        now,
        gate: BasketGate {
            amount: config.notify.whole_list_amount,
            percent: config.notify.whole_list_percent,
        },
        cooldown: SignedDuration::from_hours(i64::from(config.notify.cooldown_hours)),
    };
    if amounts(&now_wanted) != look.wants {
        // The list was edited meanwhile: the sum is of another one.
        return Ok(());
    }
    let added = added.and_then(|sum| cooling.map_or(Ok(sum), Err));
    let (saving, reason) = judge(&mut watch, &look, added.as_ref());
    watch.looks.push((now, saving.is_some(), reason.clone()));
    let surplus = watch.looks.len().saturating_sub(KEPT_LOOKS);
    watch.looks.drain(..surplus);
    let alert = saving.zip(added.ok()).map(|(saving, sum)| Alert {
        id: Id::new(),
        at: now,
        want: look.wants[0].0,
        list: Some(watch.list.clone()),
        rule: AlertRule::WholeList,
        title: sentence!(
            &watch.list,
            ": the whole list now costs ",
            sum.cost.pay,
            " at ",
            count(sum.at.len(), "shop")
        ),
        reason,
        cost: Some(sum.cost.pay),
        url: None,
        delivered: None,
        saving: Some(saving),
        own_word: false,
        held: None,
    });
    store.change(|tx| {
        tx.put_list_watch(&watch)?;
        alert.iter().try_for_each(|a| tx.put_alert(a))
    })?;
    if alert.is_some() {
        deliver_soon(agent, store, now);
    }
    Ok(())
}

/// What a list costs, and where.
#[derive(Clone, Debug, PartialEq)]
struct Sum {
    cost: ListCost,
    /// Shops and what is paid there.
    at: Vec<Sentence>,
}

/// The sum of a plan for the whole list, or why there is none to compare.
fn sum(reply: &BasketReply) -> Result<Sum, Sentence> {
    if let Some(missing) = reply.nobody.first() {
        return Err(sentence!("`", &missing.name, "`: ", &missing.because));
    }
    let plan = reply.plan.as_ref().ok_or("nothing is offered")?;
    if let Some(out) = reply.left_out.first() {
        return Err(sentence!("`", &out.name, "` is left out: ", &out.because));
    }
    Ok(Sum {
        cost: ListCost {
            pay: plan.pay,
            worst: reply.worst.as_ref().map_or(plan.pay, |w| w.pay),
        },
        at: plan
            .shops
            .iter()
            .map(|cart| sentence!(&cart.shop, " ", cart.pay))
            .collect(),
    })
}

/// The circumstances of a look.
struct Look {
    wants: Vec<(Id, u32)>,
    now: Timestamp,
    gate: BasketGate,
    cooldown: SignedDuration,
}

/// Compares a sum with the standing one, and keeps it where it takes its place: the saving
/// where it is to be told, and why or why not.
fn judge(
    watch: &mut ListWatch,
    look: &Look,
    added: Result<&Sum, &Sentence>,
) -> (Option<Money>, Sentence) {
    let sum = match added {
        Ok(sum) => sum,
        Err(why) => return (None, sentence!("not compared: ", why)),
    };
    let cost = sum.cost;
    let pay = cost.pay;
    let keep = |at, told| Standing {
        wants: look.wants.clone(),
        cost,
        at,
        told,
    };
    let same = watch
        .standing
        .take()
        .filter(|s| s.wants == look.wants && s.cost.pay.currency == cost.pay.currency);
    let Some(standing) = same else {
        watch.standing = Some(keep(look.now, false));
        let why = sentence!(pay, " is noted: the list is new or was changed");
        return (None, why);
    };
    let age = look.now.duration_since(standing.at);
    let saving = list_news(&standing.cost, &cost, &look.gate);
    let told = if standing.told {
        "when last told"
    } else {
        "when first added up"
    };
    let before = sentence!(standing.cost.pay, " ", told, " (", standing.at, ")");
    if !standing.told && age < GATHERING {
        let cheaper = cost.pay.amount < standing.cost.pay.amount;
        let since = standing.at;
        watch.standing = Some(if cheaper {
            keep(since, false)
        } else {
            standing
        });
        let why = sentence!(pay, ": offers for a new list come in for a day");
        return (None, why);
    }
    match saving {
        Some(saving) if watch.muted => {
            watch.standing = Some(standing);
            let off = ", but you took the rule away: ";
            (None, sentence!(pay, " saves ", saving, off, before))
        }
        Some(saving) if watch.snoozed_until.is_some_and(|until| look.now < until) => {
            watch.standing = Some(standing);
            let until = watch.snoozed_until.unwrap_or(look.now);
            let snoozed = sentence!(", but you snoozed the list until ", until, ": ");
            let why = sentence!(pay, " saves ", saving, snoozed, before);
            (None, why)
        }
        Some(saving) if standing.told && age < look.cooldown => {
            watch.standing = Some(standing);
            let fresh = ", but the last alert is fresh: ";
            let why = sentence!(pay, " saves ", saving, fresh, before);
            (None, why)
        }
        Some(saving) => {
            watch.standing = Some(keep(look.now, true));
            let at = Sentence::join(sum.at.iter().cloned(), ", ");
            let why = sentence!(saving, " less than ", before, "; ", at);
            (Some(saving), why)
        }
        None if age > OUTDATED => {
            watch.standing = Some(keep(look.now, false));
            (None, sentence!(pay, " is noted in place of ", before))
        }
        None => {
            watch.standing = Some(standing);
            let worst = if cost.worst == pay {
                Sentence::default()
            } else {
                sentence!(" (", cost.worst, " at the worst)")
            };
            let why = sentence!(pay, worst, " is not clearly less than ", before);
            (None, why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::api::types::NotBought;

    fn eur(text: &str) -> Money {
        format!("{text} EUR").parse().expect("test money")
    }

    fn sum(pay: &str, worst: &str) -> Sum {
        Sum {
            cost: ListCost {
                pay: eur(pay),
                worst: eur(worst),
            },
            at: vec![sentence!("alpha.example ", eur(pay))],
        }
    }

    struct Case {
        watch: ListWatch,
        wants: Vec<(Id, u32)>,
    }

    impl Case {
        fn new() -> Self {
            Self {
                watch: ListWatch::default(),
                wants: vec![(Id::new(), 1), (Id::new(), 2)],
            }
        }

        fn look(&mut self, day: i64, added: &Result<Sum, Sentence>) -> (bool, String) {
            let look = Look {
                wants: self.wants.clone(),
                now: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day),
                gate: BasketGate {
                    amount: rust_decimal::Decimal::TWO,
                    percent: 3,
                },
                cooldown: SignedDuration::from_hours(20),
            };
            let (saving, why) = judge(&mut self.watch, &look, added.as_ref());
            (saving.is_some(), why.to_string())
        }
    }

    #[test]
    fn a_list_is_told_when_it_is_clearly_cheaper_than_last_told_and_only_then() {
        let mut case = Case::new();
        let mut told = |day, pay, worst| case.look(day, &Ok(sum(pay, worst)));
        assert!(!told(0, "90.00", "90.00").0, "the first sum");
        assert!(!told(0, "80.00", "80.00").0, "offers come in");
        assert!(!told(3, "78.50", "78.50").0, "under the gate");
        assert!(!told(3, "70.00", "79.00").0, "delivery may eat it");
        let (fired, why) = told(4, "70.00", "70.00");
        assert!(
            fired && why.starts_with("10.00 EUR less than 80.00 EUR"),
            "{why}"
        );
        assert!(!told(4, "60.00", "60.00").0, "the last alert is fresh");
        assert!(!told(5, "75.00", "75.00").0);
        assert!(told(6, "60.00", "60.00").0);
        assert!(!told(40, "90.00", "90.00").0, "outdated: noted anew");
        assert!(told(43, "80.00", "80.00").0);
    }

    #[test]
    fn a_snoozed_list_speaks_again_afterwards() {
        let mut case = Case::new();
        case.look(0, &Ok(sum("90.00", "90.00")));
        case.watch.snoozed_until = Some(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 9));
        let (fired, why) = case.look(8, &Ok(sum("80.00", "80.00")));
        assert!(
            !fired && why.contains("you snoozed the list until 1970-01-10"),
            "{why}"
        );
        let (fired, why) = case.look(9, &Ok(sum("80.00", "80.00")));
        assert!(
            fired && why.starts_with("10.00 EUR less than 90.00 EUR"),
            "{why}"
        );
    }

    #[test]
    fn a_muted_list_says_nothing_and_keeps_what_it_is_compared_with() {
        let mut case = Case::new();
        case.look(0, &Ok(sum("90.00", "90.00")));
        case.watch.muted = true;
        let (fired, why) = case.look(2, &Ok(sum("80.00", "80.00")));
        assert!(!fired && why.contains("you took the rule away"), "{why}");
        case.watch.muted = false;
        assert!(case.look(3, &Ok(sum("80.00", "80.00"))).0);
    }

    #[test]
    fn what_cannot_be_compared_is_not_told_and_changes_nothing() {
        let mut case = Case::new();
        case.look(0, &Ok(sum("90.00", "90.00")));
        let (fired, why) = case.look(2, &Err("`milk`: no offer is known to be it".into()));
        assert!(!fired && why.contains("milk"), "{why}");
        assert!(case.look(3, &Ok(sum("80.00", "80.00"))).0);
        case.wants.pop();
        assert!(!case.look(5, &Ok(sum("20.00", "20.00"))).0, "another list");
    }

    #[test]
    fn why_a_list_is_not_compared_keeps_its_amounts() {
        let nobody = NotBought {
            name: "tea".into(),
            because: sentence!("alpha.example: costs ", eur("9"), " too much"),
            ..NotBought::default()
        };
        let reply = BasketReply {
            nobody: vec![nobody],
            ..BasketReply::default()
        };
        let why = super::sum(&reply).expect_err("nobody offers it");
        let locale = crate::engine::locale::Locale::named("de_DE");
        assert_eq!(
            locale.say(&why),
            "`tea`: alpha.example: costs 9,00\u{a0}€ too much"
        );
    }
}
