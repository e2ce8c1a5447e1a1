package carafe.files;

import carafe.kernel.Fd;
import carafe.spec.oci.RootfsPlan;
import java.io.IOException;

/// Puts a container's root together for the time its files are looked at.
@FunctionalInterface
public interface RootMounter {

    /// The root as a detached mount, owned by the caller. While it is open no other mount of the same plan may be made.
    Fd mount(RootfsPlan plan) throws IOException;
}
