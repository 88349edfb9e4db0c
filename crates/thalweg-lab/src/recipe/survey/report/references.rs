//! Whose definitions and claims the page speaks of.

use thalweg_report::Section;

/// Author, year, title, where it appeared.
const REFERENCES: [&str; 12] = [
    "Antognini, J. M. and Sohl-Dickstein, J. (2018). PCA of high dimensional random walks with comparison to neural network \
     training. NeurIPS.",
    "Cohen, J. M., Kaur, S., Li, Y., Kolter, J. Z. and Talwalkar, A. (2021). Gradient descent on neural networks typically \
     occurs at the edge of stability. ICLR.",
    "Dinh, L., Pascanu, R., Bengio, S. and Bengio, Y. (2017). Sharp minima can generalize for deep nets. ICML.",
    "Draxler, F., Veschgini, K., Salmhofer, M. and Hamprecht, F. A. (2018). Essentially no barriers in neural network energy \
     landscape. ICML.",
    "Entezari, R., Sedghi, H., Saukh, O. and Neyshabur, B. (2022). The role of permutation invariance in linear mode \
     connectivity of neural networks. ICLR.",
    "Goodfellow, I. J., Vinyals, O. and Saxe, A. M. (2015). Qualitatively characterizing neural network optimization problems. \
     ICLR.",
    "Kahan, W. (1967). Inclusion theorems for clusters of eigenvalues of Hermitian matrices. University of Toronto.",
    "Kuczyński, J. and Woźniakowski, H. (1992). Estimating the largest eigenvalue by the power and Lanczos algorithms with a \
     random start. SIAM Journal on Matrix Analysis and Applications 13.",
    "Lanczos, C. (1950). An iteration method for the solution of the eigenvalue problem of linear differential and integral \
     operators. Journal of Research of the National Bureau of Standards 45.",
    "Li, H., Xu, Z., Taylor, G., Studer, C. and Goldstein, T. (2018). Visualizing the loss landscape of neural nets. NeurIPS.",
    "Lucas, J., Bae, J., Zhang, M. R., Fort, S., Zemel, R. and Grosse, R. (2021). On monotonic linear interpolation of neural \
     network parameters. ICML.",
    "Papyan, V. (2020). Traces of class/cross-class structure pervade deep learning spectra. JMLR 21.",
];

pub(super) fn section() -> Section {
    Section { heading: "References".to_owned(), prose: REFERENCES.join("\n\n"), figures: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_in_order_and_dated() {
        assert!(REFERENCES.is_sorted());
        for reference in REFERENCES {
            let (_, rest) = reference.split_once(" (").expect("a year");
            assert!(rest[..4].parse::<u16>().is_ok_and(|year| (1900..2100).contains(&year)), "{reference}");
        }
    }
}
