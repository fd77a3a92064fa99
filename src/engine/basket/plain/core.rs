//! What is left to decide: free shops, and the offers that can still matter.
//!
//! Amounts are scaled cents: cents times a power of two, so that multipliers can be
//! finer than a cent while every sum stays an exact integer.

use crate::engine::basket::instance::{Cents, Classic};

/// Scaled cents.
pub(super) type Amount = i64;

/// Bits below the cent, where the amounts are small enough.
const MAX_SHIFT: u32 = 8;

/// One offer: what a product costs at a free shop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub price: Amount,
    /// Index into [`Core::fee`].
    pub shop: u32,
}

/// What becomes of a free shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Free,
    Open,
    Closed,
}

/// A facility location problem. Each product has a `cap`: what it costs without any
/// free shop, namely at a shop decided open, or (see [`Market`]) by opening one for
/// it alone. So every choice of free shops is feasible.
#[derive(Debug, Clone, Default)]
pub(super) struct Core {
    /// Cost of what is decided.
    pub base: Amount,
    /// Delivery of each free shop.
    pub fee: Vec<Amount>,
    /// Its index in the instance.
    pub shop: Vec<u32>,
    /// What each undecided product costs without free shops.
    pub cap: Vec<Amount>,
    /// Where the cells of each undecided product begin in `cells`; one more at the end.
    pub first: Vec<u32>,
    /// Cheaper than the cap, and ascending within a product.
    pub cells: Vec<Cell>,
}

/// Multipliers of the products of a core, its shops decided open so far, and how
/// often the relaxation opens each free shop: what moves along when a core shrinks.
#[derive(Debug, Clone, Default)]
pub(super) struct Point {
    pub price: Vec<Amount>,
    pub share: Vec<f64>,
    /// Indices in the instance.
    pub open: Vec<u32>,
}

impl Core {
    /// The cells of a product.
    pub(super) fn cells_of(&self, product: usize) -> &[Cell] {
        &self.cells[self.first[product] as usize..self.first[product + 1] as usize]
    }

    /// Applies decisions on shops, drops the cells that `keep` (product, cell) does
    /// not want, and everything that follows without search.
    pub(super) fn decide(
        &mut self,
        point: &mut Point,
        fate: &mut Vec<Fate>,
        keep: impl Fn(usize, &Cell) -> bool,
    ) {
        self.shrink(point, fate, keep);
        while self.implied(fate) {
            self.shrink(point, fate, |_, _| true);
        }
    }

    fn shrink(&mut self, point: &mut Point, fate: &[Fate], keep: impl Fn(usize, &Cell) -> bool) {
        let mut cells = 0;
        let mut products = 0;
        let mut used = vec![u32::MAX; self.fee.len()];
        for (s, fate) in fate.iter().enumerate() {
            if *fate == Fate::Open {
                self.base += self.fee[s];
                point.open.push(self.shop[s]);
            }
        }
        for j in 0..self.cap.len() {
            let (from, to) = (self.first[j] as usize, self.first[j + 1] as usize);
            let begin = cells;
            let mut cap = self.cap[j];
            for at in from..to {
                let cell = self.cells[at];
                match fate[cell.shop as usize] {
                    Fate::Free if keep(j, &cell) => {
                        used[cell.shop as usize] = 0;
                        self.cells[cells] = cell;
                        cells += 1;
                    }
                    Fate::Open => {
                        // Ascending: whatever follows is not cheaper.
                        cap = cell.price;
                        break;
                    }
                    Fate::Free | Fate::Closed => {}
                }
            }
            // Of equally cheap cells the free one before an open one is of no use.
            while cells > begin && self.cells[cells - 1].price >= cap {
                cells -= 1;
            }
            if cells == begin {
                self.base += cap;
            } else {
                self.cap[products] = cap;
                point.price[products] = point.price[j].min(cap);
                self.first[products] = begin as u32;
                products += 1;
            }
        }
        self.first[products] = cells as u32;
        self.first.truncate(products + 1);
        self.cap.truncate(products);
        point.price.truncate(products);
        self.cells.truncate(cells);
        let mut shops = 0;
        for (s, used) in used.iter_mut().enumerate() {
            if *used == 0 {
                *used = shops as u32;
                self.fee[shops] = self.fee[s];
                self.shop[shops] = self.shop[s];
                point.share[shops] = point.share[s];
                shops += 1;
            }
        }
        self.fee.truncate(shops);
        self.shop.truncate(shops);
        point.share.truncate(shops);
        for cell in &mut self.cells {
            cell.shop = used[cell.shop as usize];
        }
    }

    /// Shops that pay even beside the best of the others, and shops that do not pay
    /// even alone. Whether there are any.
    fn implied(&self, fate: &mut Vec<Fate>) -> bool {
        let mut alone = vec![0; self.fee.len()];
        let mut beside = vec![0; self.fee.len()];
        for j in 0..self.cap.len() {
            let cells = self.cells_of(j);
            for cell in cells {
                alone[cell.shop as usize] += self.cap[j] - cell.price;
            }
            let second = cells.get(1).map_or(self.cap[j], |c| c.price);
            beside[cells[0].shop as usize] += second - cells[0].price;
        }
        fate.clear();
        fate.extend(
            self.fee
                .iter()
                .zip(&alone)
                .zip(&beside)
                .map(|((fee, alone), beside)| {
                    if beside >= fee {
                        Fate::Open
                    } else if alone <= fee {
                        Fate::Closed
                    } else {
                        Fate::Free
                    }
                }),
        );
        fate.iter().any(|f| *f != Fate::Free)
    }
}

/// The whole instance, with what does not change in the search.
pub(super) struct Market<'a> {
    instance: &'a Classic,
    /// Scaled cents per cent, as a shift.
    pub shift: u32,
    /// For each product the least of price plus delivery, in cents. Nobody pays more:
    /// opening that shop for the product alone would be cheaper. So dearer offers are
    /// out, and a product that no open shop sells for less costs this, an upper
    /// estimate that the shop `via` makes good.
    ceiling: Vec<Cents>,
    via: Vec<u32>,
}

impl<'a> Market<'a> {
    /// The product that nobody sells is the error.
    pub(super) fn new(instance: &'a Classic) -> Result<Self, usize> {
        let mut ceiling = vec![Cents::MAX; instance.n];
        let mut via = vec![0; instance.n];
        for (s, (row, fee)) in instance.price.iter().zip(&instance.delivery).enumerate() {
            for (j, price) in row.iter().enumerate() {
                if let Some(price) = price
                    && price + fee < ceiling[j]
                {
                    ceiling[j] = price + fee;
                    via[j] = s as u32;
                }
            }
        }
        if let Some(product) = ceiling.iter().position(|c| *c == Cents::MAX) {
            return Err(product);
        }
        // No sum of the search is above every amount of the instance together.
        let products: i128 = ceiling.iter().map(|c| i128::from(*c)).sum();
        let fees: i128 = instance.delivery.iter().map(|d| i128::from(*d)).sum();
        let total = products * (1 + instance.price.len() as i128) + fees;
        let spare = (i64::MAX as i128 / 2 / total.max(1)).max(1);
        Ok(Self {
            instance,
            shift: spare.ilog2().min(MAX_SHIFT),
            ceiling,
            via,
        })
    }

    /// Where each product is bought when these shops are open, and the cost in cents.
    pub(super) fn serve(&self, open: &[u32]) -> (Vec<usize>, Cents) {
        let instance = self.instance;
        let mut used = vec![false; instance.price.len()];
        let mut cost = 0;
        let mut assign = Vec::with_capacity(instance.n);
        for j in 0..instance.n {
            let price = |s: u32| instance.price[s as usize][j].map(|p| (p, s));
            let best = open.iter().filter_map(|s| price(*s)).min();
            let best = best.filter(|b| b.0 <= self.ceiling[j]);
            let Some((price, shop)) = best.or_else(|| price(self.via[j])) else {
                continue;
            };
            cost += price;
            if !used[shop as usize] {
                used[shop as usize] = true;
                cost += instance.delivery[shop as usize];
            }
            assign.push(shop as usize);
        }
        (assign, cost)
    }

    /// A bound that needs no search, in cents.
    pub(super) fn floor(&self) -> Cents {
        let least = |j: usize| self.instance.price.iter().filter_map(move |r| r[j]).min();
        let goods: Cents = (0..self.instance.n).filter_map(least).sum();
        goods + self.instance.delivery.iter().min().copied().unwrap_or(0)
    }

    /// Everything that can matter. `None` if `stop` said so.
    pub(super) fn core(&self, stop: &mut dyn FnMut() -> bool) -> Option<Core> {
        let instance = self.instance;
        let n = instance.n;
        let mut count = vec![0_u32; n + 1];
        for row in &instance.price {
            for ((price, ceiling), count) in row.iter().zip(&self.ceiling).zip(&mut count[1..]) {
                *count += u32::from(price.is_some_and(|p| p < *ceiling));
            }
        }
        for j in 0..n {
            count[j + 1] += count[j];
        }
        let mut next = count.clone();
        let blank = Cell { price: 0, shop: 0 };
        let mut cells = vec![blank; count[n] as usize];
        for (s, row) in instance.price.iter().enumerate() {
            for ((price, ceiling), next) in row.iter().zip(&self.ceiling).zip(&mut next) {
                if let Some(price) = price
                    && price < ceiling
                {
                    cells[*next as usize] = Cell {
                        price: price << self.shift,
                        shop: s as u32,
                    };
                    *next += 1;
                }
            }
        }
        for j in 0..n {
            if j.is_multiple_of(64) && stop() {
                return None;
            }
            cells[count[j] as usize..count[j + 1] as usize].sort_unstable_by_key(|c| c.price);
        }
        Some(Core {
            base: 0,
            fee: instance.delivery.iter().map(|d| d << self.shift).collect(),
            shop: (0..instance.price.len() as u32).collect(),
            cap: self.ceiling.iter().map(|c| c << self.shift).collect(),
            first: count,
            cells,
        })
    }
}
