//! The grammar of a number, a byte at a time. The value is nobody's business here.

/// How far into a number the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// Before its first byte.
    Start,
    /// After the minus.
    Minus,
    /// After a leading zero: no digit may follow.
    Zero,
    /// In the whole part.
    Whole,
    /// After the point.
    Point,
    /// In the fraction.
    Fraction,
    /// After `e`.
    Exponent,
    /// After the sign of the exponent.
    Sign,
    /// In the digits of the exponent.
    Power,
}

impl Number {
    /// Where `byte` leads, or `None` if it is no part of the number.
    #[inline]
    pub(super) const fn step(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Start, b'-') => Some(Self::Minus),
            (Self::Start | Self::Minus, b'0') => Some(Self::Zero),
            (Self::Start | Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => {
                Some(Self::Whole)
            }
            (Self::Zero | Self::Whole, b'.') => Some(Self::Point),
            (Self::Point | Self::Fraction, b'0'..=b'9') => Some(Self::Fraction),
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Some(Self::Exponent),
            (Self::Exponent, b'+' | b'-') => Some(Self::Sign),
            (Self::Exponent | Self::Sign | Self::Power, b'0'..=b'9') => Some(Self::Power),
            _ => None,
        }
    }

    /// Whether any digit leads back here, so that a row of them can be passed over.
    pub(super) const fn takes_digits(self) -> bool {
        match self {
            Self::Whole | Self::Fraction | Self::Power => true,
            Self::Start | Self::Minus | Self::Zero | Self::Point | Self::Exponent | Self::Sign => {
                false
            }
        }
    }

    /// Whether a number may end here.
    pub(super) const fn may_end(self) -> bool {
        match self {
            Self::Zero | Self::Whole | Self::Fraction | Self::Power => true,
            Self::Start | Self::Minus | Self::Point | Self::Exponent | Self::Sign => false,
        }
    }
}
