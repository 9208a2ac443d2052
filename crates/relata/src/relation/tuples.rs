//! A tuple of what can be listed is a list: of what each gives, one after the other.

/// Implements a trait with one method, which gives a `Vec`, for tuples of what implements it: those that are listed, or
/// those of one to eight.
macro_rules! tuples {
    ($list:ident::$method:ident -> $item:ty) => {
        tuples! {
            $list::$method -> $item;
            A;
            A B;
            A B C;
            A B C D;
            A B C D E;
            A B C D E F;
            A B C D E F G;
            A B C D E F G H;
        }
    };
    ($list:ident::$method:ident -> $item:ty; $($name:ident)+; $($more:tt)*) => {
        impl<$($name: $list),+> $list for ($($name,)+) {
            #[allow(non_snake_case)]
            fn $method(self) -> Vec<$item> {
                let ($($name,)+) = self;
                let mut all = Vec::new();
                $(all.extend($name.$method());)+
                all
            }
        }
        tuples! { $list::$method -> $item; $($more)* }
    };
    ($list:ident::$method:ident -> $item:ty;) => {};
}

pub(super) use tuples;
