use super::Master;
use proptest::prelude::*;
use std::ops::Range;

/// Two items, two shops: cart A covers both at 10, carts B and C one each at 6 and 3.
#[test]
fn chooses_the_cheaper_carts() {
    let mut m = Master::new(
        &[(1.0, 100.0), (1.0, 100.0), (1.0, 0.0), (1.0, 0.0)],
        2,
        |r| r >= 2,
    );
    let both = m.add(10.0, vec![(0, 1.0), (1, 1.0), (2, 1.0)]);
    let one = m.add(6.0, vec![(0, 1.0), (2, 1.0)]);
    let other = m.add(3.0, vec![(1, 1.0), (3, 1.0)]);
    m.solve(f64::INFINITY);
    assert!((m.objective() - 9.0).abs() < 1e-3, "{}", m.objective());
    let used: Vec<usize> = m.solution().filter(|s| s.1 > 0.5).map(|s| s.0).collect();
    assert!(used.contains(&one) && used.contains(&other) && !used.contains(&both));
    // Switched off while in the basis, the other way remains.
    m.ban(other);
    m.solve(f64::INFINITY);
    assert!((m.objective() - 10.0).abs() < 1e-3, "{}", m.objective());
    m.refactor();
    m.solve(f64::INFINITY);
    assert!((m.objective() - 10.0).abs() < 1e-3, "{}", m.objective());
}

/// However much is paid for what rows are moved apart by.
#[test]
fn the_unmoved_cost_is_that_of_the_rows_as_given() {
    let dear = 4e7;
    let rows = [(3.0, 9e8), (2.0, 9e8), (1.0, 0.0), (1.0, 0.0)];
    let mut m = Master::new(&rows, 2, |r| r >= 3);
    m.add(dear, vec![(0, 3.0), (2, 1.0)]);
    m.add(2.0 * dear, vec![(0, 3.0), (1, 2.0), (2, 1.0)]);
    m.add(dear + 5.0, vec![(1, 2.0), (3, 1.0)]);
    m.solve(f64::INFINITY);
    let moved = (m.objective() - 2.0 * dear).abs();
    assert!(moved > 1.0, "nothing to put right: {moved}");
    assert!((m.unmoved() - 2.0 * dear).abs() < 1e-3, "{}", m.unmoved());
}

/// Six items and six shops with one row each, carts of random contents and prices.
fn carts(seed: u64) -> Vec<(f64, Vec<(u32, f64)>)> {
    let mut state = seed | 1;
    let mut upto = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    let cart = |_| {
        let mut entries = vec![(6 + upto(6) as u32, 1.0)];
        for item in 0..6 {
            if upto(3) == 0 {
                entries.push((item, 1.0 + upto(2) as f64));
            }
        }
        (10.0 * entries.len() as f64 + upto(100) as f64, entries)
    };
    (0..60).map(cart).collect()
}

fn master(carts: &[(f64, Vec<(u32, f64)>)]) -> Master {
    with_lazy(carts, 6..12)
}

fn with_lazy(carts: &[(f64, Vec<(u32, f64)>)], lazy: Range<usize>) -> Master {
    let rows: Vec<(f64, f64)> = (0..12)
        .map(|r| if r < 6 { (2.0, 500.0) } else { (1.0, 0.0) })
        .collect();
    let mut master = Master::new(&rows, 6, |r| lazy.contains(&r));
    for (cost, entries) in carts {
        master.add(*cost, entries.clone());
    }
    for item in 0..6 {
        master.add(0.0, [(item, -1.0)]);
    }
    master
}

proptest! {
    #[test]
    fn what_is_switched_off_is_as_if_it_were_not_there(seed: u64, off in 0_u64..u64::MAX) {
        let all = carts(seed);
        let banned = |c: usize| off >> (c % 64) & 1 == 1;
        let mut warm = master(&all);
        warm.solve(f64::INFINITY);
        let (before, basis) = (warm.objective(), warm.basis().to_vec());
        let kept = warm.snapshot();
        let list: Vec<usize> = (0..all.len()).filter(|c| banned(*c)).map(|c| 12 + c).collect();
        let near = warm.within(f64::INFINITY);
        // Few pivots give a bound, enough of them the cost.
        let few = warm.probe(&list, &near, &kept, 2, f64::INFINITY);
        prop_assert!((warm.objective() - before).abs() < 1e-6);
        list.iter().for_each(|c| warm.ban(*c));
        warm.solve(f64::INFINITY);
        let left = all.iter().enumerate().filter(|c| !banned(c.0));
        let mut fresh = master(&left.map(|c| c.1.clone()).collect::<Vec<_>>());
        fresh.solve(f64::INFINITY);
        let cost = fresh.objective();
        prop_assert!((warm.objective() - cost).abs() < 1e-3, "{} {cost}", warm.objective());
        prop_assert!(few <= cost + 1e-3, "{few} {cost}");
        list.iter().for_each(|c| warm.unban(*c));
        warm.set_basis(&basis);
        prop_assert!((warm.objective() - before).abs() < 1e-3);
        prop_assert!(warm.solve_below(before + 1.0, 10));
        prop_assert!((warm.objective() - before).abs() < 1e-3);
    }

    /// Also where only lazy rows hold a cost back that would fall without end.
    #[test]
    fn lazy_rows_change_nothing(seed: u64, too_much in 0.0_f64..40.0) {
        let all = carts(seed);
        let mut costs = Vec::new();
        for lazy in [6..12, 0..0] {
            let mut m = with_lazy(&all, lazy);
            m.solve(f64::INFINITY);
            for item in 0..6 {
                m.set_cost(72 + item, -too_much);
            }
            m.solve(f64::INFINITY);
            let mut used = [0.0; 12];
            for (c, x) in m.solution() {
                prop_assert!(x > -1e-6);
                m.column(c).iter().for_each(|(r, a)| used[*r as usize] += a * x);
            }
            prop_assert!(used[6..].iter().all(|u| *u < 1.0 + 1e-4), "{used:?}");
            prop_assert!(used[..6].iter().all(|u| (u - 2.0).abs() < 1e-4), "{used:?}");
            costs.push(m.objective());
        }
        prop_assert!((costs[0] - costs[1]).abs() < 1e-2, "{costs:?}");
    }

    #[test]
    fn a_spare_column_stands_in_for_the_rows_own(seed: u64) {
        let all = carts(seed);
        let mut m = master(&all);
        let spare = m.add_spare(6, 1e6);
        m.solve(f64::INFINITY);
        let before = m.objective();
        m.set_ban(6, true);
        m.solve(f64::INFINITY);
        let used = m.solution().find(|s| s.0 == 6).map_or(0.0, |s| s.1);
        prop_assert!(used < 1e-6 && m.objective() >= before - 1e-6);
        for c in 0..all.len() {
            m.set_ban(12 + c, true);
        }
        m.solve(f64::INFINITY);
        let spared = m.solution().find(|s| s.0 == spare).map_or(0.0, |s| s.1);
        prop_assert!((spared - 1.0).abs() < 1e-3);
    }

    /// Rows that come later: of an item with two units to cover, one unit counts nothing.
    #[test]
    fn a_row_that_comes_later_is_kept_as_if_it_had_been_there(seed: u64, items in 1_u64..64) {
        let all = carts(seed);
        let chosen: Vec<usize> = (0..6).filter(|i| items >> i & 1 == 1).collect();
        let rows: Vec<(usize, f64)> = chosen.iter().map(|i| (12 + i, -1.0)).collect();
        let share = |c: usize, item: usize| {
            let own = f64::from(u8::from(c == item));
            let cart = c.checked_sub(18).and_then(|c| all.get(c));
            let units = cart.and_then(|c| c.1.iter().find(|e| e.0 as usize == item));
            own + units.map_or(0.0, |e| e.1 - 1.0)
        };
        let more = |c: usize, entries: &mut Vec<(u32, f64)>| {
            let of = chosen.iter().map(|i| (12 + *i as u32, -share(c, *i)));
            entries.extend(of.filter(|e| e.1 != 0.0));
        };
        let mut costs = Vec::new();
        for later in [false, true] {
            let kind = |r: usize| match r {
                0..6 => (2.0, 500.0),
                6..12 => (1.0, 0.0),
                _ => (0.0, 0.0),
            };
            let known: Vec<(f64, f64)> = (0..18).map(kind).collect();
            let mut m = Master::new(&known, 6, |r| r >= 6);
            for (cost, entries) in &all {
                m.add(*cost, entries.clone());
            }
            if later {
                m.solve(f64::INFINITY);
            }
            let before = m.objective();
            m.define(&rows, more);
            m.start_anew();
            prop_assert!(m.values.iter().all(|x| *x > -1e-9), "{:?}", m.values);
            m.solve(f64::INFINITY);
            prop_assert!(!later || m.objective() > before - 1e-3);
            for item in &chosen {
                let sold: f64 = m.solution().map(|(c, x)| x * share(c, *item)).sum();
                prop_assert!(sold > 1.0 - 1e-4, "{item} {sold}");
            }
            costs.push(m.objective());
        }
        prop_assert!((costs[0] - costs[1]).abs() < 1e-2, "{costs:?}");
    }
}
