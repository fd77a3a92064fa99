//! Why the rules on a want spoke or were silent.

use crate::agent::api::types::Why;
use crate::agent::store::Store;
use crate::engine::alert::Decision;
use crate::model::AlertRule;
use crate::model::want::Want;
use crate::vault::VaultError;

/// Everything that was decided about a want and about the list it is on, newest first.
///
/// # Errors
/// As the vault.
pub fn why(store: &Store, want: &Want) -> Result<Vec<Why>, VaultError> {
    let mut all = Vec::new();
    for rule in store.rules()?.into_iter().filter(|r| r.want == want.id) {
        let name = rule.rule.to_string();
        all.extend(rule.decisions.into_iter().map(|(at, decision)| {
            let (told, reason) = match decision {
                Decision::Fire(fire) => (true, fire.to_string()),
                Decision::Hold(hold) => (false, hold.to_string()),
            };
            entry(at, &name, told, reason)
        }));
    }
    let guarantee = AlertRule::PriceGuarantee.to_string();
    for purchase in store.purchases()?.iter().filter(|p| p.want == want.id) {
        let looks = purchase.looks.iter().cloned();
        all.extend(looks.map(|(at, told, reason)| entry(at, &guarantee, told, reason)));
    }
    let whole = format!("{} {}", AlertRule::WholeList, want.list);
    let looks = store.list_watch(&want.list)?.looks.into_iter();
    all.extend(looks.map(|(at, told, reason)| entry(at, &whole, told, reason)));
    for alert in store.alerts()?.iter().filter(|a| a.want == want.id) {
        if let Some(held) = &alert.held {
            all.push(entry(
                alert.at,
                &alert.rule.to_string(),
                false,
                held.clone(),
            ));
        }
    }
    all.sort_by_key(|w| std::cmp::Reverse(w.at));
    Ok(all)
}

fn entry(at: crate::model::time::Timestamp, rule: &str, told: bool, reason: String) -> Why {
    Why {
        at,
        rule: rule.to_owned(),
        decision: if told { "fired" } else { "held" }.to_owned(),
        reason,
    }
}
