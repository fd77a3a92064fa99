//! Finding out what a want's preferences are worth, a comparison at a time.

use super::api::ApiError;
use super::api::types::{Question, TradeOffView, TuneAnswer, TuneReply};
use super::store::Store;
use super::view::{self, Market};
use crate::engine::rank::elicit::{Comparison, TradeOff, next_question};
use crate::engine::rank::phrase;
use crate::model::want::Want;
use crate::model::{Money, Sentence, sentence, want::Requirement};
use crate::vault::VaultError;
use rust_decimal::Decimal;

/// Where the finding out stands.
///
/// # Errors
/// As the vault.
pub fn state(store: &Store, market: &Market, want: &Want) -> Result<TuneReply, VaultError> {
    let trade_offs = market.trade_offs(want);
    let next = next(store, market, want, &trade_offs)?;
    let money = |amount: Decimal| Money::new(amount, market.home()).rounded();
    let reason = if trade_offs.is_empty() {
        Some(
            "this want has no preference with a worth; say one, such as `emptor wish edit WANT --prefer 'delivery<=2:4'`",
        )
    } else if next.is_some() {
        None
    } else if trade_offs.iter().all(TradeOff::is_settled) {
        Some("all is settled")
    } else {
        Some("the offers at hand do not differ in what is not settled yet")
    };
    Ok(TuneReply {
        want: want.id.short(),
        name: want.name.clone(),
        question: next.map(|q| Question {
            text: market.say(text(want, &q, money(q.amount))),
            amount: money(q.amount),
            id: q.id,
        }),
        trade_offs: trade_offs
            .iter()
            .map(|t| TradeOffView {
                id: t.id.clone(),
                worth: money(t.stated),
                low: money(t.low),
                high: money(t.high),
                settled: t.is_settled(),
            })
            .collect(),
        reason: reason.map(str::to_owned),
    })
}

fn next(
    store: &Store,
    market: &Market,
    want: &Want,
    trade_offs: &[TradeOff],
) -> Result<Option<Comparison>, VaultError> {
    let conditions: Vec<&Requirement> = want.prefer.iter().map(|p| &p.requirement).collect();
    let differs = view::differs(store, market, want, &conditions)?;
    let differ = |id: &str| {
        let mut both = conditions.iter().zip(&differs);
        both.any(|(condition, differs)| *differs && condition.to_string() == id)
    };
    Ok(next_question(trade_offs, differ))
}

fn text(want: &Want, question: &Comparison, amount: Money) -> Sentence {
    let condition = want
        .prefer
        .iter()
        .map(|p| &p.requirement)
        .find(|r| r.to_string() == question.id);
    let what = condition.map_or_else(|| question.id.clone(), phrase);
    sentence!(
        "Would you pay ",
        amount,
        " more for an offer that ",
        what,
        "?"
    )
}

/// Takes an answer to the open question and keeps it with the want. The caller holds the
/// right to write.
///
/// # Errors
/// No question is open, or it is about something else; or as the vault.
pub fn answer(
    store: &Store,
    market: &Market,
    want: &Want,
    answer: &TuneAnswer,
) -> Result<Want, ApiError> {
    let mut trade_offs = market.trade_offs(want);
    let question = next(store, market, want, &trade_offs)?.ok_or_else(|| {
        ApiError::conflict("no question is open").hint("`emptor wish tune WANT` says why")
    })?;
    if answer.id.as_ref().is_some_and(|id| *id != question.id) {
        return Err(
            ApiError::conflict(format!("the open question is about `{}`", question.id))
                .hint("ask for the question again"),
        );
    }
    let mut new = want.clone();
    for t in trade_offs.iter_mut().filter(|t| t.id == question.id) {
        // The money shown was rounded, and it is what the answer is about.
        let asked = Money::new(question.amount, market.home()).rounded().amount;
        *t = t.answered(asked, answer.answer);
        // From now on it counts with what the answers say.
        t.stated = t.middle();
        for p in new
            .prefer
            .iter_mut()
            .filter(|p| p.requirement.to_string() == t.id)
        {
            p.worth = t.stated;
        }
    }
    store.change(|tx| {
        tx.put_want(&new)?;
        tx.put_trade_offs(want.id, &trade_offs)
    })?;
    Ok(new)
}
