//! Ordinary operators on variables and numbers.

use std::ops::{Add, Div, Mul, Neg, Sub};

use thalweg_kernel::{Binary, Unary};

use super::Var;

macro_rules! operators {
    ($($trait:ident $method:ident),+) => {
        $(impl<'b> $trait for Var<'b> {
            type Output = Self;

            fn $method(self, other: Self) -> Self {
                self.binary(Binary::$trait, other)
            }
        }

        impl<'b> $trait<f64> for Var<'b> {
            type Output = Self;

            fn $method(self, other: f64) -> Self {
                self.binary(Binary::$trait, self.builder().constant(other, &[]))
            }
        }

        impl<'b> $trait<Var<'b>> for f64 {
            type Output = Var<'b>;

            fn $method(self, other: Var<'b>) -> Var<'b> {
                other.builder().constant(self, &[]).binary(Binary::$trait, other)
            }
        })+
    };
}

operators!(Add add, Sub sub, Mul mul, Div div);

impl Neg for Var<'_> {
    type Output = Self;

    fn neg(self) -> Self {
        self.builder().apply(Unary::Neg, &[self])
    }
}
