//! What an attribute is worth: from a value to cents on anchors the person can read
//! ("one day later = 1.50"). Absolute anchors, not the best and worst of the offers at
//! hand, so that no offer's presence changes the order of two others (rank reversal).

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Beyond the outer anchors the last slope goes on at this fraction, so that better
/// stays better.
const SLOPE_BEYOND: f64 = 0.1;

/// The disutility of a value, in cents of the person's currency: less is better.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Worth {
    /// Piecewise linear through `[value, cents]` anchors.
    Piecewise {
        /// The anchors, in any order, each value once.
        points: Vec<[f64; 2]>,
    },
    /// Cents by name.
    Table {
        /// The names.
        cents: BTreeMap<String, f64>,
        /// For every other name.
        #[serde(default)]
        default: f64,
    },
}

impl Worth {
    /// Puts the anchors in order and checks that they are a function of finite numbers
    /// no larger than `limit`.
    pub(super) fn prepare(&mut self, limit: f64) -> Result<(), &'static str> {
        let sound = |x: f64| x.is_finite() && x.abs() <= limit;
        match self {
            Self::Table { cents, default } => {
                if !cents.values().chain([&*default]).all(|c| sound(*c)) {
                    return Err("has cents that are not a number in range");
                }
            }
            Self::Piecewise { points } => {
                if points.is_empty() {
                    return Err("has no anchors");
                }
                if !points.iter().flatten().all(|x| sound(*x)) {
                    return Err("has an anchor that is not a number in range");
                }
                points.sort_by(|a, b| a[0].total_cmp(&b[0]));
                // Values next to each other are one value as well: their slope is no number.
                if points
                    .windows(2)
                    .any(|w| w[0][0] >= w[1][0] || !slope(w[0], w[1]).is_finite())
                {
                    return Err("has two anchors for one value");
                }
            }
        }
        Ok(())
    }

    /// The cents of a value, or `None` where the value is of the wrong kind.
    pub(super) fn cents(&self, value: &Value) -> Option<f64> {
        match self {
            Self::Piecewise { points } => value.as_f64().map(|x| interpolate(points, x)),
            Self::Table { cents, default } => {
                let found = match value {
                    Value::String(s) => cents.get(s),
                    Value::Number(_) | Value::Bool(_) => cents.get(&value.to_string()),
                    _ => return None,
                };
                Some(*found.unwrap_or(default))
            }
        }
    }

    /// The least and the most the anchors say.
    pub(super) fn range(&self) -> (f64, f64) {
        let all: Vec<f64> = match self {
            Self::Piecewise { points } => points.iter().map(|p| p[1]).collect(),
            Self::Table { cents, default } => cents.values().copied().chain([*default]).collect(),
        };
        all.iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), x| {
                (lo.min(*x), hi.max(*x))
            })
    }
}

fn slope(a: [f64; 2], b: [f64; 2]) -> f64 {
    (b[1] - a[1]) / (b[0] - a[0])
}

fn interpolate(points: &[[f64; 2]], x: f64) -> f64 {
    let (first, last) = (points[0], points[points.len() - 1]);
    if points.len() == 1 {
        return first[1];
    }
    if x <= first[0] {
        return first[1] + SLOPE_BEYOND * slope(first, points[1]) * (x - first[0]);
    }
    if x > last[0] {
        let before = points[points.len() - 2];
        return last[1] + SLOPE_BEYOND * slope(before, last) * (x - last[0]);
    }
    let i = points.partition_point(|p| p[0] < x);
    let (a, b) = (points[i - 1], points[i]);
    a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn anchors_hold_and_better_stays_better_beyond_them() {
        let mut w: Worth = serde_json::from_value(
            json!({"type":"piecewise","points":[[14,80.0],[1,0.0],[3,10.0]]}),
        )
        .expect("worth");
        w.prepare(1e9).expect("sound");
        let at = |x: f64| w.cents(&json!(x)).expect("number");
        assert_eq!((at(1.0), at(3.0), at(14.0)), (0.0, 10.0, 80.0));
        assert_eq!(at(2.0), 5.0);
        assert!(at(0.0) < at(1.0) && at(14.0) < at(15.0));
        assert_eq!(w.cents(&json!("soon")), None);
    }

    #[test]
    fn a_table_knows_names_and_has_a_default() {
        let w: Worth =
            serde_json::from_value(json!({"type":"table","cents":{"black":0,"2":7},"default":5}))
                .expect("worth");
        assert_eq!(w.cents(&json!("black")), Some(0.0));
        assert_eq!(w.cents(&json!("mauve")), Some(5.0));
        assert_eq!(w.cents(&json!(2)), Some(7.0));
        assert_eq!(w.cents(&json!([])), None);
        assert_eq!(w.range(), (0.0, 7.0));
    }

    #[test]
    fn unsound_anchors_are_refused() {
        for bad in [
            json!({"type":"piecewise","points":[]}),
            json!({"type":"piecewise","points":[[1,0],[1,5]]}),
            json!({"type":"piecewise","points":[[1,0],[2,1e300]]}),
            json!({"type":"piecewise","points":[[0,0],[1e-310,5]]}),
            json!({"type":"table","cents":{"a":1e300}}),
        ] {
            let mut w: Worth = serde_json::from_value(bad.clone()).expect("shape");
            assert!(w.prepare(1e12).is_err(), "{bad}");
        }
    }
}
