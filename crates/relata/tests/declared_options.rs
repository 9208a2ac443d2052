//! Every option of every macro is reachable in words, for models made at run time: what Rails' table of options allows is
//! taken, and what it does not is refused with its words.

use relata::ErrorKind;
use relata::callback::{MemberCallback, MemberEvent};
use relata::reflection::{Classes, Declared, ModelBuilder, Registry, Setting, Target};

/// The macros, and for each option whether they take it: `+`, `-`, or only together with another, which is named.
const MACROS: [&str; 3] = ["belongs_to", "has_one", "has_many"];
#[rustfmt::skip] // a table
const OPTIONS: [(&str, &str, [&str; 3]); 32] = [
    // option, what it is set to, belongs_to, has_one, has_many
    ("class_name",         "Post",          ["+", "+", "+"]),
    ("foreign_key",        "post_id",       ["+", "+", "+"]),
    ("primary_key",        "code",          ["+", "+", "+"]),
    ("foreign_type",       "post_kind",     ["polymorphic", "as=about", "as=about"]),
    ("polymorphic",        "",              ["+", "-", "-"]),
    ("as",                 "about",         ["-", "+", "+"]),
    ("through",            "others",        ["-", "+", "+"]),
    ("source",             "post",          ["-", "through=others", "through=others"]),
    ("source_type",        "Post",          ["-", "through=others", "through=others"]),
    ("disable_joins",      "",              ["-", "through=others", "through=others"]),
    ("dependent",          "destroy",       ["+", "+", "+"]),
    ("dependent",          "destroy_async", ["+", "+", "+"]),
    ("autosave",           "",              ["+", "+", "+"]),
    ("validate",           "",              ["+", "+", "+"]),
    ("inverse_of",         "posts",         ["+", "+", "+"]),
    ("strict_loading",     "",              ["+", "+", "+"]),
    ("required",           "",              ["+", "+", "-"]),
    ("optional",           "",              ["+", "-", "-"]),
    ("touch",              "",              ["+", "+", "-"]),
    ("touch",              "seen_at",       ["+", "+", "-"]),
    ("counter_cache",      "",              ["+", "-", "+"]),
    ("counter_cache",      "many_count",    ["+", "-", "+"]),
    ("before_add",         "",              ["-", "-", "+"]),
    ("after_add",          "",              ["-", "-", "+"]),
    ("before_remove",      "",              ["-", "-", "+"]),
    ("after_remove",       "",              ["-", "-", "+"]),
    ("extend",             "Loud",          ["-", "-", "+"]),
    ("index_errors",       "",              ["-", "-", "+"]),
    ("join_table",         "unused",        ["-", "-", "+"]),
    ("default_order",      "id desc",       ["-", "-", "+"]),
    ("deprecated",         "",              ["+", "+", "+"]),
    ("association_foreign_key", "tag_id",   ["-", "-", "-"]),
];

fn setting(value: &str) -> Setting {
    match value {
        "" => Setting::Flag(true),
        text => Setting::Text(text.to_owned()),
    }
}

fn declared(
    kind: &str,
    options: &[(&str, Setting)],
) -> relata::Result<relata::reflection::AssociationReflection> {
    let mut declared = Declared::new("Reader", kind, "posts")?;
    for (option, setting) in options {
        declared = declared.option(option, setting.clone())?;
        if option.contains("_add") || option.contains("_remove") {
            declared =
                declared.callback(MemberCallback::new(MemberEvent::AfterAdd, &|_, _| Ok(())));
        }
    }
    let (target, _) = ModelBuilder::target(declared.class_name());
    let target = match declared.is_polymorphic() {
        true => Target::AnyOf(Classes::Open(Registry::program())),
        false => target,
    };
    declared.leading_to(target)
}

#[test]
fn an_option_is_taken_where_rails_takes_it() {
    for (option, value, takes) in OPTIONS {
        for (kind, takes) in MACROS.into_iter().zip(takes) {
            let alone = declared(kind, &[(option, setting(value))]);
            let refused = |error: relata::Error| {
                assert_eq!(error.kind(), ErrorKind::Argument, "{kind} {option}");
                let wanted = format!("Unknown key: :{option}. Valid keys are: ");
                assert!(error.to_string().starts_with(&wanted), "{kind}: {error}");
            };
            match takes {
                "+" => {
                    let taken = alone.unwrap_or_else(|error| panic!("{kind} {option}: {error}"));
                    assert!(
                        taken
                            .options()
                            .iter()
                            .any(|(name, _)| *name == option || option == "required")
                    );
                }
                "-" => refused(alone.unwrap_err()),
                other => {
                    refused(alone.unwrap_err());
                    let (with, of) = other.split_once('=').unwrap_or((other, ""));
                    let both = [(with, setting(of)), (option, setting(value))];
                    let taken = declared(kind, &both);
                    assert!(taken.is_ok(), "{kind} {option} with {with}: {taken:?}");
                }
            }
        }
    }
}

#[test]
fn a_counter_cache_has_options_of_its_own() -> relata::Result<()> {
    let parts = |active: bool, column: Option<&str>| {
        let column = column.map_or(Setting::Null, |column| Setting::Text(column.to_owned()));
        let parts = [("active", Setting::Flag(active)), ("column", column)];
        Setting::Options(
            parts
                .map(|(name, setting)| (name.to_owned(), setting))
                .to_vec(),
        )
    };
    let inactive = declared(
        "belongs_to",
        &[("counter_cache", parts(false, Some("many")))],
    )?;
    assert_eq!(inactive.counter_cache(), Some("many"));
    assert_eq!(
        inactive.options(),
        [("counter_cache", "{active: false, column: many}")]
    );
    let active = declared("belongs_to", &[("counter_cache", parts(true, None))])?;
    assert_eq!(
        active.counter_cache(),
        declared("belongs_to", &[("counter_cache", setting(""))])?.counter_cache()
    );
    let odd = Setting::Options(vec![("odd".to_owned(), Setting::Null)]);
    let error = declared("belongs_to", &[("counter_cache", odd)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    Ok(())
}
