//! Runs transcripts of what Rails' Active Record does against relata's erased layer, and says where they differ.
//!
//! ```text
//! transcript -> form         what a file says, as data
//! schema -> world            its tables and models, made at run time; clock, log, variables
//! eval -> vocabulary         runs each step: forms, and the methods of every kind of value
//! describe -> compare        the value as the transcript writes it, beside the one that Rails gave
//! statements                 the SQL of a step beside Rails'
//! scenario -> report         one scenario to its outcome; a folder to its lines
//! expect, differences        what need not pass yet, and what differs on purpose
//! ```
//!
//! Invariant: a scenario is only ever data. Nothing here knows one by its name; what relata lacks is reported as
//! unsupported with its true reason, at the moment it is needed.

pub mod callbacks;
pub mod clock;
pub mod compare;
pub mod describe;
pub mod differences;
pub mod eval;
pub mod expect;
pub mod form;
pub mod inverses;
pub mod jobs;
pub mod macros;
pub mod nested;
pub mod query;
pub mod report;
pub mod scenario;
pub mod schema;
pub mod settings;
pub mod statements;
pub mod stop;
pub mod transcript;
pub mod validations;
pub mod value;
pub mod vocabulary;
pub mod world;
