package carafe.engine.transfer;

import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.util.List;

/// One artifact that refers to an image or to another artifact, `subject` by its manifest: its descriptor, which says its
/// kind and what its maker noted, the names it has here, and whether it is here at all.
public record Referrer(Descriptor descriptor, Digest subject, List<Reference> names, boolean here) {
    public Referrer {
        names = List.copyOf(names);
    }
}
