//! The states of a tender and of each conversation, as tables: whatever is not listed is
//! refused.

use crate::model::tender::{SessionStatus, Tender, TenderStatus};
use crate::model::{Id, time::Timestamp};

/// A step that the state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// The tender is in another state.
    #[error("the tender is {status:?}: {event:?} is not possible now")]
    Tender {
        /// Where it stands.
        status: TenderStatus,
        /// What was tried.
        event: TenderEvent,
    },
    /// The conversation is in another state.
    #[error("this provider's conversation is {status:?}: {event:?} is not possible now")]
    Session {
        /// Where it stands.
        status: SessionStatus,
        /// What was tried.
        event: SessionEvent,
    },
    /// No such quote, or it is no longer valid.
    #[error("{0}")]
    Quote(&'static str),
}

/// What happens to a tender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenderEvent {
    /// The person saw the document and agrees.
    Approve,
    /// At least one invitation left.
    Sent,
    /// The time for replies is over.
    Close,
    /// A counter-offer goes out.
    Counter,
    /// The person chose a quote.
    Award,
    /// The chosen provider confirmed.
    Confirmed,
    /// The chosen provider backed out.
    Refused,
    /// The goods came.
    Delivered,
    /// Filed.
    File,
    /// The person calls it off.
    Cancel,
    /// Nobody quoted.
    NoQuotes,
    /// The time ran out with quotes nobody chose.
    Expire,
}

/// What happens in one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEvent {
    /// The provider answered.
    Replied,
    /// The provider agreed to our indicative counter-offer.
    AcceptedCounter,
    /// The person bought here.
    Commit,
    /// The provider declined or we did.
    Reject,
    /// Kept as the runner-up.
    Hold,
    /// Out of time.
    Expire,
}

/// The tender state after `event`.
///
/// # Errors
/// [`TransitionError::Tender`] if `event` cannot happen in `status`.
pub fn tender_step(
    status: TenderStatus,
    event: TenderEvent,
) -> Result<TenderStatus, TransitionError> {
    use TenderEvent as E;
    use TenderStatus as S;
    Ok(match (status, event) {
        (S::Draft, E::Approve) => S::Approved,
        (S::Approved, E::Sent) => S::Open,
        (S::Open, E::Close) => S::Evaluating,
        (S::Open | S::Evaluating | S::Negotiating, E::Counter) => S::Negotiating,
        (S::Negotiating, E::Close) => S::Evaluating,
        (S::Open | S::Evaluating | S::Negotiating, E::Award) => S::Awarding,
        (S::Awarding, E::Confirmed) => S::Awarded,
        (S::Awarding, E::Refused) => S::Evaluating,
        (S::Awarded, E::Delivered) => S::Fulfilled,
        (S::Awarded | S::Fulfilled, E::File) => S::Closed,
        (S::Draft | S::Approved | S::Open | S::Evaluating | S::Negotiating, E::Cancel) => {
            S::Cancelled
        }
        (S::Open | S::Evaluating | S::Negotiating, E::NoQuotes) => S::Unsuccessful,
        (S::Open | S::Evaluating | S::Negotiating, E::Expire) => S::Expired,
        (status, event) => return Err(TransitionError::Tender { status, event }),
    })
}

/// The conversation's state after `event`.
///
/// # Errors
/// [`TransitionError::Session`] if `event` cannot happen in `status`.
pub fn session_step(
    status: SessionStatus,
    event: SessionEvent,
) -> Result<SessionStatus, TransitionError> {
    use SessionEvent as E;
    use SessionStatus as S;
    Ok(match (status, event) {
        (S::Proposed | S::Active | S::Dormant, E::Replied) => S::Active,
        (S::Active, E::AcceptedCounter) => S::AgreedProvisional,
        (S::Active | S::AgreedProvisional | S::Dormant, E::Commit) => S::Committed,
        (S::Proposed | S::Active | S::AgreedProvisional | S::Dormant, E::Reject) => S::Rejected,
        (S::Active | S::AgreedProvisional, E::Hold) => S::Dormant,
        (S::Proposed | S::Active | S::AgreedProvisional | S::Dormant, E::Expire) => S::Expired,
        (status, event) => return Err(TransitionError::Session { status, event }),
    })
}

/// Chooses one quote: the tender goes to `Awarding`, its conversation to `Committed`, the
/// others are rejected. Pure: the messages are the caller's business.
///
/// One purchase for one tender holds because this is the only way to `Committed` and a
/// tender leaves the states that allow it.
///
/// # Errors
/// [`TransitionError`]; the tender is then unchanged.
pub fn award(tender: &mut Tender, quote: Id, now: Timestamp) -> Result<(), TransitionError> {
    let status = tender_step(tender.status, TenderEvent::Award)?;
    let chosen = tender
        .sessions
        .iter()
        .position(|s| s.quotes.iter().any(|q| q.id == quote))
        .ok_or(TransitionError::Quote("no such quote in this tender"))?;
    let session = &tender.sessions[chosen];
    let latest = session.quotes.last().filter(|q| q.id == quote);
    let Some(latest) = latest else {
        return Err(TransitionError::Quote(
            "the provider has replaced this quote by a newer one",
        ));
    };
    if latest.valid_through.is_some_and(|until| until < now) {
        return Err(TransitionError::Quote(
            "the quote has expired; ask for a new one",
        ));
    }
    let committed = session_step(session.status, SessionEvent::Commit)?;
    for (i, session) in tender.sessions.iter_mut().enumerate() {
        if i == chosen {
            session.status = committed;
        } else if let Ok(next) = session_step(session.status, SessionEvent::Reject) {
            session.status = next;
        }
    }
    tender.status = status;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Offer;
    use crate::model::tender::{Quote, Session};

    fn t(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn session(quotes: usize, valid: i64) -> Session {
        Session {
            id: Id::new(),
            endpoint: "https://p.example/".into(),
            seed: String::new(),
            location: None,
            status: if quotes > 0 {
                SessionStatus::Active
            } else {
                SessionStatus::Proposed
            },
            cursor: 0,
            quotes: (0..quotes)
                .map(|i| Quote {
                    id: Id::new(),
                    revision: i as u32 + 1,
                    received: t(10),
                    valid_through: Some(t(valid)),
                    identifier: None,
                    firm: true,
                    offer: Offer::default(),
                    sha256: String::new(),
                })
                .collect(),
            confirmed: false,
            trouble: None,
            next_poll: None,
        }
    }

    fn tender(sessions: Vec<Session>) -> Tender {
        Tender {
            id: Id::new(),
            want: Id::new(),
            status: TenderStatus::Open,
            demand: serde_json::Value::Null,
            created: t(0),
            closes: t(100),
            sessions,
        }
    }

    #[test]
    fn one_award_and_never_a_second() {
        let mut tender = tender(vec![session(2, 500), session(1, 500), session(0, 0)]);
        let old = tender.sessions[0].quotes[0].id;
        let newest = tender.sessions[0].quotes[1].id;
        let other = tender.sessions[1].quotes[0].id;
        assert!(award(&mut tender, old, t(50)).is_err(), "a replaced quote");
        award(&mut tender, newest, t(50)).expect("the newest quote");
        assert_eq!(tender.status, TenderStatus::Awarding);
        let states: Vec<_> = tender.sessions.iter().map(|s| s.status).collect();
        assert_eq!(
            states,
            [
                SessionStatus::Committed,
                SessionStatus::Rejected,
                SessionStatus::Rejected
            ]
        );
        assert!(award(&mut tender, other, t(50)).is_err(), "bought already");
    }

    #[test]
    fn an_expired_quote_cannot_be_chosen() {
        let mut tender = tender(vec![session(1, 40)]);
        let quote = tender.sessions[0].quotes[0].id;
        let before = tender.clone();
        assert!(award(&mut tender, quote, t(50)).is_err());
        assert_eq!(tender, before);
    }

    #[test]
    fn ends_are_final() {
        use TenderEvent as E;
        let events = [
            E::Approve,
            E::Sent,
            E::Close,
            E::Counter,
            E::Award,
            E::Confirmed,
            E::Refused,
            E::Delivered,
            E::File,
            E::Cancel,
            E::NoQuotes,
            E::Expire,
        ];
        for end in [
            TenderStatus::Closed,
            TenderStatus::Cancelled,
            TenderStatus::Unsuccessful,
            TenderStatus::Expired,
        ] {
            for event in events {
                assert!(tender_step(end, event).is_err(), "{end:?} {event:?}");
            }
        }
        assert_eq!(
            tender_step(TenderStatus::Draft, E::Sent).ok(),
            None,
            "approval comes first"
        );
    }
}
