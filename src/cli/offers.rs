//! `emptor offers` and `emptor history`: what there is and what it cost.

use super::client::encode;
use super::context::{Context, Result};
use super::format::{Locale, ago, availability, count};
use crate::agent::api::types::{
    Answer, Blind, Decide, Done, HistoryPoint, HistoryReply, OfferView, OffersReply, WantView,
};
use crate::model::Money;
use crate::model::time::Timestamp;
use crate::model::want::WantStatus;
use clap::Args;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// `emptor offers`
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  emptor offers drill --explain
  emptor offers drill --same 1a2b3c4d     this offer is what I want
  emptor offers drill --not 1a2b3c4d      this one is not")]
pub struct Offers {
    /// The want: its id or part of its name; all open wants without it
    want: Option<String>,
    /// Show every part of the landed cost and the reasons
    #[arg(long)]
    explain: bool,
    /// Also offers that fail a condition
    #[arg(long)]
    all: bool,
    /// This offer is the thing wanted
    #[arg(long, value_name = "OFFER", requires = "want")]
    same: Option<String>,
    /// This offer is not the thing wanted
    #[arg(long, value_name = "OFFER", requires = "want")]
    not: Option<String>,
    /// Among several prices on a page, this one
    #[arg(long, value_name = "OFFER", requires = "want")]
    choose: Option<String>,
}

/// Runs `emptor offers`.
///
/// # Errors
/// Whatever the daemon says.
pub async fn run(cx: &mut Context, args: Offers) -> Result {
    let Some(want) = &args.want else {
        let all: Vec<OffersReply> = cx.get("/v1/offers").await?;
        return cx.show(&all, |cx, all| {
            if all.is_empty() {
                cx.line("No open wants. Add something with `emptor add`.");
            }
            for reply in all {
                print(cx, reply, &args);
            }
            // Once, not under each want.
            let blind = all.iter().flat_map(|r| r.blind.iter().cloned());
            print_blind(cx, &Blind::once(blind), "");
        });
    };
    let path = format!("/v1/wants/{}/offers", encode(want));
    let answers = [
        (&args.same, Answer::Same),
        (&args.not, Answer::Different),
        (&args.choose, Answer::Choose),
    ];
    for (offer, answer) in answers {
        if let Some(offer) = offer {
            let decide = Decide {
                offer: offer.clone(),
                answer,
            };
            let done: Done = cx
                .post(&format!("/v1/wants/{}/decide", encode(want)), &decide)
                .await?;
            if !cx.global.json {
                cx.line(&done.done);
            }
        }
    }
    let reply: OffersReply = cx.get(&path).await?;
    cx.show(&reply, |cx, r| {
        print(cx, r, &args);
        print_blind(cx, &r.blind, "  ");
    })
}

/// One offer on one line.
#[must_use]
pub fn one_line(cx: &Context, o: &OfferView) -> String {
    let cost = o
        .landed
        .as_ref()
        .map_or_else(|| "no price".to_owned(), |c| c.words(&cx.locale));
    let state = match o.source.as_str() {
        "noted" => "noted by you",
        _ => availability(o.availability),
    };
    format!("{} at {} ({state})", cx.green(&cost), o.shop)
}

fn print(cx: &Context, r: &OffersReply, args: &Offers) {
    let now = Timestamp::now();
    cx.line(&format!(
        "{}  {}",
        cx.bold(&r.want.want.counted()),
        cx.dim(&format!("[{}]", r.want.short))
    ));
    if r.want.want.status != WantStatus::Open {
        let status = format!("{:?}", r.want.want.status).to_lowercase();
        cx.line(&cx.yellow(&format!("  this want is {status}")));
    }
    if !r.summary.is_empty() {
        cx.line(&format!("  {}", r.summary));
    }
    for o in &r.ranked {
        print_offer(cx, o, args.explain, now);
    }
    section(
        cx,
        "Is this it? Answer with --same ID or --not ID",
        &r.maybe,
        args.explain,
        now,
    );
    section(
        cx,
        "Several prices on the page: --choose ID",
        &r.ambiguous,
        args.explain,
        now,
    );
    section(
        cx,
        "Noted by you: counts in `emptor basket` only",
        &r.noted,
        true,
        now,
    );
    if args.all {
        section(cx, "Not acceptable", &r.rejected, true, now);
    } else if !r.rejected.is_empty() {
        let offers = count(r.rejected.len(), "more offer");
        let added_up = r.rejected.iter().all(|o| o.landed.is_some());
        let (fail, them) = match (added_up, r.rejected.len()) {
            (false, 1) => ("is not acceptable", "it"),
            (false, _) => ("are not acceptable", "them"),
            (true, 1) => ("fails a condition", "it"),
            (true, _) => ("fail a condition", "them"),
        };
        let text = format!("  {offers} {fail} (--all shows {them})");
        cx.line(&cx.dim(&text));
    }
    if let Some(advice) = r.advice.as_ref().filter(|_| args.explain) {
        cx.line(&format!("  {}", advice.text));
    }
}

/// Prints the sources that give nothing.
pub fn print_blind(cx: &Context, blind: &[Blind], indent: &str) {
    for b in blind {
        let since = b
            .since
            .map(|s| format!(" since {}", cx.locale.time(s)))
            .unwrap_or_default();
        cx.line(&cx.yellow(&format!("{indent}blind{since}: {}", b.words())));
        cx.line(&cx.dim(&format!("{indent}  {}", b.advice)));
    }
}

fn section(cx: &Context, title: &str, offers: &[OfferView], explain: bool, now: Timestamp) {
    if offers.is_empty() {
        return;
    }
    cx.line(&cx.yellow(&format!("  {title}")));
    for o in offers {
        print_offer(cx, o, explain, now);
    }
}

fn print_offer(cx: &Context, o: &OfferView, explain: bool, now: Timestamp) {
    let rank = o
        .rank
        .map_or_else(|| "  -".to_owned(), |r| format!("{r:>3}"));
    let star = if o.shortlisted {
        cx.green("*")
    } else {
        " ".into()
    };
    let total = o.landed.as_ref().map_or_else(
        || {
            o.price
                .map_or_else(|| "no price".to_owned(), |p| cx.locale.money(&p))
        },
        |c| c.words(&cx.locale),
    );
    let days = o
        .delivery_days
        .map(|d| format!(", {}", count(d as usize, "day")))
        .unwrap_or_default();
    let quote = if o.source == "quote" { ", quote" } else { "" };
    let (state, notes) = match &o.notes[..] {
        // The person's own note has a day, and nobody looked whether it can be had.
        [noted, more @ ..] if o.source == "noted" => (noted.clone(), more),
        all => {
            let stock = availability(o.availability);
            let seen = ago(o.seen, now);
            (format!("{stock}{days}{quote}, {seen}"), all)
        }
    };
    cx.line(&format!(
        "{rank}{star} {}  {}  {state}  {}",
        cx.bold(&total),
        o.shop,
        cx.dim(&format!("[{}]", o.id)),
    ));
    if !explain {
        return;
    }
    if let Some(name) = &o.name {
        cx.line(&format!("       {name}"));
    }
    if let Some(c) = &o.landed {
        for t in &c.terms {
            let money = |amount| cx.locale.money(&Money::new(amount, c.mid.currency));
            let range = if t.low == t.high {
                String::new()
            } else {
                format!(" ({} to {})", money(t.low), money(t.high))
            };
            let kind = format!("{:?}", t.kind).to_lowercase();
            let certainty = format!("{:?}", t.certainty).to_lowercase();
            let (mid, said) = (money(t.mid), t.said(c.mid.currency, &cx.locale));
            let source = said.map(|s| format!(": {s}")).unwrap_or_default();
            cx.line(&format!(
                "       {kind:<9} {mid:>10}{range}  {certainty}{source}"
            ));
        }
    }
    for note in notes {
        cx.line(&format!("       {note}"));
    }
    let readers: Vec<String> = o
        .provenance
        .iter()
        .map(|p| {
            format!(
                "{} {}",
                serde_json::to_string(&p.extractor).unwrap_or_default(),
                p.place
            )
        })
        .collect();
    if !readers.is_empty() {
        let readers = readers.join(", ").replace('"', "");
        cx.line(&cx.dim(&format!(
            "       read by {readers}, confidence {:.2}",
            o.confidence
        )));
    }
    if !o.url.is_empty() {
        cx.line(&cx.dim(&format!("       {}", o.url)));
    }
}

/// Runs `emptor history`.
///
/// # Errors
/// Whatever the daemon says.
pub async fn history(cx: &mut Context, want: &str) -> Result {
    let reply: HistoryReply = cx
        .get(&format!("/v1/wants/{}/history", encode(want)))
        .await?;
    cx.show(&reply, |cx, r| {
        cx.line(&format!(
            "{}  {}",
            cx.bold(&r.name),
            cx.dim(&format!("[{}]", r.want))
        ));
        if r.points.is_empty() {
            cx.line("  No price was seen yet.");
            return;
        }
        for line in chart(&r.points, 60, 10, &cx.locale) {
            cx.line(&line);
        }
        if let Some(advice) = &r.advice {
            cx.line(&format!("  {}", advice.text));
        }
        cx.line("");
        for p in r.points.iter().rev().take(10) {
            let price = p
                .price
                .map_or_else(|| "-".to_owned(), |m| cx.locale.money(&m));
            // Another currency, or another pack.
            let other = p.home.filter(|home| Some(*home) != p.price);
            let counts = other.map_or_else(String::new, |home| {
                format!(", counts as {}", cx.locale.money(&home))
            });
            cx.line(&format!(
                "  {}  {price:>14}  {}  {}{counts}",
                cx.locale.time(p.at),
                p.shop,
                availability(p.availability)
            ));
        }
    })
}

/// The lowest price over the shops at each time, as a step chart of block characters.
fn chart(points: &[HistoryPoint], width: usize, height: usize, locale: &Locale) -> Vec<String> {
    let priced: Vec<(&HistoryPoint, Money)> = points
        .iter()
        .filter_map(|p| p.home.map(|m| (p, m)))
        .collect();
    let (Some(first), Some(last)) = (priced.first(), priced.last()) else {
        return Vec::new();
    };
    let (from, to) = (first.0.at.as_second(), last.0.at.as_second());
    let column = |at: Timestamp| {
        let span = (to - from).max(1);
        (((at.as_second() - from) * (width as i64 - 1)) / span).clamp(0, width as i64 - 1) as usize
    };
    // A shop keeps its price until it is read again; the line shows the lowest of all.
    let mut latest = std::collections::BTreeMap::new();
    let mut next = 0;
    let mut lowest: Vec<Option<Decimal>> = Vec::with_capacity(width);
    for x in 0..width {
        while let Some((point, money)) = priced.get(next).filter(|p| column(p.0.at) <= x) {
            latest.insert(point.url.as_str(), money.amount);
            next += 1;
        }
        lowest.push(latest.values().min().copied());
    }
    let low = lowest.iter().flatten().min().copied().unwrap_or_default();
    let high = lowest.iter().flatten().max().copied().unwrap_or_default();
    // A price that never changed needs no height.
    let height = if high == low { 1 } else { height };
    let row = |value: Decimal| {
        let range = if high == low {
            Decimal::ONE
        } else {
            high - low
        };
        let share = ((high - value) / range).to_f64().unwrap_or_default();
        ((share * (height - 1) as f64).round() as usize).min(height - 1)
    };
    let line: Vec<Option<usize>> = lowest.into_iter().map(|v| v.map(row)).collect();
    let currency = first.1.currency;
    let label = |amount| locale.money(&Money::new(amount, currency));
    let labels = [label(high), label(low)];
    let pad = labels.iter().map(|l| l.chars().count()).max().unwrap_or(0);
    let mut out: Vec<String> = (0..height)
        .map(|y| {
            let text = match y {
                0 => labels[0].as_str(),
                y if y + 1 == height => labels[1].as_str(),
                _ => "",
            };
            let row: String = line
                .iter()
                .map(|at| if *at == Some(y) { '█' } else { ' ' })
                .collect();
            format!("  {text:>pad$} ┤{}", row.trim_end())
        })
        .collect();
    let (start, end) = (locale.time(first.0.at), locale.time(last.0.at));
    let gap = width
        .saturating_sub(start.chars().count() + end.chars().count())
        .max(1);
    out.push(format!("  {:pad$} └{}", "", "─".repeat(width)));
    out.push(format!("  {:pad$}  {start}{}{end}", "", " ".repeat(gap)));
    out
}

/// The name of a want for other commands' messages.
#[must_use]
pub fn title(view: &WantView) -> String {
    format!("{} [{}]", view.want.name, view.short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Availability;

    #[test]
    fn the_chart_shows_the_lowest_price_as_steps() {
        let point = |day: i64, url: &str, price: &str| HistoryPoint {
            at: Timestamp::from_second(day * 86_400).expect("in range"),
            shop: "s.example".into(),
            url: url.into(),
            price: price.parse().ok(),
            home: price.parse().ok(),
            availability: Availability::InStock,
        };
        let points = [
            point(0, "a", "10 EUR"),
            point(5, "b", "8 EUR"),
            point(10, "b", "12 EUR"),
        ];
        let lines = chart(&points, 11, 5, &Locale::default());
        // a stays at 10, so b's rise to 12 does not lift the lowest price above 10.
        insta::assert_snapshot!(lines[..5].join("\n"), @r"
          10.00 EUR ┤█████     █
                    ┤
                    ┤
                    ┤
           8.00 EUR ┤     █████
        ");
        let flat = [point(0, "a", "10 EUR"), point(9, "a", "10 EUR")];
        let lines = chart(&flat, 11, 5, &Locale::default());
        assert_eq!(lines.len(), 3, "{lines:#?}");
        assert_eq!(lines[0], "  10.00 EUR ┤███████████");
    }
}
