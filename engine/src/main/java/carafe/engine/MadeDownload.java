package carafe.engine;

import carafe.spec.oci.Descriptor;

/// An archive of what a build made, and what its manifest, or its index of several, is there. `archive` is to be closed.
public record MadeDownload(Download archive, Descriptor about) {}
