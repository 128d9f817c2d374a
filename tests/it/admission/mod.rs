//! Who gets in: keys in every state, roles, paths, methods, and heads that are too large. What
//! is refused reaches no provider.

mod credentials;
mod places;
mod rights;
