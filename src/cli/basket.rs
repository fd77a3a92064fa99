//! `emptor basket`: where to buy a whole list.

use super::client::{Client, encode};
use super::context::{CliError, Context, Result, aside};
use super::terms::tried;
use crate::agent::api::types::{
    BasketReply, BasketRequest, BundleView, CartView, Done, NotBought, PlanView, SplitView,
    TryCoupon, WorstView,
};
use crate::agent::paths::Paths;
use crate::model::{Id, Money};
use clap::Args;

/// `emptor basket`
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  emptor basket                             all shopping items that are open
  emptor basket groceries --max-shops 2
  emptor basket wishes --budget '300 EUR' --explain
  emptor basket groceries --from office     fetch where that is cheaper
  emptor basket --coupon 'shop.example 10% min 40 EUR cap 8 EUR'

Items of a shopping list are all bought. A wish with a limit is bought only if it adds no more
than its limit. What shops take for an order, coupons and noted prices: `emptor shop --help`.
Ctrl-C ends the search with the best plan so far.")]
pub struct Basket {
    /// The list; all shopping items without it
    list: Option<String>,
    /// At most so many shops
    #[arg(long, value_name = "N")]
    max_shops: Option<usize>,
    /// Where trips to shops start: a name under [places] in the settings, or LAT,LON
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    from: Option<String>,
    /// Count a coupon this once; may be given again
    #[arg(long, value_name = "SHOP GIVES", value_parser = tried)]
    coupon: Vec<TryCoupon>,
    /// The most to pay in all
    #[arg(long, value_name = "MONEY")]
    budget: Option<Money>,
    /// Stop after so many milliseconds with the best plan so far
    #[arg(long, value_name = "N")]
    limit_ms: Option<u64>,
    /// Also where delivery costs come from, and what each thing is called there
    #[arg(long)]
    explain: bool,
}

/// Runs it.
///
/// # Errors
/// Whatever the daemon says.
pub async fn run(cx: &mut Context, args: Basket) -> Result {
    let run = Id::new().to_string();
    let request = BasketRequest {
        list: args.list,
        max_shops: args.max_shops,
        from: args.from,
        budget: args.budget,
        limit_ms: args.limit_ms,
        run: Some(run.clone()),
        coupons: args.coupon,
    };
    // A locked vault asks for the passphrase here, where Ctrl-C still ends the program.
    let _: serde_json::Value = cx.get("/v1/shops").await?;
    let paths = cx.paths.clone();
    let reply = {
        let mut answer = std::pin::pin!(cx.post::<BasketReply>("/v1/basket", &request));
        tokio::select! {
            reply = &mut answer => reply?,
            pressed = tokio::signal::ctrl_c() => {
                pressed.map_err(|e| CliError::failed(format!("cannot catch Ctrl-C: {e}")))?;
                aside(format_args!("Stopping; the best plan so far:\n"));
                stop(&paths, &run).await?;
                answer.await?
            }
        }
    };
    cx.show(&reply, |cx, r| print(cx, r, args.explain))
}

/// Asks for the best so far, over a connection of its own: the other one waits.
async fn stop(paths: &Paths, run: &str) -> Result {
    let mut client = Client::connect(paths, false).await?;
    let path = format!("/v1/basket/{}/stop", encode(run));
    let _: Done = client.post(&path, &()).await?;
    Ok(())
}

fn print(cx: &Context, r: &BasketReply, explain: bool) {
    let money = |m: &Money| cx.locale.money(m);
    match &r.plan {
        Some(plan) => print_plan(cx, r, plan, explain),
        None => cx.line("Nobody offers anything on this list."),
    }
    if let (Some(each), Some(plan)) = (&r.cheapest_each, &r.plan)
        && each.amount > plan.pay.amount
    {
        let more = Money::new(each.amount - plan.pay.amount, each.currency);
        cx.line(&cx.dim(&format!(
            "The cheapest shop for each thing would cost {}: {} more.",
            money(each),
            money(&more)
        )));
    }
    for split in &r.splits {
        print_split(cx, split);
    }
    for bundle in &r.bundles {
        print_bundle(cx, bundle);
    }
    for limit in &r.limits {
        let name = limit.limit.replace('_', "-");
        match &limit.saving {
            Some(s) if !s.amount.is_zero() => {
                cx.line(&if r.left_out.is_empty() {
                    format!("Without --{name} it would cost {} less.", money(s))
                } else {
                    format!(
                        "--{name} keeps out wishes worth {} more to you than they cost.",
                        money(s)
                    )
                });
            }
            Some(_) => cx.line(&cx.dim(&format!("Keeping --{name} costs nothing."))),
            None => {}
        }
    }
    if let Some(worst) = &r.worst {
        print_worst(cx, worst);
    }
    not_bought(cx, "Left out", &r.left_out);
    not_bought(cx, "Nobody offers", &r.nobody);
    if !r.nobody.is_empty() {
        cx.line(
            &cx.dim("  A price you know counts: `emptor shop price add SHOP WANT --price MONEY`."),
        );
    }
    for note in &r.notes {
        cx.line(&cx.yellow(&format!("Note: {note}")));
    }
}

fn print_plan(cx: &Context, r: &BasketReply, plan: &PlanView, explain: bool) {
    let money = |m: &Money| cx.locale.money(m);
    if plan.shops.is_empty() {
        cx.line("Nothing is bought: nothing fits these limits.");
        return;
    }
    for cart in &plan.shops {
        print_cart(cx, cart, explain);
    }
    let shops = match plan.shops.len() {
        1 => "one shop".to_owned(),
        n => format!("{n} shops"),
    };
    let sure = if plan.proven {
        cx.green(&plan.sure())
    } else {
        cx.yellow(&plan.sure())
    };
    cx.line(&format!(
        "{} for {} from {shops} ({sure}; {} ms)",
        cx.bold(&money(&plan.pay)),
        match (
            r.wants.saturating_sub(r.left_out.len()),
            r.wants + r.nobody.len(),
        ) {
            (1, 1) => "one want".to_owned(),
            (some, all) if some == all => format!("{all} wants"),
            (some, all) => format!("{some} of {all} wants"),
        },
        r.milliseconds
    ));
}

fn print_cart(cx: &Context, cart: &CartView, explain: bool) {
    let money = |m: &Money| cx.locale.money(m);
    cx.line(&format!("{}  {}", cx.bold(&cart.shop), money(&cart.pay)));
    for line in &cart.lines {
        let each = if line.quantity > 1 {
            format!("  ({} each)", money(&line.price))
        } else {
            String::new()
        };
        cx.line(&format!(
            "  {} x {}  {}{each}",
            line.quantity,
            line.bought(),
            money(&line.total)
        ));
        if let Some(url) = &line.url {
            cx.line(&cx.dim(&format!("      {url}")));
        }
        if let Some(packs) = &line.packs {
            cx.line(&format!("      {packs}"));
        }
        if let (Some(title), true) = (&line.title, explain) {
            cx.line(&cx.dim(&format!("      sold there as {title} [{}]", line.offer)));
        }
    }
    for c in &cart.coupons {
        cx.line(&format!("  coupon {}  -{}", c.code, money(&c.saves)));
    }
    print_delivery(cx, cart, explain);
    let more = |missing: &Money, saves: &Money, how: &str, add: Option<&String>| {
        let add = add.map_or_else(String::new, |a| format!(", for example {a}"));
        cx.line(&format!(
            "  {} more here saves {} {how}{add}",
            money(missing),
            money(saves)
        ));
    };
    if let Some(next) = &cart.next {
        more(&next.missing, &next.saves, "of delivery", next.add.as_ref());
    }
    if let Some(next) = &cart.next_coupon {
        let how = format!("by coupon {}", next.code);
        more(&next.missing, &next.saves, &how, next.add.as_ref());
    }
}

fn print_delivery(cx: &Context, cart: &CartView, explain: bool) {
    let money = |m: &Money| cx.locale.money(m);
    let because = |source: &str| match explain {
        true => format!("  ({source})"),
        false => String::new(),
    };
    if let Some(trip) = &cart.trip {
        cx.line(&format!(
            "  fetch it: the trip costs {}{}",
            money(&trip.cost),
            because(&trip.source)
        ));
        if !cart.delivery.amount.is_zero() {
            cx.line(&format!("  having it ready  {}", money(&cart.delivery)));
        }
        return;
    }
    let delivery = if cart.delivery.amount == cart.delivery_high.amount {
        money(&cart.delivery)
    } else {
        format!(
            "{} (up to {})",
            money(&cart.delivery),
            money(&cart.delivery_high)
        )
    };
    let source = because(&cart.delivery_source);
    cx.line(&format!("  delivery  {delivery}{source}"));
}

fn print_bundle(cx: &Context, b: &BundleView) {
    let money = |m: &Money| cx.locale.money(m);
    let apart = match &b.saves {
        Some(saves) => format!("saves {} over buying its parts", money(saves)),
        None => "its parts cannot all be had apart, or not within your limits".to_owned(),
    };
    cx.line(&format!(
        "Bundle {} for {}: {apart}",
        b.name,
        money(&b.price)
    ));
    if b.saves.is_some() && !b.anyway.is_empty() {
        cx.line(&format!(
            "  you would buy anyway: {}, for {} apart",
            b.anyway.join(", "),
            money(&b.apart)
        ));
    }
    if !b.only_here.is_empty() {
        let what = b.only_here.join(", ");
        cx.line(&match &b.saves {
            None => format!("  nobody else has {what}"),
            Some(_) if b.price.amount > b.apart.amount => {
                let rest = Money::new(b.price.amount - b.apart.amount, b.price.currency);
                format!(
                    "  you would not buy by itself: {what}; that is the other {}",
                    money(&rest)
                )
            }
            Some(_) => format!("  you would not buy by itself: {what}; it comes for nothing"),
        });
    }
}

fn print_split(cx: &Context, s: &SplitView) {
    let money = |m: &Money| cx.locale.money(m);
    let shops = match s.shops {
        1 => "One shop".to_owned(),
        n => format!("{n} shops"),
    };
    let Some(pay) = &s.pay else {
        let missing = if s.missing.is_empty() {
            String::new()
        } else {
            format!(": the fullest lacks {}", s.missing.join(", "))
        };
        cx.line(&format!("{shops} cannot serve the list{missing}"));
        return;
    };
    let saving = s
        .saving
        .map(|m| format!(", saves {}", money(&m)))
        .unwrap_or_default();
    let proven = if s.proven { "" } else { ", not proven best" };
    let without = match &s.missing[..] {
        [] => String::new(),
        missing => format!(", without {}", missing.join(", ")),
    };
    if s.at.is_empty() {
        return;
    }
    cx.line(&format!(
        "{shops}: {}{saving}  {}{without}{proven}",
        money(pay),
        s.at.join(" + ")
    ));
}

fn print_worst(cx: &Context, worst: &WorstView) {
    let money = |m: &Money| cx.locale.money(m);
    cx.line(&format!("At worst {}:", money(&worst.pay)));
    for line in &worst.unknown {
        cx.line(&format!("  {line}"));
    }
    if let Some(pay) = &worst.instead_pay {
        let at = match &worst.instead[..] {
            [] => "buying nothing".to_owned(),
            shops => shops.join(" + "),
        };
        let without = match &worst.instead_without[..] {
            [] => String::new(),
            names => format!(": beyond your limit is then {}", names.join(", ")),
        };
        cx.line(&format!(
            "  then {at} would be better, for {}{without}",
            money(pay)
        ));
    }
}

fn not_bought(cx: &Context, title: &str, wants: &[NotBought]) {
    for want in wants {
        cx.line(&cx.yellow(&format!(
            "{title}: {} [{}]: {}",
            want.name, want.want, want.reason
        )));
    }
}
