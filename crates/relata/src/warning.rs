//! What a program is told that is no error: to `tracing`, or without it to standard error.
//!
//! Invariant: this is the only place that speaks where nobody listens.

/// What it is about, which is the target of the event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum About {
    /// A lazy load that strict loading forbids.
    StrictLoading,
    /// An association that is not to be used any more.
    DeprecatedAssociation,
}

/// Tells it.
pub(crate) fn warn(about: About, message: &str) {
    #[cfg(feature = "tracing")]
    match about {
        About::StrictLoading => {
            tracing::warn!(target: "relata::strict_loading", "{message}");
        }
        About::DeprecatedAssociation => {
            tracing::warn!(target: "relata::deprecated_association", "{message}");
        }
    }
    #[cfg(not(feature = "tracing"))]
    match about {
        About::StrictLoading | About::DeprecatedAssociation => eprintln!("{message}"),
    }
}
