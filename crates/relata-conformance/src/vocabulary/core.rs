//! Text, names, numbers, times, truth values and nil.

use std::sync::Arc;

use super::missing;
use crate::eval::Args;
use crate::stop::{Ran, Stop};
use crate::value::Value;
use crate::world::World;

pub(super) async fn call(
    world: &Arc<World>,
    receiver: &Value,
    name: &str,
    args: &Args,
) -> Ran<Value> {
    match (name, args.all.as_slice()) {
        ("to_s", []) => return Ok(Value::text(&receiver.to_text())),
        ("!", []) => return Ok(Value::Bool(!receiver.is_true())),
        ("presence", []) => {
            let blank = matches!(receiver, Value::Nil)
                || receiver
                    .as_text()
                    .is_some_and(|text| text.trim().is_empty());
            return Ok(if blank { Value::Nil } else { receiver.clone() });
        }
        _ => {}
    }
    match receiver {
        Value::Nil => match name {
            "to_a" => Ok(Value::list([])),
            "to_i" => Ok(Value::Int(0)),
            _ => Err(Stop::raised(
                "NoMethodError",
                format!("undefined method '{name}' for nil"),
            )),
        },
        Value::Text(text) | Value::Name(text) => of_text(receiver, text, name, args),
        Value::Int(number) => of_integer(world, *number, name, args).await,
        Value::Time(micros) => match (name, args.all.as_slice()) {
            ("to_i", []) => Ok(Value::Int(micros.div_euclid(1_000_000))),
            (">", [Value::Time(other)]) => Ok(Value::Bool(micros > other)),
            ("<", [Value::Time(other)]) => Ok(Value::Bool(micros < other)),
            ("-", [Value::Time(other)]) => Ok(Value::Int((micros - other).div_euclid(1_000_000))),
            _ => Err(missing(receiver, name)),
        },
        _ => Err(missing(receiver, name)),
    }
}

fn of_text(receiver: &Value, text: &str, name: &str, args: &Args) -> Ran<Value> {
    Ok(match (name, args.all.as_slice()) {
        ("to_sym", []) => Value::name(text),
        ("to_str", []) => Value::text(text),
        ("to_i", []) => Value::Int(leading(text)),
        ("upcase", []) => Value::text(&text.to_uppercase()),
        ("downcase", []) => Value::text(&text.to_lowercase()),
        ("capitalize", []) => Value::text(&capitalized(text)),
        ("strip", []) => Value::text(text.trim()),
        ("reverse", []) => Value::text(&text.chars().rev().collect::<String>()),
        ("size" | "length", []) => Value::count(text.chars().count()),
        ("empty?", []) => Value::Bool(text.is_empty()),
        ("include?", [Value::Text(part)]) => Value::Bool(text.contains(&**part)),
        ("start_with?", [Value::Text(part)]) => Value::Bool(text.starts_with(&**part)),
        ("end_with?", [Value::Text(part)]) => Value::Bool(text.ends_with(&**part)),
        ("+", [Value::Text(more)]) => Value::text(&format!("{text}{more}")),
        ("*", [Value::Int(times)]) => {
            Value::text(&text.repeat(usize::try_from(*times).unwrap_or_default()))
        }
        ("split", [Value::Text(by)]) => Value::list(text.split(&**by).map(Value::text)),
        ("split", []) => Value::list(text.split_whitespace().map(Value::text)),
        ("<=>", [other]) if other.as_text().is_some() => {
            Value::Int(text.cmp(other.as_text().unwrap_or_default()) as i64)
        }
        _ => return Err(missing(receiver, name)),
    })
}

/// The number that a text begins with; 0 where it begins with none.
pub(super) fn leading(text: &str) -> i64 {
    let digits = text.trim_start();
    let end = digits
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || *at == 0 && *c == '-'))
        .map_or(digits.len(), |(at, _)| at);
    digits[..end].parse().unwrap_or(0)
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first
            .to_uppercase()
            .chain(letters.flat_map(char::to_lowercase))
            .collect()
    })
}

async fn of_integer(world: &Arc<World>, number: i64, name: &str, args: &Args) -> Ran<Value> {
    Ok(match (name, args.all.as_slice()) {
        ("times", []) => {
            if let Some(block) = &args.block {
                for at in 0..number {
                    world.yield_to(block, vec![Value::Int(at)]).await?;
                }
                return Ok(Value::Int(number));
            }
            Value::list((0..number).map(Value::Int))
        }
        ("to_i", []) => Value::Int(number),
        ("-@", []) => Value::Int(number.wrapping_neg()),
        ("abs", []) => Value::Int(number.wrapping_abs()),
        ("zero?", []) => Value::Bool(number == 0),
        ("positive?", []) => Value::Bool(number > 0),
        ("even?", []) => Value::Bool(number % 2 == 0),
        ("odd?", []) => Value::Bool(number % 2 != 0),
        ("+", [Value::Int(other)]) => Value::Int(number.wrapping_add(*other)),
        ("-", [Value::Int(other)]) => Value::Int(number.wrapping_sub(*other)),
        ("*", [Value::Int(other)]) => Value::Int(number.wrapping_mul(*other)),
        ("%", [Value::Int(other)]) if *other != 0 => Value::Int(number.rem_euclid(*other)),
        ("/", [Value::Int(other)]) if *other != 0 => Value::Int(number.div_euclid(*other)),
        (">", [Value::Int(other)]) => Value::Bool(number > *other),
        ("<", [Value::Int(other)]) => Value::Bool(number < *other),
        (">=", [Value::Int(other)]) => Value::Bool(number >= *other),
        ("<=", [Value::Int(other)]) => Value::Bool(number <= *other),
        ("<=>", [Value::Int(other)]) => Value::Int(number.cmp(other) as i64),
        _ => return Err(missing(&Value::Int(number), name)),
    })
}
