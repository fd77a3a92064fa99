//! Prices compared with each other: lists of products, and old prices beside new ones.

use super::super::zone::Zone;
use super::{Candidate, Reader};
use crate::engine::html::NodeId;
use crate::engine::price::{self, Kind};
use rust_decimal::Decimal;
use std::collections::HashMap;

impl Reader<'_> {
    /// Prices in blocks that look the same belong to a list of products.
    pub(super) fn mark_repeated(&self, found: &mut [Candidate]) -> usize {
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
    pub(super) fn mark_discounted(&self, found: &mut [Candidate]) {
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
    pub(super) fn percents(&self) -> Vec<(usize, Decimal)> {
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
    pub(super) fn signature(&self, block: NodeId) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        for id in std::iter::once(block).chain(self.doc.ancestors(block).take(4)) {
            self.doc.name(id).hash(&mut hasher);
            self.doc.raw_attr(id, "class").hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// A price with a crossed-out higher one beside it is the one to pay.
pub(super) fn mark_beside_old(found: &mut [Candidate]) {
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
