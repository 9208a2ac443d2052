//! The one body of tests that every backend runs.
