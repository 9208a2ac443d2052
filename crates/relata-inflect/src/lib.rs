//! English inflection by Rails' rules.
