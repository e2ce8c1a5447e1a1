/// The documents of the Open Container Initiative as records: runtime configuration and image documents.
/// Entry: [RuntimeSpec] and [RootfsPlan] for a container; [Reference], [Manifest], [Index], [ImageConfig] for an image.
/// Never knows: where bytes are stored or how they travel; each type reads and prints itself, bounded and strict.
/// Threads: any; everything is immutable.
/// Spec: OCI image-spec 1.1, runtime-spec 1.2, Docker image manifest V2 schema 2, distribution's reference grammar.
@NullMarked
package carafe.spec.oci;

import org.jspecify.annotations.NullMarked;
