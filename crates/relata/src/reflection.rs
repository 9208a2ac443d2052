//! Reflection.
/// stub
#[derive(Debug)]
pub struct ModelReflection { name: &'static str }
impl ModelReflection {
    /// The name of the model.
    pub fn name(&self) -> &'static str { self.name }
}
