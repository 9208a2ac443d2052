//! stub
/// stub
#[derive(Debug)]
pub struct Shape;
