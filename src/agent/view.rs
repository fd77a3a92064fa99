//! From records to answers: the ranked short list of a want.

mod history;
mod market;
mod noted;

pub use history::history;
pub use market::{Delivery, Market, Teller, Trip};

use super::api::types::{Blind, CostView, OfferView, OffersReply, TermView, WantView};
use super::store::{Listing, Store, Zone};
use super::{life, packs};
use crate::engine::landed::LandedError;
use crate::engine::locale::count;
use crate::engine::rank::{Candidate, Check, Ranking, Stock, WantContext, check, for_want};
use crate::market::shop::domain_of;
use crate::model::landed::LandedTerm;
use crate::model::seller::SourceHealth;
use crate::model::tender::{Session, SessionStatus, Tender, TenderStatus};
use crate::model::time::{Timestamp, days_between};
use crate::model::want::{Requirement, Want};
use crate::model::{Availability, Id, LandedCost, Money, Offer, Sentence, sentence};
use crate::vault::VaultError;
use std::collections::{BTreeSet, HashMap};
use url::Url;

/// An offer that can be had now and meets a want's conditions.
#[derive(Clone, Debug)]
pub struct Buyable {
    /// What people type.
    pub id: String,
    /// The shop's domain or the provider.
    pub shop: String,
    /// Where to buy.
    pub url: String,
    /// The offer.
    pub offer: Offer,
}

/// The offers a want can be bought at, whatever its limit, and why each other one is
/// left out. What must be waited for counts only if nothing else is there.
///
/// # Errors
/// As the vault.
pub fn buyable(
    store: &Store,
    market: &Market,
    want: &Want,
) -> Result<(Vec<Buyable>, Vec<Sentence>), VaultError> {
    let unlimited = Want {
        limit: None,
        ..want.clone()
    };
    let rows = same_rows(store, market, &unlimited)?;
    let ranking = rank(market, &unlimited, &rows);
    let row_of = by_id(&rows);
    let mut out: Vec<Sentence> = ranking
        .rejected
        .iter()
        .filter_map(|r| Some((row_of.get(r.id.as_str())?, r)))
        .map(|(row, r)| sentence!(&row.shop, ": ", &r.reason))
        .collect();
    let first = ranking.ranked.iter().map(|r| r.stock).min();
    let worst = match first {
        Some(Stock::Later) => Stock::Later,
        _ => Stock::Unknown,
    };
    let mut buyable = Vec::new();
    for r in &ranking.ranked {
        let Some(row) = row_of.get(r.id.as_str()) else {
            continue;
        };
        if r.stock > worst {
            out.push(sentence!(&row.shop, ": cannot be had now"));
            continue;
        }
        buyable.push(Buyable {
            id: row.id.clone(),
            shop: row.shop.clone(),
            url: row.url.clone(),
            offer: row.offer.clone(),
        });
    }
    Ok((buyable, out))
}

/// Whether the offers for a want differ in a condition. With fewer than two offers
/// nobody knows yet, so they may.
///
/// # Errors
/// As the vault.
pub fn differs(
    store: &Store,
    market: &Market,
    want: &Want,
    conditions: &[&Requirement],
) -> Result<Vec<bool>, VaultError> {
    let rows = same_rows(store, market, want)?;
    let candidates = candidates(market, &rows);
    let differs = |condition: &&Requirement| {
        let met = |c: &Candidate<'_>| matches!(check(condition, c), Check::Met);
        let first = candidates.first().map(met);
        candidates.len() < 2 || candidates.iter().any(|c| Some(met(c)) != first)
    };
    Ok(conditions.iter().map(differs).collect())
}

fn same_rows(store: &Store, market: &Market, want: &Want) -> Result<Vec<Row>, VaultError> {
    let tenders = store.tenders_of(want.id)?;
    let mut rows = rows(market, want, store.listings_of(want.id)?, &tenders);
    rows.retain(|r| r.zone == Zone::Same && r.source != "candidate");
    Ok(rows)
}

/// The source of what the person noted.
const NOTED: &str = "noted";

/// An offer to be ranked, crawled, quoted or noted.
struct Row {
    id: String,
    shop: String,
    url: String,
    offer: Offer,
    seen: Timestamp,
    source: &'static str,
    zone: Zone,
    reasons: Vec<String>,
    /// How many pieces it takes, where that is not the number wanted.
    pieces: Option<u32>,
    cost: Result<LandedCost, LandedError>,
}

/// Rows by their ids, which a ranking names; of equal ones the first.
fn by_id(rows: &[Row]) -> HashMap<&str, &Row> {
    let all = rows.iter().rev();
    all.map(|row| (row.id.as_str(), row)).collect()
}

/// The answer for one want.
///
/// # Errors
/// As the vault.
pub fn offers(store: &Store, market: &Market, want: &Want) -> Result<OffersReply, VaultError> {
    let noted = noted::rows(store, market, want)?;
    answer(store, market, want, noted)
}

/// The same without what the person noted: what was read or quoted.
///
/// # Errors
/// As the vault.
pub fn read_offers(store: &Store, market: &Market, want: &Want) -> Result<OffersReply, VaultError> {
    answer(store, market, want, Default::default())
}

/// The least the person noted for a want that answers it by itself, delivered, and the
/// shop.
///
/// # Errors
/// As the vault.
pub fn noted_cost(
    store: &Store,
    market: &Market,
    want: &Want,
) -> Result<Option<(Money, String)>, VaultError> {
    let (ranked, _) = noted::rows(store, market, want)?;
    let cheapest = ranked.into_iter().next();
    Ok(cheapest.and_then(|row| Some((row.cost.ok()?.mid().rounded(), row.shop))))
}

fn answer(
    store: &Store,
    market: &Market,
    want: &Want,
    (noted, apart): (Vec<Row>, Vec<Row>),
) -> Result<OffersReply, VaultError> {
    let listings = store.listings_of(want.id)?;
    let mut rows = rows(market, want, listings, &store.tenders_of(want.id)?);
    rows.extend(noted);
    let (same, rest): (Vec<Row>, Vec<Row>) = rows
        .into_iter()
        .partition(|r| r.zone == Zone::Same && r.source != "candidate");
    let (ambiguous, maybe): (Vec<Row>, Vec<Row>) =
        rest.into_iter().partition(|r| r.source == "candidate");
    let ranking = rank(market, want, &same);
    let row_of = by_id(&same);
    let mut ranked = Vec::new();
    for r in &ranking.ranked {
        let Some(row) = row_of.get(r.id.as_str()) else {
            continue;
        };
        let mut view = offer_view(market, row);
        view.rank = Some(r.rank);
        view.effective = Some(r.mid);
        view.notes.extend(r.flags.iter().map(|f| market.say(f)));
        for t in r
            .terms
            .iter()
            .filter(|t| t.id.contains(['=', '<', '~']) && !t.mid.is_zero())
        {
            let counts = Money::new(t.mid, market.home());
            view.notes.push(market.say(sentence!(
                &t.id,
                ": counts as ",
                counts,
                " more (",
                &t.source,
                ")"
            )));
        }
        if let Some(listed) = ranking.shortlist.iter().find(|l| l.id == r.id) {
            view.shortlisted = true;
            if ranking.shortlist.len() > 1 {
                view.notes.push(listed.wins.clone());
            }
            if !listed.against_first.is_empty() {
                view.notes.push(market.say(&listed.against_first));
            }
            if let Some(cut) = &listed.price_cut {
                let cut = sentence!("would be first if it cost ", *cut, " less");
                view.notes.push(market.say(cut));
            }
        }
        view.notes.retain(|n| !n.is_empty());
        ranked.push(view);
    }
    let rejected = ranking
        .rejected
        .iter()
        .filter_map(|r| {
            let mut view = offer_view(market, row_of.get(r.id.as_str())?);
            let reason = market.say(&r.reason);
            if !view.notes.contains(&reason) {
                view.notes.push(reason);
            }
            Some(view)
        })
        .collect();
    let maybe: Vec<OfferView> = maybe
        .iter()
        .filter(|r| r.zone == Zone::Maybe)
        .map(|r| offer_view(market, r))
        .collect();
    let summary = market.say(ranking.summary);
    let best = ranked.first().filter(|o| {
        !matches!(
            o.availability,
            Availability::OutOfStock | Availability::Discontinued
        )
    });
    let view = WantView {
        short: want.id.short(),
        want: want.clone(),
        why: match (best, &same[..]) {
            (Some(_), _) => None,
            (None, []) if !ambiguous.is_empty() => Some(format!(
                "its page shows several prices: `emptor offers {}` asks which",
                want.id.short()
            )),
            (None, []) if !maybe.is_empty() => Some(format!(
                "{} may be it: `emptor offers {}` asks",
                count(maybe.len(), "offer"),
                want.id.short()
            )),
            (None, []) => blind_pages(store, want)?
                .first()
                .map(|blind| format!("its page cannot be read: {}", blind.words())),
            (None, _) => Some(summary.clone()),
        },
        best: best.cloned(),
        offers: same.len(),
        maybe: maybe.len(),
        life: life::view(store, market, want)?,
        again: Vec::new(),
    };
    Ok(OffersReply {
        want: view,
        ranked,
        rejected,
        maybe,
        ambiguous: ambiguous.iter().map(|r| offer_view(market, r)).collect(),
        noted: apart.iter().map(|r| offer_view(market, r)).collect(),
        summary,
        blind: blind(store, market, want)?,
        advice: None,
    })
}

/// A want with its best offer.
///
/// # Errors
/// As the vault.
pub fn want(store: &Store, market: &Market, want: &Want) -> Result<WantView, VaultError> {
    Ok(offers(store, market, want)?.want)
}

/// The valid quotes of one tender, best first, as ranked for its want.
#[must_use]
pub fn quotes(market: &Market, want: &Want, tender: &Tender) -> Vec<OfferView> {
    let rows = rows(market, want, Vec::new(), std::slice::from_ref(tender));
    let ranking = rank(market, want, &rows);
    let row_of = by_id(&rows);
    let mut views: Vec<OfferView> = ranking
        .ranked
        .iter()
        .filter_map(|r| {
            let mut view = offer_view(market, row_of.get(r.id.as_str())?);
            view.rank = Some(r.rank);
            view.notes.extend(r.flags.iter().map(|f| market.say(f)));
            Some(view)
        })
        .collect();
    for r in &ranking.rejected {
        if let Some(row) = row_of.get(r.id.as_str()) {
            let mut view = offer_view(market, row);
            view.notes.push(market.say(&r.reason));
            views.push(view);
        }
    }
    views
}

fn rows(market: &Market, want: &Want, listings: Vec<Listing>, tenders: &[Tender]) -> Vec<Row> {
    // What was seen at a shop that is followed no more is history.
    let pages: Vec<&String> = want.urls.iter().chain(&want.found).collect();
    let followed = listings
        .into_iter()
        .filter(|l| market.shop(&l.shop).is_some() || pages.contains(&&l.url));
    let mut rows: Vec<Row> = followed
        .filter_map(|l| {
            let link = l.links.iter().find(|k| k.want == want.id)?;
            let zone = link.zone;
            let reasons = link.reasons.clone();
            let number = packs::number(want, &l.offer);
            (zone != Zone::Different).then(|| Row {
                cost: market.landed_for(want.id, &l.offer, &l.shop, number),
                pieces: (number != want.quantity).then_some(number),
                id: l.id,
                shop: l.shop,
                url: l.url,
                offer: l.offer,
                seen: l.last_seen,
                source: if l.candidate { "candidate" } else { "crawl" },
                zone,
                reasons,
            })
        })
        .collect();
    let asked = tenders.iter().filter(|t| t.want == want.id && is_live(t));
    for session in asked.flat_map(|t| &t.sessions) {
        rows.extend(quote_row(market, want, session));
    }
    rows
}

const fn is_live(tender: &Tender) -> bool {
    !matches!(
        tender.status,
        TenderStatus::Cancelled | TenderStatus::Unsuccessful | TenderStatus::Closed
    )
}

fn quote_row(market: &Market, want: &Want, session: &Session) -> Option<Row> {
    let open = matches!(
        session.status,
        SessionStatus::Active
            | SessionStatus::AgreedProvisional
            | SessionStatus::Committed
            | SessionStatus::Dormant
    );
    let quote = session.quotes.last().filter(|_| open)?;
    if quote
        .valid_through
        .is_some_and(|until| until < market.now())
    {
        return None;
    }
    let shop = quote
        .offer
        .seller
        .clone()
        .unwrap_or_else(|| session.endpoint.clone());
    Some(Row {
        id: quote.id.short(),
        cost: market.landed(&quote.offer, &shop, want.quantity, &[]),
        shop,
        url: quote
            .offer
            .url
            .clone()
            .unwrap_or_else(|| session.endpoint.clone()),
        offer: quote.offer.clone(),
        seen: quote.received,
        source: "quote",
        zone: Zone::Same,
        reasons: Vec::new(),
        pieces: None,
    })
}

fn rank(market: &Market, want: &Want, rows: &[Row]) -> Ranking {
    let tuned = market.trade_offs(want);
    let context = WantContext {
        tuned: &tuned,
        ..WantContext::new(market.home(), market.today())
    };
    // A limit may be in another currency than the sums.
    let limit = want.limit.and_then(|limit| market.home_price(&limit));
    let in_home = limit.filter(|l| Some(*l) != want.limit).map(|limit| Want {
        limit: Some(limit),
        ..want.clone()
    });
    let want = in_home.as_ref().unwrap_or(want);
    for_want(want, &candidates(market, rows), &context)
}

fn candidates<'a>(market: &Market, rows: &'a [Row]) -> Vec<Candidate<'a>> {
    rows.iter()
        .map(|r| Candidate {
            id: &r.id,
            offer: &r.offer,
            landed: r.cost.as_ref(),
            shop: &r.shop,
            shop_days: market.shop(&r.shop).and_then(|s| s.delivery.days),
            distance_km: market.distance_km(&r.shop),
            age_days: u32::try_from(days_between(r.seen, market.now())).ok(),
        })
        .collect()
}

fn offer_view(market: &Market, row: &Row) -> OfferView {
    let o = &row.offer;
    let mut notes = Vec::new();
    if row.zone == Zone::Maybe || row.source == NOTED {
        notes.extend(row.reasons.iter().cloned());
    }
    if let Some(number) = row.pieces {
        notes.push(format!("another pack: it takes {number}"));
    }
    if let Err(e) = &row.cost {
        notes.push(market.say(e.words()));
    }
    OfferView {
        id: row.id.clone(),
        rank: None,
        shop: row.shop.clone(),
        url: row.url.clone(),
        name: o.name.clone(),
        brand: o.brand.clone(),
        gtin: o.gtin.map(|g| g.to_string()),
        price: o.price,
        landed: row.cost.as_ref().ok().map(|c| cost_view(market, c)),
        effective: None,
        availability: o.availability,
        condition: o.condition,
        delivery_days: o.shipping.as_ref().and_then(|s| s.max_days),
        source: row.source.to_owned(),
        seen: row.seen,
        zone: row.zone.name().to_owned(),
        confidence: o.confidence,
        provenance: o.provenance.clone(),
        shortlisted: false,
        notes,
    }
}

fn cost_view(market: &Market, cost: &LandedCost) -> CostView {
    CostView {
        low: cost.low().rounded(),
        mid: cost.mid().rounded(),
        high: cost.high().rounded(),
        certainty: format!("{:?}", cost.certainty()).to_lowercase(),
        terms: cost.terms.iter().map(|t| term_view(market, t)).collect(),
    }
}

fn term_view(market: &Market, term: &LandedTerm) -> TermView {
    TermView {
        kind: term.kind,
        low: term.low,
        mid: term.mid,
        high: term.high,
        certainty: term.certainty,
        source: market.say(&term.source),
    }
}

/// The pages of a want that give nothing at the moment.
///
/// # Errors
/// As the vault.
pub fn blind_pages(store: &Store, want: &Want) -> Result<Vec<Blind>, VaultError> {
    let mut blind = Vec::new();
    for url in want.urls.iter().chain(&want.found) {
        blind.extend(blind_view(url, &store.page(url)?.health));
    }
    Ok(blind)
}

/// The sources that give nothing for a want at the moment: its pages, and whole shops.
fn blind(store: &Store, market: &Market, want: &Want) -> Result<Vec<Blind>, VaultError> {
    let mut blind = blind_pages(store, want)?;
    let domain = |b: &Blind| Url::parse(&b.source).ok().and_then(|u| domain_of(&u));
    let said: BTreeSet<String> = blind.iter().filter_map(domain).collect();
    // A shop that hides this want's page has been named with the page.
    for shop in market.shops().filter(|s| !said.contains(&s.domain)) {
        blind.extend(blind_view(&shop.domain, &shop.health));
    }
    Ok(blind)
}

/// A source as blind, if it is.
#[must_use]
pub fn blind_view(source: &str, health: &SourceHealth) -> Option<Blind> {
    let trouble = health.trouble?;
    Some(Blind {
        source: source.to_owned(),
        since: health.blind_since,
        reason: health
            .detail
            .clone()
            .unwrap_or_else(|| trouble.name().replace('_', " ")),
        advice: trouble.advice().to_owned(),
    })
}

/// Finds a want by its short id, the start of it, its id or part of its name.
#[must_use]
pub fn find_want<'a>(wants: &'a [Want], text: &str) -> Vec<&'a Want> {
    let text = text.trim().to_lowercase();
    if let Ok(id) = text.parse::<Id>() {
        return wants.iter().filter(|w| w.id == id).collect();
    }
    let exact: Vec<&Want> = wants
        .iter()
        .filter(|w| w.id.short() == text || w.name.to_lowercase() == text)
        .collect();
    if !exact.is_empty() {
        return exact;
    }
    let short = text.len() >= 4 && text.bytes().all(|b| b.is_ascii_hexdigit());
    wants
        .iter()
        .filter(|w| {
            (short && w.id.short().starts_with(&text))
                || (!text.is_empty()
                    && text
                        .split_whitespace()
                        .all(|t| w.name.to_lowercase().contains(t)))
        })
        .collect()
}
