//! Why the rules on a want spoke or were silent.

use crate::agent::api::types::Why;
use crate::agent::store::{ListWatch, Store};
use crate::engine::locale::Locale;
use crate::model::time::Timestamp;
use crate::model::want::Want;
use crate::model::{AlertRule, Sentence, sentence};
use crate::vault::VaultError;

/// Everything that was decided about a want and about the list it is on, newest first, for
/// a reader of a locale.
///
/// # Errors
/// As the vault.
pub fn why(store: &Store, want: &Want, locale: &Locale) -> Result<Vec<Why>, VaultError> {
    let mut all = Vec::new();
    for rule in store.rules()?.iter().filter(|r| r.want == want.id) {
        let name = rule.rule.words();
        all.extend(rule.decisions.iter().map(|(at, decision)| {
            let told = decision.fire().is_some();
            entry(*at, &name, told, &decision.words(), locale)
        }));
    }
    let guarantee = AlertRule::PriceGuarantee.words();
    for purchase in store.purchases()?.iter().filter(|p| p.want == want.id) {
        let looks = purchase.looks.iter();
        all.extend(looks.map(|(at, told, reason)| entry(*at, &guarantee, *told, reason, locale)));
    }
    all.extend(why_of_list(&store.list_watch(&want.list)?, locale));
    for alert in store.alerts()?.iter().filter(|a| a.want == want.id) {
        if let Some(held) = &alert.held {
            all.push(entry(alert.at, &alert.rule.words(), false, held, locale));
        }
    }
    all.sort_by_key(|w| std::cmp::Reverse(w.at));
    Ok(all)
}

/// Everything that was decided about a list as a whole, newest first.
pub fn why_of_list(watch: &ListWatch, locale: &Locale) -> Vec<Why> {
    let whole = sentence!(AlertRule::WholeList.words(), " ", &watch.list);
    let looks = watch.looks.iter().rev();
    looks
        .map(|(at, told, reason)| entry(*at, &whole, *told, reason, locale))
        .collect()
}

fn entry(at: Timestamp, rule: &Sentence, told: bool, reason: &Sentence, locale: &Locale) -> Why {
    Why {
        at,
        rule: locale.say(rule),
        decision: if told { "fired" } else { "held" }.to_owned(),
        reason: locale.say(reason),
    }
}
