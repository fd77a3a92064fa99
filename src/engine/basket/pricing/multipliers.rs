//! The multipliers of the ranges a cart may miss: a Lagrangian bound of one state.

use super::{End, Loose, Pricer, Shop, price_choices};

/// Steps that move the multipliers of several ranges together.
const JOINT_STEPS: usize = 24;

impl Pricer {
    /// Minimises the Lagrangian bound over the multipliers of the ends, one after the
    /// other, each by cutting planes in one dimension. `found` sees every cart on the
    /// way and says below which bound to stop.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn multiply(
        &mut self,
        here: &Shop<'_>,
        state: usize,
        ends: &[End<'_>],
        multipliers: &mut Vec<f64>,
        loose_bound: f64,
        loose: &Loose,
        joint: bool,
        found: &mut dyn FnMut(&[u32]) -> f64,
    ) -> f64 {
        let profile = here.shop.states[state].profile;
        let fixed = here.fixed(state);
        let values = &self.values[profile];
        let mut choices = Vec::new();
        let priced = &mut self.priced;
        let mut eval = |m: &[f64], choices: &mut Vec<u32>| -> f64 {
            price_choices(priced, values, m, ends);
            let constant: f64 = m.iter().zip(ends).map(|(m, e)| m * e.at).sum();
            here.loose(priced, choices) - fixed - constant
        };
        let mut best = loose_bound;
        let mut best_m = vec![0.0; ends.len()];
        let mut current = loose.choices.clone();
        if multipliers.iter().any(|m| *m != 0.0) {
            let bound = eval(multipliers, &mut choices);
            if bound < best {
                best = bound;
                best_m.clone_from(multipliers);
                current.clone_from(&choices);
            }
            if best <= found(&choices) {
                return best;
            }
        }
        for _ in 0..2 * ends.len() {
            // The end missed most for its size.
            let size = |e: &End| e.beyond(&current) / e.at.abs().max(1.0);
            let wrong = |(k, e): &(usize, &End)| {
                let s = size(e);
                if best_m[*k] == 0.0 && ((e.low && s >= -1e-9) || (!e.low && s <= 1e-9)) {
                    return None;
                }
                Some(s.abs()).filter(|s| *s > 1e-9)
            };
            let worst = ends
                .iter()
                .enumerate()
                .filter_map(|e| Some((wrong(&e)?, e.0)));
            let Some((_, k)) = worst.max_by(|a, b| a.0.total_cmp(&b.0)) else {
                break;
            };
            let end = ends[k];
            let others: f64 = ends
                .iter()
                .zip(&best_m)
                .enumerate()
                .filter(|(j, (e, _))| *j != k && e.low && e.limit > 0.0)
                .map(|(_, (e, m))| m / e.limit)
                .sum();
            let limit = if end.low {
                end.limit * (1.0 - others).max(0.0)
            } else {
                f64::INFINITY
            };
            let before = best;
            // Of the line search: (multiplier, bound, slope) on either side.
            let slope = |choices: &[u32]| -end.beyond(choices);
            let start = (best_m[k], best, slope(&current));
            let sign = if end.low { 1.0 } else { -1.0 };
            // The bound falls towards larger multipliers while the end is missed.
            let mut near = start;
            let mut far: Option<(f64, f64, f64)> = None;
            let outwards = start.2 * sign > 0.0;
            let guess = sign * best.abs().max(1.0) / (end.at.abs() + near.2.abs()).max(1.0) / 4.0;
            let mut next = match (outwards, end.low) {
                (true, true) => limit,
                (true, false) if start.0 != 0.0 => start.0 * 2.0,
                (true, false) => guess,
                (false, _) => 0.0,
            };
            for _ in 0..8 {
                if (next - near.0).abs() < 1e-12 {
                    break;
                }
                let mut m = best_m.clone();
                m[k] = next;
                let bound = eval(&m, &mut choices);
                let at = (next, bound, slope(&choices));
                let floor = found(&choices);
                if bound < best - 1e-9 {
                    best = bound;
                    best_m = m;
                    current.clone_from(&choices);
                }
                if best <= floor || at.2.abs() < 1e-9 {
                    break;
                }
                // Where the lines of the carts on both sides meet, the bound is attained.
                if (at.2 > 0.0) == (start.2 > 0.0) {
                    near = at;
                } else {
                    far = Some(at);
                }
                next = match far {
                    Some(far) => {
                        let turn = far.2 - near.2;
                        // slope here is −d bound / d multiplier.
                        let cross = (far.1 - near.1 + far.2 * far.0 - near.2 * near.0) / turn;
                        let line = near.1 - near.2 * (cross - near.0);
                        if !cross.is_finite() || bound <= line + 1e-6 && (next - cross).abs() < 1e-9
                        {
                            break;
                        }
                        cross
                    }
                    None if (end.low && next >= limit) || next == 0.0 => break,
                    None if end.low => limit,
                    None => next * 4.0,
                };
            }
            if best > before - 1e-6 * before.abs().max(1.0) {
                break;
            }
        }
        // Ends that pull against each other need their multipliers moved together: a
        // few subgradient steps towards the floor.
        let mut m = best_m.clone();
        let (mut step, mut floor) = (1.0, found(&current));
        let pulled = |(e, m): (&End, &f64)| *m != 0.0 || (e.beyond(&current) < -1e-6) == e.low;
        let several = ends.iter().zip(&best_m).filter(|x| pulled(*x)).count() > 1;
        let joint = if several && joint { JOINT_STEPS } else { 0 };
        for _ in 0..joint {
            if best <= floor {
                break;
            }
            let bound = eval(&m, &mut choices);
            floor = found(&choices);
            if bound < best - 1e-9 {
                best = bound;
                best_m.clone_from(&m);
            } else {
                step *= 0.85;
            }
            let mut norm = 0.0;
            let size = |e: &End| e.at.abs().max(1.0);
            let pull: Vec<f64> = ends
                .iter()
                .zip(&m)
                .map(|(e, m)| {
                    let by = -e.beyond(&choices) / size(e);
                    let kept = *m == 0.0 && (by > 0.0) != e.low;
                    if kept { 0.0 } else { by }
                })
                .collect();
            for p in &pull {
                norm += p * p;
            }
            if norm < 1e-12 {
                break;
            }
            let t = step * (bound - floor.max(best - 0.5 * best.abs().max(100.0))).max(1.0) / norm;
            let mut used = 0.0;
            for ((m, e), p) in m.iter_mut().zip(ends).zip(&pull) {
                *m += t * p / size(e);
                *m = if e.low {
                    m.clamp(0.0, e.limit)
                } else {
                    m.min(0.0)
                };
                if e.low && e.limit > 0.0 {
                    used += *m / e.limit;
                }
            }
            if used > 1.0 {
                for (m, _) in m.iter_mut().zip(ends).filter(|x| x.1.low) {
                    *m /= used;
                }
            }
        }
        multipliers.clone_from(&best_m);
        best
    }
}
