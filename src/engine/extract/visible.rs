//! Prices and stock as a person would find them: what stands near the title and the buy
//! button, and is not crossed out, for another product, for delivery or by the kilogram.

mod availability;
mod block;
mod compare;
mod wording;

use super::zone::{Zone, zones};
use crate::engine::html::{Document, NodeId, Tag};
use crate::engine::price::{self, Figure, Hints, Kind};
use crate::model::{Availability, Currency};
use compare::mark_beside_old;
use rust_decimal::Decimal;
use std::collections::HashMap;
use wording::{Label, is_buy_text, label};

/// More price-like texts than this are not looked at.
const MAX_CANDIDATES: usize = 3000;

/// A price block is short; longer texts are prose.
const MAX_BLOCK: usize = 48;

/// A price shown on the page.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The amount.
    pub amount: Decimal,
    /// Its currency, if decided.
    pub currency: Option<Currency>,
    /// The currency as written.
    pub symbol: Option<String>,
    /// The far end, if it is a range.
    pub high: Option<Decimal>,
    /// What the words around it say.
    pub kind: Kind,
    /// The element.
    pub node: NodeId,
    /// How much it looks like the price to pay; above [`CLEAR`] it does.
    pub score: f64,
    /// Crossed out or named a list price.
    pub old: bool,
    /// Stands among other products.
    pub aside: bool,
    /// Shown somewhere as one price, not as the end of a range.
    pub single: bool,
    /// One of several in blocks that look the same.
    pub repeated: bool,
    /// For members, subscribers or larger orders.
    pub conditional: bool,
}

/// The score from which a candidate looks like a price to pay.
pub const CLEAR: f64 = 4.0;

/// What a person sees.
#[derive(Clone, Debug, Default)]
pub struct Visible {
    /// All prices, best first, one entry for each amount and role.
    pub prices: Vec<Candidate>,
    /// The heading that names the product.
    pub title: Option<String>,
    /// Stock as written beside the price or the buy button.
    pub availability: Option<Availability>,
    /// Whether an element made for it says so, and not just any text.
    pub states_availability: bool,
    /// Whether there is a button that buys.
    pub has_buy_button: bool,
    /// How many product blocks with prices are repeated.
    pub repeated: usize,
}

struct Reader<'a> {
    doc: &'a Document,
    hints: &'a Hints<'a>,
    zones: Vec<Zone>,
    /// Bytes of text before each node.
    text_before: Vec<u32>,
    title: Option<NodeId>,
    buy: Option<NodeId>,
}

/// Reads a page. `name` is the product's name as structured data gives it.
#[must_use]
pub fn read(doc: &Document, name: Option<&str>, hints: &Hints) -> Visible {
    let zones = zones(doc);
    let mut text_before = Vec::with_capacity(doc.len() + 1);
    let mut total = 0_u32;
    for id in doc.ids() {
        text_before.push(total);
        if !zones[id.index()].has(Zone::HIDDEN) {
            total += doc.raw_text(id).map_or(0, |t| t.trim().len() as u32);
        }
    }
    text_before.push(total);
    let mut reader = Reader {
        doc,
        hints,
        zones,
        text_before,
        title: None,
        buy: None,
    };
    reader.title = reader.find_title(name);
    reader.buy = reader.find_buy_button();
    reader.read()
}

impl Reader<'_> {
    fn zone(&self, id: NodeId) -> Zone {
        self.zones[id.index()]
    }

    fn text_len(&self, id: NodeId) -> usize {
        let range = self.doc.range(id);
        (self.text_before[range.end] - self.text_before[range.start]) as usize
    }

    /// The heading that names the product: the one most like the known name, else the
    /// first shown.
    fn find_title(&self, name: Option<&str>) -> Option<NodeId> {
        let known = words(name.unwrap_or_default());
        let mut best: Option<(f64, NodeId)> = None;
        for id in self.doc.ids() {
            let weight = match self.doc.tag(id) {
                Some(Tag::H1) => 1.0,
                Some(Tag::H2 | Tag::H3) => 0.3,
                Some(_)
                    if self
                        .doc
                        .raw_attr(id, "itemprop")
                        .is_some_and(|p| p.trim() == "name") =>
                {
                    0.4
                }
                _ => continue,
            };
            let zone = self.zone(id);
            // A layout may call its columns a grid.
            let unfit = if weight < 1.0 {
                Zone::HIDDEN.with(Zone::RELATED).with(Zone::GRID)
            } else {
                Zone::HIDDEN.with(Zone::RELATED)
            };
            if zone.has(unfit) || self.text_len(id) == 0 {
                continue;
            }
            let text = self.doc.inner_text(id, 300);
            let like = overlap(&known, &words(&text));
            if weight < 1.0 && like < 0.6 {
                continue;
            }
            let score = weight + 2.0 * like;
            if best.is_none_or(|(s, _)| score > s) {
                best = Some((score, id));
            }
        }
        best.map(|(_, id)| id)
    }

    fn find_buy_button(&self) -> Option<NodeId> {
        let from = self.title.map_or(0, NodeId::index);
        let mut first = None;
        for id in self.doc.ids() {
            let Some(tag) = self.doc.tag(id) else {
                continue;
            };
            if !matches!(tag, Tag::Button | Tag::Input | Tag::A) {
                continue;
            }
            let zone = self.zone(id);
            if zone.has(
                Zone::RELATED
                    .with(Zone::GRID)
                    .with(Zone::CART)
                    .with(Zone::CHROME),
            ) || self.text_len(id) > 60
            {
                continue;
            }
            let is_buy = zone.has(Zone::BUY) || is_buy_text(&self.label(id));
            if is_buy {
                if id.index() >= from {
                    return Some(id);
                }
                first = first.or(Some(id));
            }
        }
        first
    }

    fn label(&self, id: NodeId) -> String {
        let mut text = self.doc.inner_text(id, 80);
        if self.doc.tag(id) == Some(Tag::Input)
            && let Some(value) = self.doc.attr(id, "value")
        {
            text.push_str(&value);
        }
        text
    }

    fn read(&self) -> Visible {
        let mut found = self.candidates();
        let repeated = self.mark_repeated(&mut found);
        self.mark_discounted(&mut found);
        mark_beside_old(&mut found);
        let mut best: HashMap<(Decimal, bool), Candidate> = HashMap::new();
        for candidate in found {
            let key = (candidate.amount.normalize(), candidate.old);
            match best.get_mut(&key) {
                None => {
                    best.insert(key, candidate);
                }
                Some(known) => {
                    // The same amount again, in a sticky bar or a summary, is a sign.
                    known.single |= candidate.single;
                    let support = if candidate.score > 0.0 && !candidate.aside {
                        0.3
                    } else {
                        0.0
                    };
                    if candidate.score > known.score {
                        let old = std::mem::replace(known, candidate);
                        known.single |= old.single;
                        known.score += if old.score > 0.0 && !old.aside {
                            0.3
                        } else {
                            0.0
                        };
                    } else {
                        known.score += support;
                    }
                }
            }
        }
        let mut prices: Vec<Candidate> = best.into_values().collect();
        prices.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.node.cmp(&b.node)));
        let stated = self.stated_availability(prices.first());
        let availability = stated.or_else(|| self.plain_availability(prices.first()));
        Visible {
            title: self.title.map(|t| self.doc.inner_text(t, 300)),
            has_buy_button: self.buy.is_some(),
            availability,
            states_availability: stated.is_some(),
            prices,
            repeated,
        }
    }

    fn candidates(&self) -> Vec<Candidate> {
        let mut out: Vec<Candidate> = Vec::new();
        let mut covered = 0;
        for id in self.doc.ids() {
            if id.index() < covered || out.len() >= MAX_CANDIDATES {
                continue;
            }
            let Some(text) = self.doc.raw_text(id) else {
                continue;
            };
            if text.len() > 400 || !text.chars().any(char::is_numeric) {
                continue;
            }
            let Some(parent) = self.doc.parent(id) else {
                continue;
            };
            if matches!(
                self.doc.tag(parent),
                Some(Tag::Script | Tag::Style | Tag::Textarea | Tag::Option | Tag::Title)
            ) {
                continue;
            }
            if let Some((block, figures)) = self.block(parent) {
                covered = self.doc.range(block).end;
                // Words inside the last block belong to its amount.
                let floor = out.last().map_or(0, |l| self.doc.range(l.node).end);
                let before = self.words_before(block, floor);
                if matches!(before.trim(), "-" | "–" | "—" | "~")
                    && let Some(low) = out.last_mut()
                    && let [high] = figures.as_slice()
                    && block.index() - low.node.index() <= 16
                    && low.high.is_none()
                    && high.amount > low.amount
                {
                    // Two elements with a dash between them are one range.
                    low.high = Some(high.amount);
                    low.kind = Kind::From;
                    low.single = false;
                    low.score -= 1.5;
                    continue;
                }
                // "2.51 net" right before: the word belongs to that amount.
                let closes_last = matches!(
                    price::context::kind(&before, ""),
                    Kind::Net | Kind::Unit | Kind::Periodic
                ) && out
                    .last()
                    .is_some_and(|l| block.index().abs_diff(self.doc.range(l.node).end) <= 4);
                let before = if closes_last { "" } else { before.as_str() };
                for figure in figures {
                    out.push(self.candidate(block, figure, before));
                }
            }
        }
        out
    }

    fn candidate(&self, block: NodeId, figure: Figure, before: &str) -> Candidate {
        let mut kind = figure.kind;
        if kind == Kind::Price && figure.start == 0 {
            kind = price::context::kind(before, "");
            // "16 % off": the words speak of the percentage.
            if kind == Kind::Discount && before.contains('%') {
                kind = Kind::Price;
            }
        }
        let own: Vec<char> = self
            .price_text(block)
            .chars()
            .flat_map(char::to_lowercase)
            .collect();
        let own_before: String = own.iter().take(figure.start).collect();
        let own_after: String = own.iter().skip(figure.end).take(40).collect();
        let before = if own_before.trim().is_empty() {
            before
        } else {
            &own_before
        };
        let mut zone = self.zone(block);
        let mut near = zone;
        for (level, above) in self.doc.ancestors(block).take(4).enumerate() {
            if level < 3 {
                near = near.with(self.zone(above));
            }
            zone = zone.with(Zone(0).with(if self.zone(above).has(Zone::BUY) {
                Zone::BUY
            } else {
                Zone(0)
            }));
        }
        for below in self.doc.descendants(block) {
            near = near.with(self.zone(below));
        }
        let old = zone.has(Zone::OLD) || kind == Kind::List;
        let aside = zone.has(
            Zone::RELATED
                .with(Zone::GRID)
                .with(Zone::CART)
                .with(Zone::CHROME)
                .with(Zone::FILTER),
        );
        let mut score = if figure.has_mark { 1.0 } else { -0.5 };
        if near.has(Zone::PRICE) {
            score += 1.5;
        }
        if near.has(Zone::CURRENT) && !old {
            score += 0.7;
        }
        if near.has(Zone::MAIN) {
            score += 0.5;
        }
        let is_marked_up = |id: NodeId| {
            self.doc
                .raw_attr(id, "itemprop")
                .is_some_and(|p| matches!(p.trim(), "price" | "lowPrice"))
        };
        if is_marked_up(block) || self.doc.ancestors(block).take(2).any(is_marked_up) {
            score += 1.0;
        }
        if self.text_len(block) <= figure.end - figure.start + 6 {
            score += 0.7;
        }
        if self.doc.ancestors(block).take(3).chain([block]).any(|n| {
            matches!(
                self.doc.tag(n),
                Some(Tag::H2 | Tag::H3 | Tag::H4 | Tag::Strong | Tag::B)
            )
        }) {
            score += 0.3;
        }
        score += match kind {
            Kind::Price | Kind::Free => 0.0,
            Kind::From => -1.5,
            Kind::Net => -0.8,
            Kind::List => -3.0,
            Kind::Periodic | Kind::Instalment => -3.5,
            Kind::UpTo => -3.0,
            _ => -4.0,
        };
        let mut conditional = false;
        if kind == Kind::Price {
            let label = label(before, &own_after);
            conditional = matches!(label, Label::Conditional | Label::Quantity);
            score += match label {
                Label::Price => 0.8,
                Label::Conditional => -2.5,
                Label::Quantity => -1.5,
                Label::Other => 0.0,
            };
        }
        score += self.nearness(block);
        for (purpose, cost) in [
            (Zone::OLD, 4.0),
            (Zone::RELATED, 4.0),
            (Zone::GRID, 1.5),
            (Zone::CHROME, 3.0),
            (Zone::CART, 3.0),
            (Zone::SHIPPING, 3.0),
            (Zone::FINANCE, 3.5),
            (Zone::UNIT, 2.5),
            (Zone::REVIEW, 3.0),
            (Zone::FILTER, 4.0),
            (Zone::DISCOUNT, 1.5),
            (Zone::REGULAR, 0.6),
            (Zone::NET, 0.8),
            (Zone::HIDDEN, 1.5),
        ] {
            if zone.has(purpose) {
                score -= cost;
            }
        }
        Candidate {
            amount: figure.amount,
            currency: figure.currency,
            symbol: figure.symbol,
            high: figure.high,
            kind,
            node: block,
            score,
            old,
            aside,
            single: figure.high.is_none() && kind == Kind::Price && !aside,
            repeated: false,
            conditional,
        }
    }

    /// How close a block is to the title and the buy button, in document order.
    fn nearness(&self, block: NodeId) -> f64 {
        let at = block.index() as f64;
        let mut score = 0.0;
        if let Some(title) = self.title {
            let distance = at - title.index() as f64;
            score += if distance >= 0.0 {
                2.0 * (-distance / 250.0).exp()
            } else if distance > -60.0 {
                0.6 + 1.4 * (distance / 20.0).exp()
            } else {
                -1.0
            };
        }
        if let Some(buy) = self.buy {
            let distance = (at - buy.index() as f64).abs();
            score += 1.5 * (-distance / 120.0).exp();
        }
        score
    }
}

/// The words of a name, lower case.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .take(40)
        .map(str::to_lowercase)
        .collect()
}

/// How much of the shorter list of words is in the longer, from 0 to 1.
pub(super) fn overlap(a: &[String], b: &[String]) -> f64 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() {
        return 0.0;
    }
    let shared = short.iter().filter(|w| long.contains(w)).count();
    shared as f64 / short.len() as f64
}
