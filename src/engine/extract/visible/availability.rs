//! What the page says about stock, near its title, price and buy button.

use super::super::stock;
use super::super::zone::Zone;
use super::{Candidate, Reader};
use crate::engine::html::{NodeId, Tag};
use crate::model::Availability;
use std::ops::Range;

impl Reader<'_> {
    /// The nodes where the page speaks of its own product.
    pub(super) fn window(&self, price: Option<&Candidate>) -> Option<Range<usize>> {
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
    pub(super) fn stated_availability(&self, price: Option<&Candidate>) -> Option<Availability> {
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
    pub(super) fn plain_availability(&self, price: Option<&Candidate>) -> Option<Availability> {
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

    pub(super) fn in_button(&self, id: NodeId) -> bool {
        self.doc
            .ancestors(id)
            .take(3)
            .any(|n| self.doc.tag(n) == Some(Tag::Button))
    }

    /// Inside a choice of sizes or colours, where one may be sold out and others not.
    pub(super) fn in_choice(&self, id: NodeId) -> bool {
        self.doc.ancestors(id).take(4).any(|n| {
            matches!(
                self.doc.tag(n),
                Some(Tag::Select | Tag::Option | Tag::Label | Tag::Li)
            )
        })
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
