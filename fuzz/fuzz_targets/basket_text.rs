//! Any text as a basket: an error that names a field, or an answer that the evaluator
//! confirms, with a bound that is none above it.
#![no_main]

use emptor::engine::basket::conflict::over_budget;
use emptor::engine::basket::{BasketError, Instance, evaluate, solve};
use libfuzzer_sys::fuzz_target;

/// Looks at the clock before the search is told to stop.
const PATIENCE: u32 = 300;

fuzz_target!(|text: &str| {
    let Ok(instance) = Instance::from_json(text) else {
        return;
    };
    let mut asked = 0;
    let mut stop = || {
        asked += 1;
        asked > PATIENCE
    };
    match solve(&instance, &mut stop) {
        Ok(solved) => {
            let checked = evaluate(&instance, &solved.solution).expect("an acceptable answer");
            assert_eq!(checked.cost, solved.evaluation.cost);
            assert!(solved.bound <= checked.cost);
        }
        Err(BasketError::Inconsistent(problem)) => panic!("{problem}"),
        Err(_) => {
            if let Instance::Household(h) = &instance {
                let _ = over_budget(h, &mut stop);
            }
        }
    }
});
