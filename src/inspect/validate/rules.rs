//! The language in which the APIs are written down: what a field may be, what an array holds,
//! which fields an object must have. Decides nothing about a body: [`super::Checker`] does.

/// Kinds of JSON values, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const TEXT: Self = Self(1);
    pub(super) const NUMBER: Self = Self(2);
    pub(super) const FLAG: Self = Self(4);
    pub(super) const NULL: Self = Self(8);
    pub(super) const OBJECT: Self = Self(16);
    pub(super) const ARRAY: Self = Self(32);
    pub(super) const ANY: Self = Self(63);

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }
}

/// What is remembered of an object until it closes: a bit each for a field that is there and not
/// null, and for a word that was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(u32);

impl Marks {
    pub(super) const NONE: Self = Self(0);

    pub(super) const fn bit(number: u32) -> Self {
        Self(1 << number)
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A word that a field may say, and what is remembered then.
pub(super) type Word = (&'static str, Marks);

/// What is asked of a value beyond its kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Check {
    /// Nothing.
    Nothing,
    /// A string or array has something in it.
    Filled,
    /// A number is whole, written without point and exponent, and in this range.
    Whole { least: i128, most: i128 },
    /// A number is whole and not negative; no other check is as cheap.
    Token,
    /// A number is in this range.
    Between { least: f64, most: f64 },
    /// A string is one of these.
    OneOf(&'static [Word]),
    /// A string may be one of these, which is remembered.
    Noted(&'static [Word]),
}

impl Check {
    /// Whether this number is allowed.
    pub(super) fn allows(self, number: &str) -> bool {
        match self {
            Self::Nothing | Self::Filled | Self::OneOf(_) | Self::Noted(_) => true,
            // `1e3` and `5.0` are no whole numbers here: what counts must mean the same to the
            // gateway and to the provider.
            Self::Whole { least, most } => number
                .parse::<i128>()
                .is_ok_and(|number| (least..=most).contains(&number)),
            Self::Token => number.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Between { least, most } => number
                .parse::<f64>()
                .is_ok_and(|number| (least..=most).contains(&number)),
        }
    }
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) kinds: Kinds,
    /// The end of "must be …".
    pub(super) must: &'static str,
    pub(super) check: Check,
    /// What an array holds, where that matters.
    pub(super) items: Option<&'static Self>,
    /// What an object has, where that matters.
    pub(super) members: Option<&'static Members>,
}

impl Rule {
    pub(super) const fn new(kinds: Kinds, must: &'static str) -> Self {
        Self {
            kinds,
            must,
            check: Check::Nothing,
            items: None,
            members: None,
        }
    }

    pub(super) const fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    pub(super) const fn items(mut self, items: &'static Self) -> Self {
        self.items = Some(items);
        self
    }

    pub(super) const fn members(mut self, members: &'static Members) -> Self {
        self.members = Some(members);
        self
    }

    /// Null is as good as absent: some SDKs send what their caller left out.
    pub(super) const fn or_null(mut self) -> Self {
        self.kinds = self.kinds.or(Kinds::NULL);
        self
    }
}

/// The fields of an object that are looked at; all others pass.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) fields: &'static [Field],
    /// Which field is missing, if one is.
    pub(super) missing: fn(Marks) -> Option<&'static str>,
}

impl Members {
    #[inline]
    pub(super) fn find(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == key)
    }
}

/// A field of an object.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) rule: Rule,
    pub(super) mark: Marks,
}

impl Field {
    /// A field that may be left out.
    pub(super) const fn new(name: &'static str, rule: Rule) -> Self {
        Self::marked(name, rule, Marks::NONE)
    }

    /// A field of which it matters whether it is there.
    pub(super) const fn marked(name: &'static str, rule: Rule, mark: Marks) -> Self {
        Self { name, rule, mark }
    }
}
