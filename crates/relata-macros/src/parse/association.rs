//! `#[belongs_to(...)]`, `#[has_one(...)]`, `#[has_many(...)]`: which options each takes, and what they say.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Expr, ExprClosure, Type};

use super::field::Declared;
use super::options::{Entry, Known, Value, entries, of_attribute};
use crate::errors::{Errors, hint, list};
use crate::model::{Association, Counter, Inverse, Macro, Scope, owned_path, plain, unwrapped};

const CLASS_NAME: (&str, &str) = (
    "class_name",
    "the field's type is the class: write `author: Person` and leave `class_name` out",
);
const CONSTRAINTS: (&str, &str) = (
    "query_constraints",
    "name the columns with `foreign_key = (a, b)`; Rails removed `query_constraints` too",
);

const EXTEND: (&str, &str) = (
    "extend",
    "methods of a collection are a trait of yours: `impl Loud for relata::Collection<'_, Comment> { ... }`, and those that \
     narrow it scopes of the target: `#[scopes] impl Comment`",
);

const BELONGS_TO: Known<'static> = Known {
    attribute: "#[belongs_to]",
    now: &[
        "foreign_key",
        "primary_key",
        "inverse_of",
        "strict_loading",
        "scope",
        "autosave",
        "validate",
        "optional",
        "required",
        "counter_cache",
        "default",
        "dependent",
        "ensuring_owner_was",
        "touch",
        "polymorphic",
        "foreign_type",
        "deprecated",
    ],
    later: &[],
    instead: &[CLASS_NAME, CONSTRAINTS],
};

const HAS_ONE: Known<'static> = Known {
    attribute: "#[has_one]",
    now: &[
        "foreign_key",
        "primary_key",
        "inverse_of",
        "strict_loading",
        "scope",
        "source",
        "source_type",
        "through",
        "disable_joins",
        "autosave",
        "validate",
        "required",
        "dependent",
        "ensuring_owner_was",
        "touch",
        "as",
        "foreign_type",
        "deprecated",
    ],
    later: &[],
    instead: &[
        CLASS_NAME,
        CONSTRAINTS,
        (
            "optional",
            "the type says whether the target may be missing: `Option<...>` for a has_one that is not required",
        ),
    ],
};

const HAS_MANY: Known<'static> = Known {
    attribute: "#[has_many]",
    now: &[
        "foreign_key",
        "primary_key",
        "inverse_of",
        "strict_loading",
        "scope",
        "source",
        "source_type",
        "through",
        "disable_joins",
        "autosave",
        "validate",
        "counter_cache",
        "dependent",
        "ensuring_owner_was",
        "index_errors",
        "after_add",
        "after_remove",
        "before_add",
        "before_remove",
        "as",
        "foreign_type",
        "default_order",
        "deprecated",
    ],
    later: &[],
    instead: &[CLASS_NAME, CONSTRAINTS, EXTEND],
};

const HAS_AND_BELONGS_TO_MANY: Known<'static> = Known {
    attribute: "#[has_and_belongs_to_many]",
    now: &[
        "join_table",
        "foreign_key",
        "association_foreign_key",
        "strict_loading",
        "scope",
        "autosave",
        "validate",
        "after_add",
        "after_remove",
        "before_add",
        "before_remove",
        "deprecated",
    ],
    later: &[],
    instead: &[
        CLASS_NAME,
        EXTEND,
        (
            "dependent",
            "the rows between go with the record by themselves, and what they lead to stays",
        ),
        (
            "through",
            "a has_many goes through a model of yours; this one goes through rows that have none",
        ),
    ],
};

const DELEGATED: Known<'static> = Known {
    attribute: "#[delegated_type]",
    now: &[
        "types",
        "foreign_key",
        "foreign_type",
        "primary_key",
        "inverse_of",
        "strict_loading",
        "autosave",
        "validate",
        "optional",
        "required",
        "counter_cache",
        "dependent",
        "touch",
        "deprecated",
    ],
    later: &[],
    instead: &[CLASS_NAME],
};

fn known(kind: Macro) -> &'static Known<'static> {
    match kind {
        Macro::HasAndBelongsToMany => &HAS_AND_BELONGS_TO_MANY,
        Macro::BelongsTo => &BELONGS_TO,
        Macro::HasOne => &HAS_ONE,
        Macro::HasMany => &HAS_MANY,
    }
}

/// The association that a field declares, or nothing when its target cannot be told.
pub(crate) fn association(
    kind: Macro,
    attribute: &Attribute,
    declared: Declared,
    errors: &mut Errors,
) -> Option<Association> {
    let before = errors.count();
    let delegated = attribute.path().is_ident("delegated_type");
    let known = if delegated { &DELEGATED } else { known(kind) };
    let entries = of_attribute(attribute, known, errors);
    let (target, span, optional) = target(kind, &declared, errors)?;
    let mut association = Association {
        kind,
        name: plain(&declared.ident),
        ident: declared.ident,
        vis: declared.vis,
        target,
        span,
        optional,
        attrs: declared.attrs,
        foreign_key: Vec::new(),
        primary_key: Vec::new(),
        polymorphic: delegated,
        interface: None,
        foreign_type: None,
        delegates: Vec::new(),
        inverse_of: Inverse::Automatic,
        through: None,
        source: None,
        source_type: None,
        disable_joins: None,
        join_table: None,
        association_foreign_key: None,
        strict_loading: None,
        autosave: None,
        validate: None,
        counter_cache: None,
        touch: None,
        dependent: None,
        ensuring_owner_was: None,
        default: None,
        index_errors: None,
        nested: None,
        callbacks: Vec::new(),
        scope: None,
        default_order: None,
        deprecated: false,
        validations: declared.validations,
        options: Vec::new(),
        faulty: false,
        order: declared.order,
    };
    for entry in entries {
        match errors.take(option(&entry, &mut association)) {
            Some(()) => association.options.push((entry.name(), entry.text())),
            None => continue,
        }
    }
    if let (Some((_, holds)), true) = (
        &association.ensuring_owner_was,
        association.dependent != Some("DestroyAsync"),
    ) {
        errors.on(
            holds,
            "`ensuring_owner_was` is for `dependent = destroy_async`: what is destroyed at once needs no second look",
        );
    }
    if delegated && association.delegates.is_empty() && errors.count() == before {
        errors.at(
            association.ident.span(),
            "a delegated type names its types: `#[delegated_type(types = (Message, Comment))]`",
        );
    }
    if association.foreign_type.is_some()
        && !association.polymorphic
        && association.interface.is_none()
    {
        errors.at(
            association.ident.span(),
            "`foreign_type` is for polymorphic associations: write `polymorphic` or `as = ...` too",
        );
    }
    association.faulty = errors.count() > before;
    Some(association)
}

/// An association whose attribute cannot be told, for the methods that it would have.
pub(crate) fn guessed(kind: Macro, declared: Declared, errors: &mut Errors) -> Option<Association> {
    let attribute = syn::parse_quote!(#[association]);
    let guessed = association(kind, &attribute, declared, errors);
    guessed.map(|guessed| Association {
        faulty: true,
        ..guessed
    })
}

fn option(entry: &Entry, association: &mut Association) -> syn::Result<()> {
    let name = entry.name();
    match name.as_str() {
        "foreign_key" => association.foreign_key = entry.idents("author_id")?,
        "primary_key" => association.primary_key = entry.idents("id")?,
        "polymorphic" => association.polymorphic = entry.flag()?,
        "as" => association.interface = Some(entry.ident("subject")?),
        "foreign_type" => association.foreign_type = Some(entry.ident("subject_type")?),
        "types" => association.delegates = entry.idents("(Message, Comment)")?,
        "inverse_of" => association.inverse_of = inverse(entry)?,
        "through" => association.through = Some(entry.ident("memberships")?),
        "source" => association.source = Some(entry.ident("club")?),
        "source_type" => association.source_type = Some(entry.ident("Post")?),
        "disable_joins" => {
            association.disable_joins = entry.flag()?.then(|| entry.name.clone());
        }
        "join_table" => association.join_table = Some(entry.ident("posts_tags")?),
        "association_foreign_key" => {
            association.association_foreign_key = Some(entry.ident("tag_id")?);
        }
        "strict_loading" => association.strict_loading = Some(entry.flag()?),
        "autosave" => association.autosave = Some(entry.flag()?),
        "validate" => association.validate = Some(entry.flag()?),
        "counter_cache" => association.counter_cache = counter(entry)?,
        "touch" => association.touch = touch(entry)?,
        "dependent" => association.dependent = Some(dependent(entry, association.kind)?),
        "ensuring_owner_was" => {
            let holds = entry.value("|post: &Post| post.gone()")?.clone();
            association.ensuring_owner_was = Some((entry.text(), holds));
        }
        "default" => {
            let example = "|post: &Post| Person::find(post.db(), 1)";
            association.default = Some(entry.value(example)?.clone());
        }
        "before_add" | "after_add" | "before_remove" | "after_remove" => {
            let event = MEMBER_EVENTS.iter().find(|(word, _)| *word == name);
            let function = entry.value("|author: &Author, post: &Post| ...")?.clone();
            let event = event.map(|(_, event)| (*event, function));
            association.callbacks.extend(event);
        }
        "index_errors" => association.index_errors = index_errors(entry)?,
        "scope" => {
            let closure = scope(entry)?;
            if association.kind == Macro::BelongsTo
                && let Some(word) = word_in(closure.body.to_token_stream(), "per_owner")
            {
                let message =
                    "a belongs_to leads to one row: `per_owner` is for the limit of what has many";
                return Err(syn::Error::new(word, message));
            }
            association.scope = Some(Scope { closure });
        }
        "default_order" => association.default_order = Some(default_order(entry)?),
        "deprecated" => association.deprecated = entry.flag()?,
        _ => agrees(entry, association, entry.flag()? == (name == "optional"))?,
    }
    Ok(())
}

/// `optional` and `required` may be written where the type says the same.
fn agrees(entry: &Entry, association: &Association, optional: bool) -> syn::Result<()> {
    if association.optional == optional {
        return Ok(());
    }
    let target = association
        .target
        .to_token_stream()
        .to_string()
        .replace(' ', "");
    let name = &association.name;
    let message = if optional {
        format!(
            "`{name}` may be missing by this option, but not by its type: write `{name}: Option<{target}>`"
        )
    } else {
        format!(
            "`{name}` is required by this option, but not by its type: write `{name}: {target}`"
        )
    };
    Err(syn::Error::new(entry.name.span(), message))
}

/// `counter_cache`, `counter_cache = likes_count`, `counter_cache(column = likes_count, active = false)`.
fn counter(entry: &Entry) -> syn::Result<Option<Counter>> {
    let mut counter = Counter {
        column: None,
        at: entry.name.span(),
        active: true,
    };
    match &entry.value {
        Value::None => {}
        Value::Expr(value) if matches!(&**value, Expr::Lit(_)) => {
            if !entry.flag()? {
                return Ok(None);
            }
        }
        Value::Expr(_) => counter.column = Some(entry.ident("comments_count")?),
        Value::List(group) => {
            let known = Known {
                attribute: "`counter_cache`",
                now: &["column", "active"],
                later: &[],
                instead: &[],
            };
            let mut errors = Errors::default();
            for option in entries(group.stream(), &known, &mut errors) {
                if option.name() == "column" {
                    counter.column = Some(option.ident("comments_count")?);
                } else {
                    counter.active = option.flag()?;
                }
            }
            if let Some(error) = errors.into_first() {
                return Err(error);
            }
        }
    }
    if let Some(column) = &counter.column {
        counter.at = column.span();
    }
    Ok(Some(counter))
}

/// `index_errors`, `index_errors = nested_attributes_order`.
fn index_errors(entry: &Entry) -> syn::Result<Option<&'static str>> {
    match &entry.value {
        Value::Expr(value) if !matches!(&**value, Expr::Lit(_)) => {
            let by = entry.ident("nested_attributes_order")?;
            if by == "nested_attributes_order" {
                return Ok(Some("Assigned"));
            }
            let message = "`index_errors` is `true`, `false` or `nested_attributes_order`";
            Err(syn::Error::new_spanned(by, message))
        }
        _ => Ok(entry.flag()?.then_some("Members")),
    }
}

/// `touch`, `touch = commented_at`.
fn touch(entry: &Entry) -> syn::Result<Option<Option<syn::Ident>>> {
    match &entry.value {
        Value::Expr(value) if !matches!(&**value, Expr::Lit(_)) => {
            Ok(Some(Some(entry.ident("commented_at")?)))
        }
        _ => Ok(entry.flag()?.then_some(None)),
    }
}

const MEMBER_EVENTS: &[(&str, &str)] = &[
    ("before_add", "BeforeAdd"),
    ("after_add", "AfterAdd"),
    ("before_remove", "BeforeRemove"),
    ("after_remove", "AfterRemove"),
];

/// What each macro's `dependent` may be, and the variant of it.
const DEPENDENT: &[(&str, &str, &[Macro])] = &[
    (
        "destroy",
        "Destroy",
        &[Macro::BelongsTo, Macro::HasOne, Macro::HasMany],
    ),
    (
        "destroy_async",
        "DestroyAsync",
        &[Macro::BelongsTo, Macro::HasOne, Macro::HasMany],
    ),
    ("delete", "Delete", &[Macro::BelongsTo, Macro::HasOne]),
    ("delete_all", "DeleteAll", &[Macro::HasMany]),
    ("nullify", "Nullify", &[Macro::HasOne, Macro::HasMany]),
    (
        "restrict_with_error",
        "RestrictWithError",
        &[Macro::HasOne, Macro::HasMany],
    ),
    (
        "restrict_with_exception",
        "RestrictWithException",
        &[Macro::HasOne, Macro::HasMany],
    ),
];

fn dependent(entry: &Entry, kind: Macro) -> syn::Result<&'static str> {
    let name = entry.ident("destroy")?;
    let word = plain(&name);
    let valid = DEPENDENT
        .iter()
        .filter(|(_, _, kinds)| kinds.contains(&kind));
    let words: Vec<&str> = valid.clone().map(|(word, ..)| *word).collect();
    match valid.clone().find(|(known, ..)| *known == word) {
        Some((_, variant, _)) => Ok(variant),
        None => Err(syn::Error::new(
            name.span(),
            format!(
                "the `dependent` of a {} is one of {}{}",
                kind.name(),
                list(&words),
                hint(&word, &words)
            ),
        )),
    }
}

fn inverse(entry: &Entry) -> syn::Result<Inverse> {
    if let Ok(false) = entry.flag() {
        return Ok(Inverse::Off);
    }
    let name = entry.ident("posts")?;
    Ok(if name == "none" {
        Inverse::Off
    } else {
        Inverse::Named(name)
    })
}

fn scope(entry: &Entry) -> syn::Result<ExprClosure> {
    const EXAMPLE: &str = "|posts| posts.order(|p| p.id.desc())";
    match entry.value(EXAMPLE)? {
        Expr::Closure(closure) if matches!(closure.inputs.len(), 1 | 2) => Ok(closure.clone()),
        other => Err(syn::Error::new_spanned(
            other,
            format!(
                "`scope` is a closure of the members, and of the owner where it needs it: `scope = {EXAMPLE}`"
            ),
        )),
    }
}

/// Where a word stands among tokens.
fn word_in(tokens: TokenStream, word: &str) -> Option<Span> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == word => Some(ident.span()),
        TokenTree::Group(group) => word_in(group.stream(), word),
        _ => None,
    })
}

/// `default_order = |p| p.id.desc()`.
fn default_order(entry: &Entry) -> syn::Result<ExprClosure> {
    const EXAMPLE: &str = "|p| p.id.desc()";
    match entry.value(EXAMPLE)? {
        Expr::Closure(closure) if closure.inputs.len() == 1 => Ok(closure.clone()),
        other => Err(syn::Error::new_spanned(
            other,
            format!(
                "`default_order` is a closure of the members' columns: `default_order = {EXAMPLE}`"
            ),
        )),
    }
}

/// The target model, where its name stands, and whether it may be missing.
fn target(kind: Macro, declared: &Declared, errors: &mut Errors) -> Option<(Type, Span, bool)> {
    let ty = unwrapped(&declared.ty);
    let field = &declared.ident;
    let Some((name, span, argument)) = owned_path(ty) else {
        errors.on(
            ty,
            format!(
                "the type of an association is the model it leads to: `{field}: {}`",
                example(kind)
            ),
        );
        return None;
    };
    match (name.as_str(), argument) {
        ("Option", Some(inner)) if !kind.is_collection() => {
            let inner = unwrapped(inner);
            let Some((_, span, _)) = owned_path(inner) else {
                errors.on(
                    inner,
                    format!(
                        "the type of an association is the model it leads to: `{field}: {}`",
                        example(kind)
                    ),
                );
                return None;
            };
            Some((inner.clone(), span, true))
        }
        (
            "Option" | "Vec" | "Box" | "Arc" | "Rc" | "HashSet" | "BTreeSet" | "Collection"
            | "Singular",
            Some(inner),
        ) => {
            let inner = inner.to_token_stream().to_string().replace(' ', "");
            let why = match kind {
                Macro::HasMany => "the type of a has_many is the model of one of its records",
                Macro::HasAndBelongsToMany => {
                    "the type of a has_and_belongs_to_many is the model of one of its records"
                }
                Macro::HasOne | Macro::BelongsTo => {
                    "the type of an association is the model it leads to"
                }
            };
            errors.on(ty, format!("{why}: `{field}: {inner}`"));
            None
        }
        _ => Some((ty.clone(), span, kind.is_collection())),
    }
}

const fn example(kind: Macro) -> &'static str {
    match kind {
        Macro::BelongsTo => "Person",
        Macro::HasOne => "Option<Profile>",
        Macro::HasMany | Macro::HasAndBelongsToMany => "Comment",
    }
}
