package carafe.image;

import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.util.Optional;

/// One image, or one of its names, that came out of an archive; without a name when the archive gave it none.
public record Loaded(Optional<Reference> name, Digest id) {}
