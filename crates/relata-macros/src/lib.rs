//! The declarations of relata.
