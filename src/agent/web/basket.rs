//! Where a list is bought, as a page: what a popup about the whole list opens.

use super::{FOOT, HEAD, escape, link_to};
use crate::agent::Agent;
use crate::agent::api::ApiError;
use crate::agent::api::types::{BasketRequest, CartView};
use crate::agent::basket;
use crate::agent::view::Market;
use crate::engine::locale::Locale;
use crate::model::time::Timestamp;
use std::fmt::Write;

/// The longest search: somebody waits for the page.
const LIMIT_MS: u64 = 3_000;

/// The page of a list's basket.
///
/// # Errors
/// An unknown list, contradictory limits, or as the vault.
pub(super) async fn render(agent: &Agent, list: &str) -> Result<String, ApiError> {
    let store = agent.store()?;
    let config = agent.config();
    let locale = config.locale();
    let market = Market::load(&store, &config, Timestamp::now())?.for_reader(locale.clone());
    let request = BasketRequest {
        list: Some(list.to_owned()),
        limit_ms: Some(LIMIT_MS),
        ..BasketRequest::default()
    };
    let reply = basket::find(agent, &store, market, request).await?;
    let mut out = String::from(HEAD);
    let _ = write!(out, "<section><h2>Basket: {}</h2>", escape(&reply.list));
    match &reply.plan {
        Some(plan) => {
            plan.shops.iter().for_each(|c| cart(&mut out, c, &locale));
            let pay = escape(&locale.money(&plan.pay));
            let _ = write!(out, "<p>In all {pay} ({})</p>", plan.sure());
        }
        None => out.push_str("<p>Nobody offers anything on this list.</p>"),
    }
    for (what, wants) in [
        ("Left out", &reply.left_out),
        ("Nobody offers", &reply.nobody),
    ] {
        for want in wants {
            let text = format!("{what}: {}: {}", want.name, want.reason);
            let _ = write!(out, "<p class=\"bad\">{}</p>", escape(&text));
        }
    }
    for note in &reply.notes {
        let _ = write!(out, "<p class=\"bad\">{}</p>", escape(note));
    }
    out.push_str("</section>");
    out.push_str(FOOT);
    Ok(out)
}

fn cart(out: &mut String, cart: &CartView, locale: &Locale) {
    let _ = write!(
        out,
        "<article><h3>{}: {}</h3><table><tbody>",
        escape(&cart.shop),
        escape(&locale.money(&cart.pay))
    );
    for line in &cart.lines {
        let _ = write!(
            out,
            "<tr><td class=\"money\">{}</td><td>{} x {}{}</td></tr>",
            escape(&locale.money(&line.total)),
            line.quantity,
            link_to(line.url.as_ref(), line.bought()),
            line.packs
                .as_ref()
                .map_or_else(String::new, |packs| format!(", {}", escape(packs)))
        );
    }
    for coupon in &cart.coupons {
        let _ = write!(
            out,
            "<tr><td class=\"money\">-{}</td><td>coupon {}</td></tr>",
            escape(&locale.money(&coupon.saves)),
            escape(&coupon.code)
        );
    }
    let mut costs = vec![("delivery", &cart.delivery)];
    if let Some(trip) = &cart.trip {
        costs = vec![
            ("having it ready", &cart.delivery),
            ("the trip to fetch it", &trip.cost),
        ];
    }
    for (what, cost) in costs {
        let _ = write!(
            out,
            "<tr><td class=\"money\">{}</td><td>{what}</td></tr>",
            escape(&locale.money(cost))
        );
    }
    out.push_str("</tbody></table></article>");
}
