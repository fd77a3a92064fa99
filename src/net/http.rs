//! One exchange: a request to a vetted address and its bounded answer.

use super::clock::Clock;
use super::error::{FetchError, Refusal};
use super::guard::{AllowPrivate, vet_addresses, vet_url};
use super::resolve::{GuardedResolver, Lookup, on_link_prefixes, refusal_in};
use super::{Limits, NetConfig, Validators, body, retry_after};
use crate::model::time::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How long an idle connection is kept for the next request.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The HTTP client with the guard around it.
pub struct Http {
    client: Client,
    allow: Arc<AllowPrivate>,
    limits: Limits,
    clock: Arc<dyn Clock>,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    headers: HeaderMap,
    /// When the answer came.
    pub at: Timestamp,
}

impl Answer {
    /// A field's value, if it is text and not absurdly long.
    pub fn field(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?.to_str().ok()?;
        (value.len() <= 4096).then(|| value.to_owned())
    }

    pub fn validators(&self) -> Validators {
        Validators {
            etag: self.field("etag"),
            last_modified: self.field("last-modified"),
        }
    }

    /// When the host wants to be asked again: after 429 at a time of our choice, after
    /// 503 only if it names one.
    pub fn come_back(&self) -> Option<Option<Timestamp>> {
        let named = self
            .field("retry-after")
            .and_then(|v| retry_after::parse(&v, self.at));
        match self.status {
            429 => Some(named),
            503 => named.map(Some),
            _ => None,
        }
    }

    pub const fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }
}

/// What to send.
pub struct Request<'a> {
    pub method: Method,
    pub url: &'a Url,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
}

impl Http {
    pub fn new(
        config: &NetConfig,
        clock: Arc<dyn Clock>,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, FetchError> {
        let (allow, bad) = AllowPrivate::parse(&config.allow_private);
        if let Some(entry) = bad.first() {
            return Err(FetchError::Setup(format!(
                "allow_private lists {entry:?}, which is neither a host nor host:port"
            )));
        }
        let allow = Arc::new(allow);
        let builder = || {
            Client::builder()
                .user_agent(config.user_agent.as_str())
                .no_proxy()
                .referer(false)
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(config.limits.connect)
                .pool_max_idle_per_host(1)
                .pool_idle_timeout(KEEP_ALIVE)
                .http1_max_headers(config.limits.header_fields)
                .http2_max_header_list_size(
                    u32::try_from(config.limits.header_bytes).unwrap_or(u32::MAX),
                )
                .dns_resolver(GuardedResolver {
                    lookup: Arc::clone(&lookup),
                    allow: Arc::clone(&allow),
                    timeout: config.limits.dns,
                })
        };
        // A machine without root certificates can still talk to its own network; every
        // https address fails there with an unknown issuer.
        let client = builder()
            .build()
            .or_else(|e| {
                tracing::warn!("no root certificates: {e}");
                builder().tls_certs_only([]).build()
            })
            .map_err(|e| FetchError::Setup(e.to_string()))?;
        Ok(Self {
            client,
            allow,
            limits: config.limits.clone(),
            clock,
        })
    }

    /// Vets an address before anything is sent or waited for.
    pub fn vet(&self, url: &Url) -> Result<(), Refusal> {
        vet_url(url, &self.allow, self.limits.url_bytes)
    }

    /// Sends one request and reads its answer. Redirects are not followed.
    pub async fn exchange(&self, request: Request<'_>) -> Result<Answer, FetchError> {
        let Request {
            method,
            url,
            headers,
            body: payload,
        } = request;
        self.vet(url)?;
        let deadline = tokio::time::Instant::now() + self.limits.total;
        let mut builder = self
            .client
            .request(method, url.clone())
            .headers(headers)
            .header("accept-encoding", "gzip, deflate, br");
        if let Some(payload) = payload {
            builder = builder.body(payload);
        }
        let patience = (self.limits.connect + self.limits.first_byte).min(self.limits.total);
        let mut response = tokio::time::timeout(patience, builder.send())
            .await
            .map_err(|_| FetchError::Timeout(patience, "start of the answer"))?
            .map_err(|e| transport(url, &e))?;
        self.vet_peer(&response)?;
        self.vet_head(response.headers())?;
        let status = response.status().as_u16();
        let mut answer = Answer {
            status,
            body: Vec::new(),
            headers: response.headers().clone(),
            at: self.clock.now(),
        };
        if !answer.is_redirect() && status != 304 {
            answer.body = body::read(&mut response, &self.limits, deadline).await?;
        }
        Ok(answer)
    }

    /// Looks at the other end of the connection once more; addresses in numbers never
    /// went through the resolver.
    fn vet_peer(&self, response: &reqwest::Response) -> Result<(), Refusal> {
        let Some(peer) = response.remote_addr() else {
            return Ok(());
        };
        let host = response.url().host_str().unwrap_or_default();
        vet_addresses(host, &[peer.ip()], &self.allow, &on_link_prefixes())
    }

    fn vet_head(&self, headers: &HeaderMap) -> Result<(), FetchError> {
        let bytes: usize = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        if bytes > self.limits.header_bytes {
            return Err(FetchError::TooLarge {
                what: "header",
                limit: self.limits.header_bytes,
            });
        }
        if headers.len() > self.limits.header_fields {
            return Err(FetchError::TooLarge {
                what: "header fields",
                limit: self.limits.header_fields,
            });
        }
        Ok(())
    }
}

/// Puts an error of the HTTP client into our words.
pub fn transport(url: &Url, error: &reqwest::Error) -> FetchError {
    if let Some(refusal) = refusal_in(error) {
        return refusal.into();
    }
    // The innermost cause says most; the outer ones repeat the address.
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    FetchError::Transport {
        host: url.host_str().unwrap_or_default().to_owned(),
        why: crate::model::text::clean(&cause.to_string(), 200),
    }
}

/// The address a redirect leads to: never from https to http, never to nowhere.
pub fn redirect_target(from: &Url, answer: &Answer) -> Result<Url, FetchError> {
    let bad = |why| FetchError::BadRedirect {
        from: Box::new(from.clone()),
        why,
    };
    let location = answer
        .field("location")
        .ok_or_else(|| bad("it names no address"))?;
    follow(from, &location).map_err(bad)
}

fn follow(from: &Url, location: &str) -> Result<Url, &'static str> {
    let mut to = from.join(location).map_err(|_| "its address is broken")?;
    to.set_fragment(None);
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err("it leads from https to http");
    }
    Ok(to)
}

/// Header fields from text, leaving out what is not allowed in one.
pub fn fields<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    pairs
        .into_iter()
        .filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_on_https() {
        let from = Url::parse("https://shop.example/a/b?c").expect("URL");
        let to = |location| follow(&from, location).map(String::from);
        assert_eq!(to("../x#y"), Ok("https://shop.example/x".to_owned()));
        assert_eq!(
            to("//other.example/"),
            Ok("https://other.example/".to_owned())
        );
        assert!(to("http://shop.example/").is_err());
        assert!(to("https://").is_err());
        let plain = Url::parse("http://shop.example/").expect("URL");
        assert!(follow(&plain, "https://shop.example/").is_ok());
    }

    #[test]
    fn fields_cannot_be_split() {
        let made = fields([("if-none-match", "\"a\"\r\nx: y"), ("accept", "text/html")]);
        assert_eq!(made.len(), 1);
    }
}
