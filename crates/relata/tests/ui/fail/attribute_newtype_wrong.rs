//! Newtypes of nothing, of several, of an Option, of what cannot be a column.

use relata::Attribute;

#[derive(Attribute)]
pub struct Nothing;

#[derive(Attribute)]
pub struct Point(f64, f64);

#[derive(Attribute)]
pub struct Maybe(Option<i64>);

#[derive(Attribute)]
pub struct Wrapper<T>(T);

#[derive(Attribute)]
pub struct Elapsed(std::time::Duration);

fn main() {}
