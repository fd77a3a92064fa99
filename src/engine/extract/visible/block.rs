//! The element that shows one price, and the words around it.

use super::super::zone::Zone;
use super::{MAX_BLOCK, Reader};
use crate::engine::html::{NodeId, Tag};
use crate::engine::price::{self, Figure, Kind};
use rust_decimal::Decimal;

impl Reader<'_> {
    /// The largest element around `leaf` whose text is still one price.
    pub(super) fn block(&self, leaf: NodeId) -> Option<(NodeId, Vec<Figure>)> {
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
    pub(super) fn holds_old_price(&self, node: NodeId, leaf: NodeId) -> bool {
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
    pub(super) fn holds_whole_price(&self, node: NodeId, leaf: NodeId) -> bool {
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

    pub(super) fn names_price(&self, node: NodeId) -> bool {
        self.zone(node).has(Zone::PRICE)
            || self
                .doc
                .parent(node)
                .is_some_and(|p| self.zone(p).has(Zone::PRICE))
    }

    /// The text of a price block: cents that stand in an element of their own get their
    /// point back, numbers of different elements stay apart.
    pub(super) fn price_text(&self, node: NodeId) -> String {
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
    pub(super) fn words_before(&self, block: NodeId, floor: usize) -> String {
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
