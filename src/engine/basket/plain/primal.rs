//! Good answers: add, drop and exchange shops while it pays.

use super::core::{Amount, Core};

/// Pairs of shops that are looked at together.
const MAX_EXCHANGES: usize = 1 << 24;

/// What the core costs with these free shops open.
pub(super) fn cost(core: &Core, open: &[bool]) -> Amount {
    let fees = core.fee.iter().zip(open).filter(|(_, open)| **open);
    let mut cost = core.base + fees.map(|(fee, _)| fee).sum::<Amount>();
    for (j, cap) in core.cap.iter().enumerate() {
        let cheapest = core.cells_of(j).iter().find(|c| open[c.shop as usize]);
        cost += cheapest.map_or(*cap, |c| c.price);
    }
    cost
}

/// The best single addition, removal or exchange, again and again (the fast
/// interchange of Whitaker 1983 and Resende, Werneck 2007). Returns the cost.
pub(super) fn improve(core: &Core, open: &mut [bool], stop: &mut dyn FnMut() -> bool) -> Amount {
    let shops = core.fee.len();
    let mut gain = vec![0; shops];
    let mut loss = vec![0; shops];
    let mut row = vec![0; shops];
    let mut extra: Vec<Amount> = Vec::new();
    loop {
        let opened: Vec<usize> = (0..shops).filter(|s| open[*s]).collect();
        for (at, s) in opened.iter().enumerate() {
            row[*s] = at;
        }
        gain.fill(0);
        loss.fill(0);
        extra.clear();
        // Too many for every exchange: additions and removals come first.
        let exchange = opened.len() * shops <= MAX_EXCHANGES;
        extra.resize(if exchange { opened.len() * shops } else { 0 }, 0);
        for (j, cap) in core.cap.iter().enumerate() {
            let cells = core.cells_of(j);
            let mut serving = cells.iter().filter(|c| open[c.shop as usize]);
            let first = serving.next();
            let second = serving.next().map_or(*cap, |c| c.price);
            let price = first.map_or(*cap, |c| c.price);
            if let Some(first) = first {
                loss[first.shop as usize] += second - price;
            }
            for cell in cells.iter().take_while(|c| c.price < second) {
                if open[cell.shop as usize] {
                    continue;
                }
                gain[cell.shop as usize] += (price - cell.price).max(0);
                if let Some(first) = first.filter(|_| exchange) {
                    let at = row[first.shop as usize] * shops + cell.shop as usize;
                    extra[at] += second - cell.price.max(price);
                }
            }
        }
        let mut best = (0, None, None);
        for s in (0..shops).filter(|s| !open[*s]) {
            let add = gain[s] - core.fee[s];
            if add > best.0 {
                best = (add, Some(s), None);
            }
        }
        for (at, out) in opened.iter().enumerate() {
            let drop = core.fee[*out] - loss[*out];
            if drop > best.0 {
                best = (drop, None, Some(*out));
            }
            if !exchange {
                continue;
            }
            let extra = &extra[at * shops..(at + 1) * shops];
            for s in (0..shops).filter(|s| !open[*s]) {
                let swap = drop + gain[s] - core.fee[s] + extra[s];
                if swap > best.0 {
                    best = (swap, Some(s), Some(*out));
                }
            }
        }
        let (saving, add, drop) = best;
        if saving == 0 || stop() {
            return cost(core, open);
        }
        add.into_iter().for_each(|s| open[s] = true);
        drop.into_iter().for_each(|s| open[s] = false);
    }
}
