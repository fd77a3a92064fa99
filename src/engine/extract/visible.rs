//! Prices and stock as a person would find them: what stands near the title and the buy
//! button, and is not crossed out, for another product, for delivery or by the kilogram.

use super::stock;
use super::zone::{Zone, zones};
use crate::engine::html::{Document, NodeId, Tag};
use crate::engine::price::{self, Figure, Hints, Kind};
use crate::model::{Availability, Currency};
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::ops::Range;

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

    /// The largest element around `leaf` whose text is still one price.
    fn block(&self, leaf: NodeId) -> Option<(NodeId, Vec<Figure>)> {
        let mut best = None;
        let mut at = Some(leaf);
        for level in 0..5 {
            let Some(node) = at else { break };
            if self.text_len(node) > MAX_BLOCK && level > 0 || self.text_len(node) > 160 {
                break;
            }
            if matches!(
                self.doc.tag(node),
                Some(Tag::Body | Tag::Html | Tag::Tr | Tag::Ul | Tag::Ol)
            ) {
                break;
            }
            let text = self.price_text(node);
            let mut figures: Vec<Figure> = price::figures(&text, self.hints)
                .into_iter()
                .filter(|f| f.kind != Kind::Percent && f.amount > Decimal::ZERO)
                .collect();
            if figures.iter().any(|f| f.has_mark) {
                figures.retain(|f| f.has_mark);
            }
            let marked = figures.iter().any(|f| f.has_mark)
                || (level == 0 && self.names_price(node) && figures.len() == 1);
            match (&best, marked) {
                // The sign is of another price that stands in an element of its own.
                (None, true) if level > 0 && self.holds_whole_price(node, leaf) => break,
                (Some(_), true) if self.holds_old_price(node, leaf) => break,
                (None, true) => best = Some((node, figures)),
                (Some((_, inner)), true) => {
                    // A larger block that says more about the same one price.
                    let same = figures.len() == 1
                        && inner.len() == 1
                        && (inner[0].has_mark || !self.holds_whole_price(node, leaf))
                        && figures[0]
                            .amount
                            .to_string()
                            .starts_with(&inner[0].amount.to_string())
                        && (figures[0].end - figures[0].start) >= (inner[0].end - inner[0].start);
                    if !same {
                        break;
                    }
                    best = Some((node, figures));
                }
                (Some(_), false) => break,
                (None, false) if figures.len() != 1 && level > 0 => break,
                // Only a percentage, a size, a date: no part of a price.
                (None, false) if figures.is_empty() => break,
                (None, false) if figures.len() > 1 => break,
                (None, false) => {}
            }
            at = self.doc.parent(node);
        }
        best
    }

    /// Whether a crossed-out amount stands beside `leaf`.
    fn holds_old_price(&self, node: NodeId, leaf: NodeId) -> bool {
        !self.zone(leaf).has(Zone::OLD)
            && self.doc.descendants(node).any(|id| {
                self.zone(id).has(Zone::OLD)
                    && self
                        .doc
                        .raw_text(id)
                        .is_some_and(|t| t.bytes().any(|b| b.is_ascii_digit()))
            })
    }

    /// Whether an element outside `leaf` has an amount with its currency.
    fn holds_whole_price(&self, node: NodeId, leaf: NodeId) -> bool {
        self.doc.descendants(node).any(|id| {
            let has_digit = |t: &str| t.bytes().any(|b| b.is_ascii_digit());
            self.doc.raw_text(id).is_some_and(has_digit)
                && self.doc.parent(id).is_some_and(|own| {
                    !self.doc.contains(own, leaf)
                        && !self.doc.contains(leaf, own)
                        && price::figures(&self.price_text(own), self.hints)
                            .iter()
                            .any(|f| f.has_mark)
                })
        })
    }

    fn names_price(&self, node: NodeId) -> bool {
        self.zone(node).has(Zone::PRICE)
            || self
                .doc
                .parent(node)
                .is_some_and(|p| self.zone(p).has(Zone::PRICE))
    }

    /// The text of a price block: cents that stand in an element of their own get their
    /// point back, numbers of different elements stay apart.
    fn price_text(&self, node: NodeId) -> String {
        let mut out = String::new();
        for id in std::iter::once(node).chain(self.doc.descendants(node)) {
            let Some(text) = self.doc.text(id) else {
                continue;
            };
            let zone = self.zone(id);
            if zone.has(Zone::OLD) && !self.zone(node).has(Zone::OLD) {
                continue;
            }
            let parent = self.doc.parent(id).unwrap_or(NodeId::ROOT);
            if matches!(self.doc.tag(parent), Some(Tag::Script | Tag::Style)) {
                continue;
            }
            let trimmed = text.trim();
            let ends_with_digit = out.ends_with(|c: char| c.is_ascii_digit());
            if ends_with_digit && trimmed.starts_with(|c: char| c.is_ascii_digit()) {
                let two = trimmed.bytes().take_while(u8::is_ascii_digit).count() == 2;
                let cents = matches!(self.doc.tag(parent), Some(Tag::Sup | Tag::Sub | Tag::Small))
                    || self.zone(parent).has(Zone::CENTS)
                    || (trimmed.len() == 2
                        && !text.starts_with(char::is_whitespace)
                        && ends_whole(&out));
                out.push(if two && cents { '.' } else { ' ' });
            }
            let ends_open = !out.is_empty() && !out.ends_with(char::is_whitespace);
            if ends_open
                && !ends_with_digit
                && (trimmed.starts_with(char::is_alphabetic) || out.ends_with(char::is_alphabetic))
            {
                out.push(' ');
            }
            push_folded(&mut out, &text);
            if out.len() > 400 {
                break;
            }
        }
        out.trim().to_owned()
    }

    /// The words right before a block, for "was", "from", "RRP".
    fn words_before(&self, block: NodeId, floor: usize) -> String {
        let mut at = block.index();
        let floor = at.saturating_sub(12).max(floor);
        while at > floor {
            at -= 1;
            let id = self.doc.id_at(at);
            let Some(text) = self.doc.text(id) else {
                continue;
            };
            let text = text.trim();
            if text.is_empty() || self.zone(id).has(Zone::HIDDEN) {
                continue;
            }
            // Not another amount, but "save 10 %" and "from 5".
            let has_digit = text.bytes().any(|b| b.is_ascii_digit());
            let is_label = text.len() <= 40
                && (!has_digit
                    || text.contains('%')
                    || (text.len() <= 12 && !text.contains(['.', ',', '$', '€', '£'])));
            return if is_label {
                text.to_lowercase()
            } else {
                String::new()
            };
        }
        String::new()
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

    /// Prices in blocks that look the same belong to a list of products.
    fn mark_repeated(&self, found: &mut [Candidate]) -> usize {
        let mut groups: HashMap<u64, Vec<usize>> = HashMap::new();
        for (i, candidate) in found.iter().enumerate() {
            groups
                .entry(self.signature(candidate.node))
                .or_default()
                .push(i);
        }
        let mut most = 0;
        for members in groups.into_values() {
            // A price with its instalment and its saving is no list of products.
            let is_price =
                |i: &&usize| matches!(found[**i].kind, Kind::Price | Kind::From | Kind::List);
            let members: Vec<usize> = members.iter().filter(is_price).copied().collect();
            let mut amounts: Vec<Decimal> = members.iter().map(|i| found[*i].amount).collect();
            amounts.sort_unstable();
            amounts.dedup();
            let live = members.iter().filter(|i| !found[**i].old).count();
            if members.len() >= 3 && amounts.len() >= 2 {
                most = most.max(live);
                for i in members {
                    found[i].repeated = true;
                    found[i].score -= if amounts.len() >= 3 { 2.5 } else { 1.0 };
                }
            }
        }
        most
    }

    /// Of two prices side by side the higher is the old one. Where a percentage beside
    /// them says by how much the price fell, that is certain.
    fn mark_discounted(&self, found: &mut [Candidate]) {
        let percents = self.percents();
        for i in 0..found.len() {
            for j in i + 1..found.len().min(i + 4) {
                let (at, next) = (found[i].node.index(), found[j].node.index());
                let alike = found[i].aside == found[j].aside && !found[i].old && !found[j].old;
                if !alike
                    || at.abs_diff(next) > 40
                    || found[i].score < 1.5
                    || found[j].score < 0.5
                    || found[i].amount == found[j].amount
                {
                    continue;
                }
                let (high, low) = if found[i].amount > found[j].amount {
                    (i, j)
                } else {
                    (j, i)
                };
                if found[high].kind != Kind::Price
                    || found[low].conditional
                    || !matches!(found[low].kind, Kind::Price | Kind::From)
                {
                    continue;
                }
                let fell =
                    (Decimal::ONE - found[low].amount / found[high].amount) * Decimal::ONE_HUNDRED;
                let said = percents.iter().any(|(place, p)| {
                    place.abs_diff(at) <= 60 && (*p - fell).abs() <= Decimal::ONE
                });
                if said {
                    found[high].old = true;
                    found[high].score -= 4.0;
                    found[low].score += 0.5;
                } else if at.abs_diff(next) <= 15 && fell < Decimal::from(80) {
                    found[high].score -= 0.5;
                }
            }
        }
    }

    /// Percentages on the page, with their places.
    fn percents(&self) -> Vec<(usize, Decimal)> {
        let mut out = Vec::new();
        for id in self.doc.ids() {
            let Some(text) = self
                .doc
                .raw_text(id)
                .filter(|t| t.len() < 60 && t.contains('%'))
            else {
                continue;
            };
            let figures = price::figures(text, self.hints);
            let says_less = self.zone(id).has(Zone::DISCOUNT)
                || text.contains(['-', '−', '–'])
                || price::context::names_discount(text);
            if says_less {
                let percents = figures.iter().filter(|f| f.kind == Kind::Percent);
                out.extend(percents.map(|f| (id.index(), f.amount)));
            }
            if out.len() > 500 {
                break;
            }
        }
        out
    }

    /// A hash of the names and classes of a block and what is around it.
    fn signature(&self, block: NodeId) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        for id in std::iter::once(block).chain(self.doc.ancestors(block).take(4)) {
            self.doc.name(id).hash(&mut hasher);
            self.doc.raw_attr(id, "class").hash(&mut hasher);
        }
        hasher.finish()
    }

    /// The nodes where the page speaks of its own product.
    fn window(&self, price: Option<&Candidate>) -> Option<Range<usize>> {
        let anchor = self.title.or(price.map(|p| p.node)).or(self.buy)?.index();
        let last = [price.map(|p| p.node), self.buy]
            .into_iter()
            .flatten()
            .map(NodeId::index)
            .filter(|i| *i < anchor + 4000)
            .max();
        let end = last.map_or(anchor + 400, |l| l.max(anchor) + 300);
        Some(anchor.saturating_sub(60)..end.min(self.doc.len()))
    }

    /// What elements made for it say about stock.
    fn stated_availability(&self, price: Option<&Candidate>) -> Option<Availability> {
        self.window(price)?.find_map(|index| {
            let id = self.doc.id_at(index);
            let zone = self.zone(id);
            let speaks = self.doc.tag(id).is_some()
                && zone.has(Zone::STOCK)
                && !zone.has(ASIDE.with(Zone::STORE))
                && (1..=120).contains(&self.text_len(id))
                && !self.in_choice(id);
            speaks
                .then(|| stock::from_text(&self.doc.inner_text(id, 160)))
                .flatten()
        })
    }

    /// What short texts and the buy button say about stock.
    fn plain_availability(&self, price: Option<&Candidate>) -> Option<Availability> {
        let mut plain = None;
        for index in self.window(price)? {
            let id = self.doc.id_at(index);
            if self.zone(id).has(ASIDE) {
                continue;
            }
            let Some(text) = self.doc.raw_text(id) else {
                continue;
            };
            if !(4..=60).contains(&text.trim().len()) || self.in_choice(id) {
                continue;
            }
            let found = self.doc.text(id).and_then(|t| stock::from_plain_text(&t));
            plain = match (plain, found) {
                (None, found) => found,
                // "Sold out" on the button outweighs "in stock" in a legend.
                (
                    Some(Availability::InStock),
                    Some(Availability::OutOfStock | Availability::Discontinued),
                ) if self.in_button(id) => found,
                (known, _) => known,
            };
        }
        let disabled =
            |b: NodeId| self.doc.raw_attr(b, "disabled").is_some() && is_sold_out(&self.label(b));
        if self.buy.is_some_and(disabled) {
            return Some(Availability::OutOfStock);
        }
        plain.or_else(|| self.buy.is_some().then_some(Availability::InStock))
    }

    fn in_button(&self, id: NodeId) -> bool {
        self.doc
            .ancestors(id)
            .take(3)
            .any(|n| self.doc.tag(n) == Some(Tag::Button))
    }

    /// Inside a choice of sizes or colours, where one may be sold out and others not.
    fn in_choice(&self, id: NodeId) -> bool {
        self.doc.ancestors(id).take(4).any(|n| {
            matches!(
                self.doc.tag(n),
                Some(Tag::Select | Tag::Option | Tag::Label | Tag::Li)
            )
        })
    }
}

/// Whether a text ends with an amount in whole units: digits of another element right
/// behind it are its cents, as nobody writes two prices without a gap.
fn ends_whole(text: &str) -> bool {
    let tail: String = text
        .chars()
        .rev()
        .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
        .collect();
    let has_cents = tail.find(['.', ',']).is_some_and(|digits| digits != 3);
    !has_cents
}

/// Appends a text with runs of white space folded, so that the words before an amount
/// stay near it.
fn push_folded(out: &mut String, text: &str) {
    for c in text.chars() {
        let is_space = c.is_ascii_whitespace();
        if !(is_space && (out.is_empty() || out.ends_with(' '))) {
            out.push(if is_space { ' ' } else { c });
        }
    }
}

/// Parts of the page that do not speak of its product.
const ASIDE: Zone = Zone::HIDDEN
    .with(Zone::RELATED)
    .with(Zone::GRID)
    .with(Zone::CART)
    .with(Zone::CHROME)
    .with(Zone::REVIEW)
    .with(Zone::FILTER);

fn is_sold_out(label: &str) -> bool {
    matches!(
        stock::from_text(label),
        Some(Availability::OutOfStock | Availability::Discontinued)
    )
}

/// A price with a crossed-out higher one beside it is the one to pay.
fn mark_beside_old(found: &mut [Candidate]) {
    for i in 0..found.len() {
        let own = &found[i];
        if own.old || own.aside || !matches!(own.kind, Kind::Price | Kind::From) {
            continue;
        }
        let near = found[i.saturating_sub(2)..found.len().min(i + 3)].iter();
        let beside = near.filter(|o| o.old && !o.aside).any(|o| {
            let gap = o.node.index().abs_diff(own.node.index());
            o.amount > own.amount && o.amount < own.amount * Decimal::TEN && gap <= 12
        });
        if beside {
            found[i].score += 1.0;
        }
    }
}

enum Label {
    /// "Price", "now only", "incl. VAT".
    Price,
    /// For members, subscribers, holders of a card.
    Conditional,
    /// "From 10": a price for larger orders.
    Quantity,
    Other,
}

/// What the words beside an amount promise, in lower case.
fn label(before: &str, after: &str) -> Label {
    fn words(text: &str) -> impl DoubleEndedIterator<Item = &str> {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
    }
    if words(before)
        .chain(words(after))
        .any(|w| CONDITIONS.contains(&w))
    {
        return Label::Conditional;
    }
    let counts = before.len() <= 16 && !before.contains('%');
    if counts && words(before).any(|w| w.bytes().all(|b| b.is_ascii_digit())) {
        return Label::Quantity;
    }
    let bare = before.trim_end_matches(|c: char| !c.is_alphanumeric());
    let named = words(before)
        .next_back()
        .is_some_and(|w| PRICE_WORDS.contains(&w))
        || PRICE_WORDS
            .iter()
            .any(|p| !p.is_ascii() && bare.ends_with(p));
    if named || GROSS.iter().any(|g| after.contains(g)) {
        Label::Price
    } else {
        Label::Other
    }
}

/// With tax: what a private buyer pays.
#[rustfmt::skip]
const GROSS: &[&str] = &[
    "inkl", "incl", "inc vat", "inc. vat", "inc gst", "inc. gst", "ttc", "iva inc", "con iva", "s dph", "vč. dph", "vč dph", "brutto", "z vat", "moms inkl", "med moms", "sis. alv", "áfával", "s pdv", "cu tva", "kdv dahil", "με φπα", "с ндс", "税込", "含税",
];

/// Words right before the price to pay.
#[rustfmt::skip]
const PRICE_WORDS: &[&str] = &[
    "price", "now", "today", "only", "total", "preis", "jetzt", "nur", "prix", "maintenant", "precio", "ahora", "oferta", "preço", "preco", "agora", "por", "prezzo", "ora", "adesso", "prijs", "nu", "voor",
    "cena", "teraz", "nyní", "ár", "most", "preț", "pret", "acum", "pris", "hinta", "nyt", "hind", "kaina", "cijena", "цена", "сейчас", "ціна", "зараз", "цената", "τιμή", "τώρα", "fiyat", "fiyatı", "şimdi",
    "harga", "giá", "ราคา", "السعر", "سعر", "الآن", "מחיר", "عكس", "قیمت", "価格", "税込", "价格", "价", "售价", "現在", "特價", "售價", "가격", "판매가", "कीमत",
];

/// Words that make a price depend on who buys.
#[rustfmt::skip]
const CONDITIONS: &[&str] = &[
    "member", "members", "club", "clubcard", "card", "loyalty", "prime", "trade", "mitglied", "mitglieder", "karte", "kundenkarte", "carte", "fidélité", "membre", "socio", "socios", "tarjeta", "tessera", "lid", "leden",
    "subscribe", "subscription", "autoship", "abo", "sparabo", "abonnement", "abonnez", "suscríbete", "suscripción", "assinatura", "abbonamento", "prenumeration", "předplatné", "подписка", "подписке", "定期",
    "kartu", "kartou", "kartą", "klub", "klubu", "členové", "karta", "картой", "карте", "карты", "клуба", "клубная", "medlem", "medlemmer", "jäsen", "students", "student", "coupon", "voucher", "gutschein", "会员价", "会員価格", "会員",
];

/// Words on buttons that put the product into the basket.
#[rustfmt::skip]
const BUY_WORDS: &[&str] = &[
    "add to cart", "add to bag", "add to basket", "add to trolley", "buy now", "buy it now", "in den warenkorb", "warenkorb", "jetzt kaufen", "ajouter au panier", "acheter",
    "añadir al carrito", "agregar al carrito", "añadir a la cesta", "comprar", "adicionar ao carrinho", "aggiungi al carrello", "acquista", "in winkelwagen", "in winkelmandje", "bestellen",
    "do koszyka", "dodaj do koszyka", "kup teraz", "do košíku", "do košíka", "koupit", "kúpiť", "vložiť do košíka", "kosárba", "adaugă în coș", "adauga in cos", "lägg i varukorg", "köp", "legg i handlekurv", "kjøp",
    "læg i kurv", "køb", "lisää ostoskoriin", "lisa ostukorvi", "lisa korvi", "pirkt", "ielikt grozā", "į krepšelį", "в корзину", "купить", "купити", "в кошик", "добави в количката", "προσθήκη στο καλάθι", "στο καλάθι",
    "sepete ekle", "dodaj u košaricu", "u košaricu", "dodaj u korpu", "kupi", "v košarico", "カートに入れる", "购买", "加入购物车", "加入購物車", "立即購買", "장바구니", "구매", "thêm vào giỏ", "mua ngay", "beli", "أضف إلى السلة", "הוסף לסל", "หยิบใส่",
];

fn is_buy_text(text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() || text.len() > 120 {
        return false;
    }
    let text = text.to_lowercase();
    BUY_WORDS.iter().any(|w| match text.len() {
        n if n < w.len() => false,
        n if n == w.len() => text == *w,
        n => {
            (w.len() > 6 && text.starts_with(w))
                || (w.len() > 8 && n <= w.len() + 12 && text.contains(w))
        }
    })
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
