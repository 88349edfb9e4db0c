//! Instruments that survey an objective: operators, eigenvalues, lines and planes.
