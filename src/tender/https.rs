//! The HTTPS binding: the provider hosts, we post and poll.
//!
//! `POST {endpoint}/sessions` with the `Demand` opens a conversation; the answer is either
//! an `Offer` at once or a `Location` to poll. `GET {location}/messages?after_sequence=N`
//! lists what came since; `POST {location}/messages` accepts or rejects.

use crate::net::{FetchError, Fetched, Fetcher};
use serde_json::{Value, json};
use url::Url;

/// The media type of what is sent.
pub const CONTENT_TYPE: &str = "application/ld+json";

/// Why a provider was not reached.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The address cannot be used.
    #[error("`{0}` is not an address a tender can be sent to: it must be https")]
    Endpoint(String),
    /// The network said no.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The provider said no.
    #[error("the provider answered HTTP {0}")]
    Status(u16),
    /// The provider wants to be polled elsewhere.
    #[error("the provider names an address of another host to poll")]
    ForeignLocation,
}

/// What the provider answered to the opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Where to poll, if it named a place.
    pub location: Option<String>,
    /// The body: an offer at once, or nothing.
    pub body: Vec<u8>,
}

/// Checks a provider's endpoint. Plain http is only for hosts that the person listed as
/// their own; the network guard enforces that again at connect time.
///
/// # Errors
/// [`TransportError::Endpoint`]
pub fn endpoint(text: &str, allow_private: &[String]) -> Result<Url, TransportError> {
    let bad = || TransportError::Endpoint(text.to_owned());
    let mut url = Url::parse(text.trim()).map_err(|_| bad())?;
    let host = url.host_str().ok_or_else(bad)?.to_owned();
    let with_port = url.port().map(|p| format!("{host}:{p}"));
    let own = allow_private
        .iter()
        .any(|a| *a == host || Some(a) == with_port.as_ref());
    if url.scheme() != "https" && !(url.scheme() == "http" && own) {
        return Err(bad());
    }
    url.set_query(None);
    url.set_fragment(None);
    // Joined paths replace what follows the last slash.
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// Sends the opening document: exactly these bytes.
///
/// # Errors
/// [`TransportError`]
pub async fn open(
    net: &Fetcher,
    endpoint: &Url,
    key: &str,
    document: Vec<u8>,
) -> Result<Opened, TransportError> {
    let url = endpoint
        .join("sessions")
        .map_err(|_| TransportError::Endpoint(endpoint.to_string()))?;
    let answer = net
        .post_json(
            url.clone(),
            document,
            CONTENT_TYPE,
            &[("idempotency-key", key)],
        )
        .await?;
    let answer = success(answer)?;
    let location = match &answer.location {
        None => None,
        Some(text) => {
            // `sessions/ID` is meant from the endpoint, `/x` and full addresses as they are.
            let place = endpoint
                .join(text)
                .map_err(|_| TransportError::ForeignLocation)?;
            if place.origin() != endpoint.origin() {
                return Err(TransportError::ForeignLocation);
            }
            Some(place.to_string())
        }
    };
    Ok(Opened {
        location,
        body: answer.body,
    })
}

/// Asks for messages after a number.
///
/// # Errors
/// [`TransportError`]
pub async fn poll(net: &Fetcher, location: &str, after: u64) -> Result<Vec<u8>, TransportError> {
    let mut url = messages(location)?;
    url.set_query(Some(&format!("after_sequence={after}&limit=50")));
    let answer = net
        .get_api(url, "application/json, application/ld+json", &[])
        .await?;
    Ok(success(answer)?.body)
}

/// The message that takes an offer, and the one that declines.
#[must_use]
pub fn accept(identifier: Option<&str>, sha256: &str) -> Value {
    json!({"type": "accept", "offer": identifier, "offer_sha256": sha256})
}

/// The message that declines, with a reason code of the Agentic Commerce Protocol's list.
#[must_use]
pub fn reject(reason: &str) -> Value {
    json!({"type": "reject", "reason": reason})
}

/// Sends a message.
///
/// # Errors
/// [`TransportError`]
pub async fn send(
    net: &Fetcher,
    location: &str,
    key: &str,
    message: Vec<u8>,
) -> Result<(), TransportError> {
    let url = messages(location)?;
    let answer = net
        .post_json(
            url,
            message,
            "application/json",
            &[("idempotency-key", key)],
        )
        .await?;
    success(answer).map(drop)
}

fn messages(location: &str) -> Result<Url, TransportError> {
    let place = Url::parse(&format!("{}/messages", location.trim_end_matches('/')));
    place.map_err(|_| TransportError::Endpoint(location.to_owned()))
}

fn success(answer: Fetched) -> Result<Fetched, TransportError> {
    if (200..300).contains(&answer.status) {
        Ok(answer)
    } else {
        Err(TransportError::Status(answer.status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_https_unless_they_are_ones_own() {
        let own = ["127.0.0.1:8099".to_owned()];
        assert!(endpoint("https://shop.example/tenders", &[]).is_ok());
        assert!(endpoint("http://shop.example/tenders", &own).is_err());
        assert!(endpoint("http://127.0.0.1:8099", &own).is_ok());
        assert!(endpoint("file:///etc/passwd", &own).is_err());
        let url = endpoint("https://shop.example/tenders?x=1", &[]).expect("endpoint");
        assert_eq!(url.as_str(), "https://shop.example/tenders/");
    }
}
