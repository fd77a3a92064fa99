//! A provider that answers every call for tenders with one price.
//!
//! ```text
//! cargo run --example provider -- 127.0.0.1:8099 "My shop" 119.00 EUR 4.90 2
//! emptor tender new drill --to http://127.0.0.1:8099
//! ```
//!
//! The address must be listed under `[net] allow_private` in the buyer's configuration,
//! because it is on the buyer's own machine.

use emptor::demo::provider::{Provider, Terms};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, name, price, currency, delivery, days] = args.as_slice() else {
        return Err("usage: provider ADDRESS NAME PRICE CURRENCY DELIVERY DAYS".into());
    };
    let provider = Provider::new(Terms {
        name: name.clone(),
        price: price.clone(),
        currency: currency.clone(),
        delivery: delivery.clone(),
        days: days.parse()?,
        note: String::new(),
    });
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("answering on http://{}", listener.local_addr()?);
    axum::serve(listener, provider.router()).await?;
    Ok(())
}
