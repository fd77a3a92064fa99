//! Sentences for the person in which amounts and days are kept as what they are, so that
//! whoever shows them writes them the person's own way.

use super::Money;
use super::time::{Date, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Part {
    /// Words, as they are.
    Words(String),
    /// An amount.
    Money(Money),
    /// A point in time.
    Time {
        /// When.
        time: Timestamp,
    },
    /// A day.
    Day {
        /// Which.
        day: Date,
    },
}

/// Words with amounts and days among them. Its `Display` writes them the way that is the
/// same everywhere (`12.50 EUR`, ISO 8601); for people, `engine::locale` does.
///
/// Stored as the list of its parts; a plain text is read as words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sentence(Vec<Part>);

impl Sentence {
    /// The parts in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Goes on with more.
    pub fn push(&mut self, more: impl Into<Self>) {
        for part in more.into().0 {
            match (self.0.last_mut(), part) {
                (Some(Part::Words(last)), Part::Words(more)) => last.push_str(&more),
                (_, part) => self.0.push(part),
            }
        }
    }

    /// Several in one, with `between` between them.
    pub fn join(all: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut joined = Self::default();
        for (i, sentence) in all.into_iter().enumerate() {
            if i > 0 {
                joined.push(between);
            }
            joined.push(sentence);
        }
        joined
    }
}

/// A sentence of parts in their order: words, numbers, amounts, times, days and other
/// sentences.
macro_rules! sentence {
    ($($part:expr),+ $(,)?) => {{
        let mut sentence = $crate::model::Sentence::default();
        $(sentence.push($part);)+
        sentence
    }};
}

pub(crate) use sentence;

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Words(words) => f.write_str(words)?,
                Part::Money(money) => money.fmt(f)?,
                Part::Time { time } => write!(f, "{time:.0}")?,
                Part::Day { day } => write!(f, "{day}")?,
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Sentence {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Stored {
            Words(String),
            Parts(Vec<Part>),
        }
        Ok(match Stored::deserialize(d)? {
            Stored::Words(words) => words.into(),
            Stored::Parts(parts) => Self(parts),
        })
    }
}

impl From<String> for Sentence {
    fn from(words: String) -> Self {
        Self(if words.is_empty() {
            Vec::new()
        } else {
            vec![Part::Words(words)]
        })
    }
}

impl From<&str> for Sentence {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}

impl From<&String> for Sentence {
    fn from(words: &String) -> Self {
        words.clone().into()
    }
}

impl From<Money> for Sentence {
    fn from(money: Money) -> Self {
        Self(vec![Part::Money(money)])
    }
}

impl From<Timestamp> for Sentence {
    fn from(time: Timestamp) -> Self {
        Self(vec![Part::Time { time }])
    }
}

impl From<Date> for Sentence {
    fn from(day: Date) -> Self {
        Self(vec![Part::Day { day }])
    }
}

impl From<&Self> for Sentence {
    fn from(sentence: &Self) -> Self {
        sentence.clone()
    }
}

macro_rules! from_numbers {
    ($($number:ty),+) => {$(
        impl From<$number> for Sentence {
            fn from(number: $number) -> Self {
                number.to_string().into()
            }
        }
    )+};
}

from_numbers!(u32, u64, usize, i32, i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_alike_everywhere_and_comes_back_from_its_parts() {
        let cost: Money = "1299.5 EUR".parse().expect("test money");
        let day: Date = "2030-02-28".parse().expect("a day");
        let said = sentence!("costs ", cost, " until ", day, ", ", 3_u32, " left");
        assert_eq!(
            said.to_string(),
            "costs 1299.50 EUR until 2030-02-28, 3 left"
        );
        assert_eq!(said.parts().len(), 5, "words that meet are one part");
        let time = sentence!(Timestamp::UNIX_EPOCH);
        assert_eq!(time.to_string(), "1970-01-01T00:00:00Z");
        for said in [said, time, Sentence::default()] {
            let json = serde_json::to_string(&said).expect("JSON");
            assert_eq!(serde_json::from_str::<Sentence>(&json).expect("read"), said);
        }
        let words: Sentence = serde_json::from_str("\"told at 3 EUR\"").expect("words");
        assert_eq!(words, "told at 3 EUR".into(), "as it was kept before");
    }

    #[test]
    fn joined() {
        let all = ["a", "b"].map(Sentence::from);
        assert_eq!(Sentence::join(all, ", ").to_string(), "a, b");
        assert!(Sentence::join([], ", ").is_empty());
    }
}
