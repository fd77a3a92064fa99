//! `emptor alerts` and `emptor notify`.

use super::client::encode;
use super::context::{Context, Result};
use super::format::count;
use crate::agent::api::types::{AlertsReply, Done, ListView, NewRule, NotifyTest, RuleView, Why};
use crate::model::AlertRule;
use crate::model::time::Timestamp;
use clap::Subcommand;

/// Alerts shown where not all are asked for.
const NEWEST: usize = 20;

/// `emptor alerts`
#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  emptor alerts add drill 'under 120 EUR'
  emptor alerts add drill 'low in 90 days'
  emptor alerts add drill 'back in stock'
  emptor alerts add drill '15% under usual'
  emptor alerts add drill better              judged by its own history
  emptor alerts rm groceries                  what this list costs as a whole is told no more
  emptor alerts add groceries 'whole list'    it is told again
  emptor alerts why drill
  emptor alerts why groceries                 the list as a whole
  emptor alerts list --all                    not only the newest

Shopping lists are watched as a whole by themselves. `emptor list snooze --list groceries --until
2030-01-01` silences one for a while.")]
pub enum Alerts {
    /// What fired, and the rules
    #[command(alias = "ls")]
    List {
        /// All that fired, not only the newest
        #[arg(long)]
        all: bool,
    },
    /// Watch a want with a rule, or a list as a whole
    Add {
        /// The want; for `whole list` the list
        want: String,
        /// The rule
        rule: AlertRule,
    },
    /// Remove a rule
    Rm {
        /// Its id, or the name of a list that is watched as a whole
        rule: String,
    },
    /// Why the rules on a want, or what is told of a list as a whole, spoke or were silent
    Why {
        /// The want, or the list
        want: String,
    },
}

/// `emptor notify`
#[derive(Subcommand, Debug)]
pub enum Notify {
    /// Send a message through each channel
    Test,
}

/// Runs `emptor alerts`.
///
/// # Errors
/// Whatever the daemon says.
pub async fn run(cx: &mut Context, verb: Option<Alerts>) -> Result {
    match verb.unwrap_or(Alerts::List { all: false }) {
        Alerts::List { all } => {
            let reply: AlertsReply = cx.get("/v1/alerts").await?;
            cx.show(&reply, |cx, r| {
                if r.alerts.is_empty() {
                    cx.line("No alert yet.");
                }
                let shown = if all { r.alerts.len() } else { NEWEST };
                for a in r.alerts.iter().take(shown) {
                    cx.line(&format!("{}  {}", cx.locale.time(a.at), cx.bold(&a.title)));
                    cx.line(&format!("    {}", a.reason));
                    if let Some(held) = &a.held {
                        cx.line(&cx.dim(&format!("    {held}")));
                    }
                    if let Some(url) = &a.url {
                        cx.line(&cx.dim(&format!("    {url}")));
                    }
                }
                if r.alerts.len() > shown {
                    let older = count(r.alerts.len() - shown, "older alert");
                    cx.line(&cx.dim(&format!("{older}: `emptor alerts list --all`")));
                }
                if !r.rules.is_empty() {
                    cx.line(&cx.bold("Rules"));
                }
                for rule in &r.rules {
                    print_rule(cx, rule);
                }
                if !r.lists.is_empty() {
                    cx.line(&cx.bold("Whole lists"));
                }
                r.lists.iter().for_each(|l| print_list(cx, l));
            })
        }
        Alerts::Add { want, rule } => {
            let rule: RuleView = cx.post("/v1/rules", &NewRule { want, rule }).await?;
            cx.show(&rule, print_rule)
        }
        Alerts::Rm { rule } => {
            let done: Done = cx.delete(&format!("/v1/rules/{}", encode(&rule))).await?;
            cx.show(&done, |cx, d| cx.line(&d.done))
        }
        Alerts::Why { want } => {
            let why: Vec<Why> = cx.get(&format!("/v1/wants/{}/why", encode(&want))).await?;
            cx.show(&why, |cx, why| {
                if why.is_empty() {
                    cx.line("No rule was looked at yet.");
                }
                for (w, times, first) in runs(why) {
                    let decision = if w.decision == "fired" {
                        cx.green(&w.decision)
                    } else {
                        cx.dim(&w.decision)
                    };
                    let before = match times {
                        1 => String::new(),
                        n => {
                            let first = cx.locale.time(first);
                            cx.dim(&format!("  ({n} times since {first})"))
                        }
                    };
                    cx.line(&format!(
                        "{}  {}  {decision}: {}{before}",
                        cx.locale.time(w.at),
                        w.rule,
                        w.reason
                    ));
                }
            })
        }
    }
}

/// The decisions, newest first, with those together in which a rule said the same several
/// times in a row: the newest, how many, and when the first was.
fn runs(why: &[Why]) -> Vec<(&Why, usize, Timestamp)> {
    let mut runs: Vec<(&Why, usize, Timestamp)> = Vec::new();
    for w in why {
        let last = runs.iter_mut().rev().find(|(l, ..)| l.rule == w.rule);
        match last {
            Some((l, times, first)) if (&l.decision, &l.reason) == (&w.decision, &w.reason) => {
                *times += 1;
                *first = w.at;
            }
            _ => runs.push((w, 1, w.at)),
        }
    }
    runs
}

/// Runs `emptor notify`.
///
/// # Errors
/// Whatever the daemon says.
pub async fn notify(cx: &mut Context, verb: Notify) -> Result {
    let Notify::Test = verb;
    let sent: NotifyTest = cx.post("/v1/notify/test", &()).await?;
    let log = cx.paths.log.display().to_string();
    cx.show(&sent, |cx, s| {
        if s.delivered == "desktop" {
            cx.line("Sent to the desktop.");
        } else {
            cx.line(&format!(
                "No desktop notification service: written to the log ({log})."
            ));
        }
    })
}

/// Prints the watch on a list.
pub fn print_list(cx: &Context, l: &ListView) {
    let off = if l.muted { "  (told no more)" } else { "" };
    cx.line(&format!("  {}{off}", l.list));
    if !l.state.is_empty() {
        cx.line(&cx.dim(&format!("    {}", l.state)));
    }
    if let Some(until) = l.snoozed_until {
        cx.line(&cx.dim(&format!("    snoozed until {}", cx.locale.time(until))));
    }
}

fn print_rule(cx: &Context, r: &RuleView) {
    let want = match r.want.as_str() {
        "" => String::new(),
        want => cx.dim(&format!(" [{want}]")),
    };
    let id = cx.dim(&format!("rule {}", r.id));
    let rule = cx.locale.say(&r.rule.words());
    cx.line(&format!("  {rule}  {}{want}  {id}", r.name));
    if !r.state.is_empty() {
        cx.line(&cx.dim(&format!("    {}", r.state)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rule_says_again_and_again_is_one_line() {
        let why = |at: i64, rule: &str, reason: &str| Why {
            at: Timestamp::from_second(at).expect("in range"),
            rule: rule.into(),
            decision: "held".into(),
            reason: reason.into(),
        };
        let all = [
            why(9, "a", "told"),
            why(9, "b", "young"),
            why(7, "a", "told"),
            why(6, "a", "dear"),
            why(5, "b", "young"),
            why(4, "a", "told"),
        ];
        let lines: Vec<(&str, &str, usize, i64)> = runs(&all)
            .into_iter()
            .map(|(w, n, first)| (&w.rule[..], &w.reason[..], n, first.as_second()))
            .collect();
        assert_eq!(
            lines,
            [
                ("a", "told", 2, 7),
                ("b", "young", 2, 5),
                ("a", "dear", 1, 6),
                ("a", "told", 1, 4),
            ]
        );
    }
}
