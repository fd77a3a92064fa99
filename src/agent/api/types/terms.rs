//! What travels about the terms of shops that the person knows.

use super::TripView;
use crate::model::terms::{Break, Gives, Surcharge, Tier};
use crate::model::time::Date;
use crate::model::{Money, Place, ShopTerms};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Changes what is known of a shop. What is not given stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EditTerms {
    /// The fee for one delivery.
    #[schema(value_type = Option<Object>)]
    pub fee: Option<Money>,
    /// Other fees from an order value on, instead of those known.
    #[schema(value_type = Vec<Object>)]
    pub tiers: Vec<Tier>,
    /// Delivery is free from this order value on.
    #[schema(value_type = Option<Object>)]
    pub free_from: Option<Money>,
    /// Whether the order value counts before coupons.
    pub before_coupons: Option<bool>,
    /// What heavy orders cost on top, instead of what is known.
    #[schema(value_type = Vec<Object>)]
    pub surcharges: Vec<Surcharge>,
    /// The least order value.
    #[schema(value_type = Option<Object>)]
    pub min_order: Option<Money>,
    /// Whether nothing is sent.
    pub fetch_only: Option<bool>,
    /// Where the goods can be fetched: latitude and longitude.
    #[schema(value_type = Option<String>)]
    pub place: Option<Place>,
    /// What the way there and back costs.
    #[schema(value_type = Option<Object>)]
    pub travel: Option<Money>,
    /// What the shop asks for having the goods ready.
    #[schema(value_type = Option<Object>)]
    pub pickup_fee: Option<Money>,
    /// Forget what is known of delivery and fetching first.
    pub forget: bool,
}

/// What is known of a shop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TermsView {
    /// The shop's domain.
    pub shop: String,
    /// Delivery and fetching.
    #[schema(value_type = Object)]
    pub terms: ShopTerms,
    /// The way there from home and back, where it is known.
    pub trip: Option<TripView>,
    /// Coupons.
    pub coupons: Vec<KnownCoupon>,
    /// Prices noted by hand.
    pub prices: Vec<NotedPrice>,
}

/// A coupon to remember.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCoupon {
    /// What is typed at the checkout.
    pub code: String,
    /// What it takes off: `10%` or `5 EUR`.
    #[schema(value_type = String)]
    pub gives: Gives,
    /// The least value of the goods it counts for.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub min_spend: Option<Money>,
    /// The most it takes off.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub cap: Option<Money>,
    /// The wants it counts for; none for everything.
    #[serde(default)]
    pub wants: Vec<String>,
    /// Its group: one order takes one coupon of each.
    #[serde(default)]
    pub group: Option<String>,
    /// The last day it is good for.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub until: Option<Date>,
}

/// A coupon that is remembered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KnownCoupon {
    /// What is typed at the checkout.
    pub code: String,
    /// What it takes off.
    #[schema(value_type = String)]
    pub gives: Gives,
    /// The least value of the goods it counts for.
    #[schema(value_type = Option<Object>)]
    pub min_spend: Option<Money>,
    /// The most it takes off.
    #[schema(value_type = Option<Object>)]
    pub cap: Option<Money>,
    /// The wants it counts for; none for everything.
    pub wants: Vec<Pieces>,
    /// Its group.
    pub group: Option<String>,
    /// The last day it is good for.
    #[schema(value_type = Option<String>)]
    pub until: Option<Date>,
    /// Whether that day is past: it does not count.
    pub expired: bool,
}

/// Pieces of a want.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pieces {
    /// The want: its id or part of its name.
    pub want: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// How many.
    pub pieces: u32,
}

/// A price to note: a pack, a price that falls with the number, a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrice {
    /// What it is called; the names of its wants if not given.
    #[serde(default)]
    pub name: Option<String>,
    /// What is in it: several wants make a bundle.
    pub covers: Vec<Pieces>,
    /// What one costs.
    #[schema(value_type = Object)]
    pub price: Money,
    /// What each costs from a number on.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub breaks: Vec<Break>,
    /// The most that can be bought.
    #[serde(default)]
    pub most: Option<u32>,
    /// Where it is sold.
    #[serde(default)]
    pub url: Option<String>,
    /// The last day it holds.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub until: Option<Date>,
}

/// A price that was noted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NotedPrice {
    /// What people type.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What is in it.
    pub covers: Vec<Pieces>,
    /// What one costs.
    #[schema(value_type = Object)]
    pub price: Money,
    /// What each costs from a number on.
    #[schema(value_type = Vec<Object>)]
    pub breaks: Vec<Break>,
    /// The most that can be bought.
    pub most: Option<u32>,
    /// Where it is sold.
    pub url: Option<String>,
    /// The day it was noted.
    #[schema(value_type = String)]
    pub noted: Date,
    /// The last day it holds.
    #[schema(value_type = Option<String>)]
    pub until: Option<Date>,
    /// Whether that day is past: it does not count.
    pub expired: bool,
}
