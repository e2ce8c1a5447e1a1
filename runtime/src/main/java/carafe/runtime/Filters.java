package carafe.runtime;

import carafe.spec.oci.SeccompSpec;
import java.io.IOException;

/// Turns the filter of a configuration into a program for the kernel; keeps what it made.
@FunctionalInterface
interface Filters {

    /// The program for `spec`.
    Filter compile(SeccompSpec spec) throws IOException, StartFailure;
}
