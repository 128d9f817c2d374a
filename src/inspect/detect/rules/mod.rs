//! Rule tables: data, one file a family (prompt injection: one a theme).
//!
//! Decides the words, points and patterns of the built-in rules; holds no logic.

pub mod code;
pub(crate) mod dial;
pub mod harmful;
pub mod injection;
pub mod injection_agents;
pub mod injection_foreign;
pub mod injection_languages;
pub mod injection_phrases;
pub mod injection_roles;
pub mod injection_words;
pub mod personal;
pub mod secrets;
pub mod web;
