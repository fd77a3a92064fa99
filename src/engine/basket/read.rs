//! Reading JSON with the path of each field at hand, so that an error names it.

use super::instance::BasketError;
use super::json::Json;
use std::collections::HashMap;

/// A JSON value and where it stands. The path is built only when it is needed: a
/// price matrix has many thousand fields and almost never an error.
#[derive(Clone)]
pub(super) struct Field<'a> {
    value: &'a Json<'a>,
    parent: Option<std::rc::Rc<Field<'a>>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Field<'a> {
    pub(super) fn root(value: &'a Json<'a>) -> Self {
        Self {
            value,
            parent: None,
            step: Step::Root,
        }
    }

    fn path(&self) -> String {
        let above = self.parent.as_ref().map(|p| p.path()).unwrap_or_default();
        match self.step {
            Step::Root => String::new(),
            Step::Key(key) if above.is_empty() => key.to_owned(),
            Step::Key(key) => format!("{above}.{key}"),
            Step::Index(i) => format!("{above}[{i}]"),
        }
    }

    pub(super) fn invalid(&self, problem: impl Into<String>) -> BasketError {
        let path = self.path();
        BasketError::Invalid {
            field: if path.is_empty() {
                "(root)".into()
            } else {
                path
            },
            problem: problem.into(),
        }
    }

    fn child(&self, value: &'a Json<'a>, step: Step<'a>) -> Self {
        Self {
            value,
            parent: Some(std::rc::Rc::new(self.clone())),
            step,
        }
    }

    /// A member that must be there.
    pub(super) fn get(&self, key: &'a str) -> Result<Self, BasketError> {
        match self.value.get(key) {
            Some(value) => Ok(self.child(value, Step::Key(key))),
            None if matches!(self.value, Json::Object(_)) => Err(self
                .child(&Json::Null, Step::Key(key))
                .invalid("is missing")),
            None => Err(self.invalid("must be an object")),
        }
    }

    /// A member that may be absent or null.
    pub(super) fn optional(&self, key: &'a str) -> Option<Self> {
        let value = self.value.get(key).filter(|v| !matches!(v, Json::Null))?;
        Some(self.child(value, Step::Key(key)))
    }

    /// Refuses members of other names: a misspelt limit would be no limit.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), BasketError> {
        let Json::Object(members) = self.value else {
            return Err(self.invalid("must be an object"));
        };
        match members.iter().find(|(key, _)| !names.contains(&&**key)) {
            None => Ok(()),
            Some((key, _)) => {
                let known = names.join(", ");
                Err(self.invalid(format!("`{key}` is not known, only {known}")))
            }
        }
    }

    /// `None` for null.
    pub(super) fn nullable(&self) -> Result<Option<&Self>, BasketError> {
        Ok((!matches!(self.value, Json::Null)).then_some(self))
    }

    pub(super) fn str(&self) -> Result<&'a str, BasketError> {
        match self.value {
            Json::Text(text) => Ok(text),
            other => Err(self.invalid(format!("must be a text, not {}", other.kind()))),
        }
    }

    /// A whole number within a range.
    pub(super) fn int(&self, low: i64, high: i64) -> Result<i64, BasketError> {
        let number = match self.value {
            Json::Number(n) => n,
            other => {
                let kind = other.kind();
                return Err(self.invalid(format!("must be a whole number, not {kind}")));
            }
        };
        match number.as_i64() {
            Some(v) if v < low && low == 0 => {
                Err(self.invalid(format!("must not be negative, found {v}")))
            }
            Some(v) if v < low => Err(self.invalid(format!("must be at least {low}, found {v}"))),
            Some(v) if v > high => Err(self.invalid(format!("{v} is more than {high}"))),
            Some(v) => Ok(v),
            None if number.is_u64() => Err(self.invalid(format!("{number} is more than {high}"))),
            None => Err(self.invalid(format!("must be a whole number, found {number}"))),
        }
    }

    pub(super) fn items(&self) -> Result<Vec<Self>, BasketError> {
        let Json::List(items) = self.value else {
            let kind = self.value.kind();
            return Err(self.invalid(format!("must be a list, not {kind}")));
        };
        let parent = std::rc::Rc::new(self.clone());
        let child = |(i, value)| Self {
            value,
            parent: Some(parent.clone()),
            step: Step::Index(i),
        };
        Ok(items.iter().enumerate().map(child).collect())
    }

    pub(super) fn items_of_len(&self, len: usize, what: &str) -> Result<Vec<Self>, BasketError> {
        let items = self.items()?;
        if items.len() != len {
            let found = items.len();
            return Err(self.invalid(format!("must have {len} entries ({what}), has {found}")));
        }
        Ok(items)
    }

    /// The index of the name in this field.
    pub(super) fn lookup(
        &self,
        names: &HashMap<&str, usize>,
        what: &str,
    ) -> Result<usize, BasketError> {
        let name = self.str()?;
        names
            .get(name)
            .copied()
            .ok_or_else(|| self.invalid(format!("there is no {what} `{name}`")))
    }
}

/// Reads every field of a list.
pub(super) fn list<'a, T>(
    fields: &[Field<'a>],
    mut read: impl FnMut(&Field<'a>) -> Result<T, BasketError>,
) -> Result<Vec<T>, BasketError> {
    fields.iter().map(&mut read).collect()
}

/// A text member.
pub(super) fn text(field: &Field<'_>, key: &'static str) -> Result<String, BasketError> {
    Ok(field.get(key)?.str()?.to_owned())
}
