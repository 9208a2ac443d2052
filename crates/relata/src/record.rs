//! Record.
/// stub
#[derive(Debug, Clone)]
pub struct Record { reflection: &'static crate::reflection::ModelReflection }
impl Record {
    /// The reflection of the record's model.
    pub fn reflection(&self) -> &'static crate::reflection::ModelReflection { self.reflection }
}
