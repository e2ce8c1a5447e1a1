/// OCI documents as records: runtime configuration ([RuntimeSpec]), image documents.
/// Entry: [RuntimeSpec] for a container's configuration, [RootfsPlan] for where its root comes from.
/// Never knows: files, mounts, processes; reading and writing is from and to [carafe.spec.Json] only.
/// Threads: any; everything is immutable.
/// Spec: OCI runtime-spec 1.2 (config.md, config-linux.md), OCI image-spec 1.1.
@NullMarked
package carafe.spec.oci;

import org.jspecify.annotations.NullMarked;
